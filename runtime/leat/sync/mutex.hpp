// SPDX-License-Identifier: MIT
// mutex and condition: exclusion between tasks of one scheduler across their waits. Between two waits no
// other task runs, and no mutex is needed.
// Invariant: an unlocked mutex goes to the task that has waited longest, and to no other.
#pragma once

#include <leat/core/wait_queue.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace leat {

class mutex;

namespace detail {

// A place in a mutex's queue. Cancelled waits for a condition take the mutex before they end.
struct lock_wait : wait {
    using wait::wait;
    bool ends_cancelled = false;
};

}  // namespace detail

// While it lives the mutex is locked. Move-only; unlocks at its end.
class [[nodiscard]] mutex_guard {
public:
    mutex_guard(mutex_guard&& other) noexcept : locked_(std::exchange(other.locked_, nullptr)) {}
    mutex_guard& operator=(mutex_guard&& other) noexcept {
        if (this != &other) {
            unlock();
            locked_ = std::exchange(other.locked_, nullptr);
        }
        return *this;
    }
    ~mutex_guard() { unlock(); }

    // Unlocks early. Does nothing the second time.
    void unlock() noexcept;

private:
    friend mutex;
    friend class condition;
    explicit mutex_guard(mutex& locked) noexcept : locked_(&locked) {}
    mutex* locked_;
};

class mutex {
public:
    mutex() noexcept = default;
    mutex(const mutex&) = delete;
    mutex& operator=(const mutex&) = delete;
    ~mutex() { check(!locked_, "a mutex is unlocked when it dies"); }

    // co_await mutex.lock() gives a mutex_guard, in the order of asking. Cancelled: it was not locked.
    class lock_awaiter;
    [[nodiscard]] lock_awaiter lock() noexcept;
    // A guard if nobody holds the mutex.
    [[nodiscard]] std::optional<mutex_guard> try_lock() noexcept {
        if (!take()) {
            return std::nullopt;
        }
        return mutex_guard(*this);
    }
    [[nodiscard]] bool is_locked() const noexcept { return locked_; }

private:
    friend class mutex_guard;
    friend class condition;

    bool take() noexcept {
        if (std::exchange(locked_, true)) {
            return false;
        }
        holder_ = this_thread.task != nullptr ? this_thread.task->id : 0;
        return true;
    }
    // The lock passes on, or is open.
    void release() noexcept;
    // `next` gets the lock, now or when it is its turn.
    void give_or_enqueue(detail::lock_wait& next) noexcept;
    void give(detail::lock_wait& next) noexcept;

    detail::wait_queue waiting_;
    std::uint32_t holder_ = 0;  // the id of the task that locked it last; for dumps
    bool locked_ = false;
};

class [[nodiscard]] mutex::lock_awaiter : public detail::leaf_awaiter<lock_awaiter, detail::lock_wait> {
public:
    explicit lock_awaiter(mutex& wanted) noexcept : leaf_awaiter(lock_kind), wanted_(&wanted) {}
    bool take_now() noexcept { return wanted_->take(); }
    void enqueue() noexcept { wanted_->waiting_.push_back(*this); }
    mutex_guard await_resume() const noexcept { return mutex_guard(*wanted_); }

private:
    static void explain(const wait& self, wait_facts& facts) noexcept {
        const mutex& wanted = *static_cast<const lock_awaiter&>(self).wanted_;
        facts.object = &wanted;
        facts.held_by = wanted.holder_;
    }
    static inline constinit const wait_kind lock_kind{"a mutex", detail::wait_queue::leave, explain};
    mutex* wanted_;
};

inline mutex::lock_awaiter mutex::lock() noexcept {
    return lock_awaiter(*this);
}

inline void mutex_guard::unlock() noexcept {
    if (mutex* locked = std::exchange(locked_, nullptr)) {
        locked->release();
    }
}

// Where tasks that hold a mutex wait until another one has changed what it protects.
class condition {
public:
    // co_await condition.wait(guard): unlocks, waits to be notified, and ends when it has locked again. The
    // guard is of the mutex, stays alive, and holds it afterwards. The state may have changed again by then:
    // test it again, as in while (!ready) { co_await changed.wait(guard); } Cancelled: it ends after it has
    // locked again; a notification that it had got counts.
    class wait_awaiter;
    [[nodiscard]] wait_awaiter wait(mutex_guard& guard) noexcept;

    void notify_one() noexcept;
    void notify_all() noexcept;

private:
    detail::wait_queue waiting_;
};

class [[nodiscard]] condition::wait_awaiter : public detail::leaf_awaiter<wait_awaiter, detail::lock_wait> {
public:
    wait_awaiter(condition& awaited, mutex& locked) noexcept
        : leaf_awaiter(condition_kind), awaited_(&awaited), locked_(&locked) {}
    static bool take_now() noexcept { return detail::never_ready(); }
    void enqueue() noexcept {
        awaited_->waiting_.push_back(*this);
        locked_->release();
    }
    void await_resume() const noexcept {}

private:
    friend condition;
    static bool cancel(leat::wait& self) noexcept;
    static const wait_kind condition_kind;

    void relock() noexcept {
        notified_ = true;
        locked_->give_or_enqueue(*this);
    }

    condition* awaited_;
    mutex* locked_;
    bool notified_ = false;
};

inline condition::wait_awaiter condition::wait(mutex_guard& guard) noexcept {
    check(guard.locked_ != nullptr, "who waits for a condition holds its mutex");
    return {*this, *guard.locked_};
}

}  // namespace leat
