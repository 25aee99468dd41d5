// SPDX-License-Identifier: MIT
// Awaitables of other libraries in our coroutines: co_await them, or give them to timeout and the like.
//
// Theory of operation. An awaitable resumes the coroutine handle it is given, wherever and whenever it likes.
// Our frames are resumed by their loop only. So it gets the handle of a foreign_signal instead, a small
// coroutine that tells the loop of the waiting task that the wait is over; the loop resumes the frame.
// Therefore any thread may resume it.
//
// Such an awaitable cannot be cancelled: it is not begun in a cancelled task, and once begun its result is
// delivered. While it is awaited the run does not end and sees no deadlock.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/deferred.hpp>
#include <leat/core/leaf_awaiter.hpp>

#include <concepts>
#include <coroutine>
#include <exception>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

// Thrown by awaiting what destroys the coroutine that waits for it instead of resuming it; its code is
// std::errc::broken_pipe.
class awaitable_dropped : public std::system_error {
public:
    awaitable_dropped()
        : system_error(std::make_error_code(std::errc::broken_pipe), "what was awaited never resumed") {}
};

namespace detail {

struct foreign_wait final : cross_thread_wait {
    foreign_wait() noexcept : cross_thread_wait(foreign_kind) {}
    bool dropped = false;  // written before it is complete

    static const wait_kind foreign_kind;
};

// The coroutine that a foreign awaitable resumes, or destroys.
struct foreign_signal {
    struct promise_type {
        explicit promise_type(foreign_wait& waiting) noexcept : told(&waiting) {}
        ~promise_type() {
            if (told != nullptr) {
                told->dropped = true;
                told->complete();
            }
        }
        foreign_signal get_return_object() noexcept {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        static std::suspend_always initial_suspend() noexcept { return {}; }
        static std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept { std::exchange(told, nullptr)->complete(); }
        static void unhandled_exception() noexcept {}

        foreign_wait* told;
    };
    // Never resumed by anybody: it was not taken.
    void forget() const noexcept {
        handle.promise().told = nullptr;
        handle.destroy();
    }

    std::coroutine_handle<promise_type> handle;
};

[[nodiscard]] foreign_signal signal_to(foreign_wait& waiting);

template <typename X>
decltype(auto) foreign_awaiter_of(X&& awaitable) {
    if constexpr (has_member_co_await<X&&>) {
        return std::forward<X>(awaitable).operator co_await();
    } else if constexpr (has_free_co_await<X&&>) {
        return operator co_await(std::forward<X>(awaitable));
    } else {
        return std::forward<X>(awaitable);
    }
}

// The awaitable stays where it stands until the end of the awaiting expression.
template <foreign_awaitable X>
struct awaited<X> {
    // Of an rvalue, as most awaitables are; a reference where the awaitable is its own awaiter.
    using awaiter = decltype(foreign_awaiter_of(std::declval<X>()));
    using value_type = decltype(std::declval<std::remove_reference_t<awaiter>&>().await_resume());

    explicit awaited(X&& awaitable) : awaiter_(foreign_awaiter_of(std::move(awaitable))) {}
    explicit awaited(X& awaitable) : awaiter_(foreign_awaiter_of(std::move(awaitable))) {}
    explicit awaited(const X& awaitable)
        requires std::same_as<decltype(foreign_awaiter_of(awaitable)), awaiter>
        : awaiter_(foreign_awaiter_of(awaitable)) {}

    bool ready() {
        if (begins_cancelled(wait_)) [[unlikely]] {
            wait_.end = wait_end::cancelled;
            return false;
        }
        if (awaiter_.await_ready()) {
            wait_.end = wait_end::finished;
            return detail::spend_budget();
        }
        wait_.expect();
        return false;
    }
    void suspend(frame& waiter) noexcept {
        scheduler::suspend(waiter, wait_);
        if (wait_.end == wait_end::pending) {
            begin();
        }
    }
    value_type resume() {
        if (error_ != nullptr) {
            std::rethrow_exception(error_);
        }
        if (wait_.dropped) {
            throw awaitable_dropped();
        }
        return awaiter_.await_resume();
    }
    // Its operator co_await may have given an awaiter that refers to it: that is not moved.
    auto defer() {
        static_assert(std::is_reference_v<awaiter> && std::move_constructible<X>,
                      "this awaitable of another library is not moved: give a coroutine that awaits it, as "
                      "[&]() -> leat::task<T> { co_return co_await ...; }");
        return deferred_in_task(std::move(awaiter_));
    }

private:
    void begin() noexcept {
        try {
            const foreign_signal signal = signal_to(wait_);
            bool taken = false;
            try {
                taken = give(signal.handle);
            } catch (...) {
                signal.forget();
                throw;
            }
            if (!taken) {
                signal.forget();
                wait_.complete();
            }
        } catch (...) {
            error_ = std::current_exception();
            wait_.complete();
        }
    }
    // False: it did not suspend after all.
    bool give(std::coroutine_handle<> signal) {
        using given = decltype(awaiter_.await_suspend(signal));
        if constexpr (std::is_void_v<given>) {
            awaiter_.await_suspend(signal);
            return true;
        } else if constexpr (std::is_same_v<given, bool>) {
            return awaiter_.await_suspend(signal);
        } else {
            const std::coroutine_handle<> next = awaiter_.await_suspend(signal);
            next.resume();  // until it waits itself, or has resumed the signal
            return true;
        }
    }

    foreign_wait wait_;
    awaiter awaiter_;
    std::exception_ptr error_;
};

}  // namespace detail

}  // namespace leat
