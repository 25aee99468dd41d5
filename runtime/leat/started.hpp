// SPDX-License-Identifier: MIT
// started: how a child tells the task that waits in task_group::start that it is ready.
//
// Theory of operation. Until it is ready the child is in a group of its own in the frame that waits for it: a
// cancellation of that wait reaches it, and its error stays there. set() moves it into the group it was
// started in. Meanwhile the wait is one of the child's joiners, so it also ends when the child ends.
// Invariant: the wait ends when the child has moved or has ended, not before.
#pragma once

#include <leat/core/group_scope.hpp>
#include <leat/core/leaf_awaiter.hpp>
#include <leat/core/stored_arguments.hpp>

#include <utility>

namespace leat {

template <typename T>
class started;

namespace detail {

// A child on its way into a group, and the wait for it to arrive.
template <typename T>
class [[nodiscard]] starting : public leaf_awaiter<starting<T>>, joiner {
public:
    explicit starting(group_scope& into) noexcept
        : leaf_awaiter<starting<T>>(starting_kind),
          joiner([](joiner& self) noexcept { this_thread.loop->finish(static_cast<starting&>(self)); }),
          into_(into) {
        own_.attach(*this_thread.task->innermost);
    }
    ~starting() {
        own_.detach();
        if (token_ != nullptr) {
            token_->waiting_ = nullptr;
        }
    }

    [[nodiscard]] group_scope& scope() noexcept { return own_; }
    [[nodiscard]] started<T> token() noexcept { return started<T>(*this); }
    void wait_for(task_state& child) noexcept { child_ = &child; }

    // In a task that is cancelled the child is as well, and the wait is for its end.
    void begin_cancelled() const noexcept {}
    static bool take_now() noexcept { return never_ready(); }
    void enqueue() noexcept { child_->joiners.push_back(*this); }
    // Whether it has arrived.
    bool await_resume() const noexcept { return said_.ok(); }
    T take() { return std::move(said_).get(); }

private:
    friend started<T>;

    template <typename... Value>
    void arrive(Value&&... value) {
        check(!child_->done, said_once);
        if (!own_.cancelled) {  // else it is on its way out
            said_.set_value(std::forward<Value>(value)...);
            into_.adopt(child_->own());
            child_->joiners.remove(*this);
            current_scheduler().finish(*this);
        }
    }

    static constexpr const char* said_once = "a task says once, before it ends, that it is ready";
    // The child is cancelled as well, and its end is awaited.
    static inline constinit const wait_kind starting_kind{"a child to be ready",
                                                          [](leat::wait&) noexcept { return false; }};
    group_scope own_{group_scope::errors::to_handles};
    group_scope& into_;
    task_state* child_ = nullptr;
    started<T>* token_ = nullptr;  // which may have been taken elsewhere, and live longer
    outcome<T> said_;
};

// The T of a callable whose first parameter is a started<T>.
template <typename Parameters>
struct first_started {
    static_assert(is_task<Parameters>,
                  "what is started takes a leat::started<T> first, which is not generic");
};
template <typename T, typename... Rest>
struct first_started<type_list<started<T>, Rest...>> {
    using type = T;
};
template <typename Function>
using started_by = typename first_started<typename parameters_of<Function>::type>::type;

}  // namespace detail

// Given to a task that is started. Move-only; used by that task.
template <typename T = void>
class started {
public:
    explicit started(detail::starting<T>& waiting) noexcept { hold(&waiting); }
    started(started&& other) noexcept { hold(other.let_go()); }
    started& operator=(started&& other) noexcept {
        if (this != &other) {
            let_go();
            hold(other.let_go());
        }
        return *this;
    }
    ~started() { let_go(); }

    // The task is ready: start() returns `value`, and the task belongs to the group. Once. Has no effect when
    // the task is cancelled.
    template <typename... Value>
        requires std::constructible_from<typename detail::storage_of<T>::type, Value...>
    void set(Value&&... value) {
        check(waiting_ != nullptr, detail::starting<T>::said_once);
        let_go()->arrive(std::forward<Value>(value)...);
    }

private:
    friend detail::starting<T>;

    void hold(detail::starting<T>* waiting) noexcept {
        waiting_ = waiting;
        if (waiting != nullptr) {
            waiting->token_ = this;
        }
    }
    detail::starting<T>* let_go() noexcept {
        if (waiting_ != nullptr) {
            waiting_->token_ = nullptr;
        }
        return std::exchange(waiting_, nullptr);
    }

    detail::starting<T>* waiting_ = nullptr;  // whose token_ is this
};

}  // namespace leat
