// SPDX-License-Identifier: MIT
// one_user: what one task at a time uses, such as an end of a pipe or one half of a TLS stream. A second one
// is misuse. A task that has been cancelled and has not unwound yet does not count, but keeps its place: the
// next waits behind it, and sees what it gives back. Invariant: it is in use from the end of a turn to the
// end of the `use` that follows it.
#pragma once

#include <leat/core/leaf_awaiter.hpp>

#include <utility>

namespace leat::detail {

class one_user {
public:
    class turn;
    class use;

    [[nodiscard]] bool in_use() const noexcept { return user_ != nullptr; }
    // Whether its user has gone on since its turn came, and may have looked at what is used.
    [[nodiscard]] bool has_begun() const noexcept { return begun_; }
    // Whether the task that uses it is of another run.
    [[nodiscard]] bool is_used_elsewhere() const noexcept {
        return in_use() && user_->home() != this_thread.loop;
    }

private:
    const task_state* user_ = nullptr;
    wait* next_ = nullptr;  // who uses it after that one, which has been cancelled
    bool begun_ = false;
};

// co_await makes the task the user. `rule` tells what a second one does wrong.
class [[nodiscard]] one_user::turn : public leaf_awaiter<turn> {
public:
    turn(one_user& of, const char* rule) noexcept : leaf_awaiter(turn_kind), of_(of), rule_(rule) {}
    bool take_now() noexcept {
        const task_state& asking = *this_thread.task;
        if (const task_state* const user = of_.user_; user != nullptr) {
            check(user->home() == asking.home() && user->cancelled() && of_.next_ == nullptr, rule_);
            return false;
        }
        of_.user_ = &asking;
        return true;
    }
    void enqueue() noexcept { of_.next_ = this; }
    void await_resume() const noexcept {}

private:
    static bool leave(leat::wait& self) noexcept {
        static_cast<turn&>(self).of_.next_ = nullptr;
        return true;
    }
    static inline constinit const wait_kind turn_kind{"its turn after a cancelled task", leave};

    one_user& of_;
    const char* rule_;
};

// The use by the task that has awaited its turn. Its end passes it on to who waits behind.
class one_user::use {
public:
    explicit use(one_user& of) noexcept : of_(of) { of_.begun_ = true; }
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use() {
        of_.begun_ = false;
        wait* const next = std::exchange(of_.next_, nullptr);
        of_.user_ = next != nullptr ? next->task : nullptr;
        if (next != nullptr) {
            this_thread.loop->finish(*next);
        }
    }

private:
    one_user& of_;
};

}  // namespace leat::detail
