// SPDX-License-Identifier: MIT
// as_outcome: how an awaitable ended, as a value: with a result, with an exception, or cancelled.
#pragma once

#include <leat/core/awaited.hpp>

#include <exception>
#include <utility>

namespace leat {

namespace detail {

template <typename X>
class [[nodiscard]] outcome_awaiter : public awaiter_of<outcome_awaiter<X>> {
    using inner = awaited<std::remove_cvref_t<X>>;
    using T = typename inner::value_type;

public:
    static constexpr bool refers_to_temporary = is_temporary_awaiter<X>;

    explicit outcome_awaiter(X&& x) : inner_(std::forward<X>(x)) {}
    bool await_ready() noexcept {
        try {
            return inner_.ready();
        } catch (...) {
            failed_ = std::current_exception();
            return true;
        }
    }
    void suspend(frame& waiter) { inner_.suspend(waiter); }
    // The outcome is made where it is returned: a move of the value may throw.
    [[nodiscard]] outcome<T> await_resume() noexcept {
        outcome<T> ended;
        if (failed_ != nullptr) {
            ended.set_error(std::move(failed_));
            return ended;
        }
        take_outcome(inner_, ended);
        if constexpr (is_handle<std::remove_cvref_t<X>>) {
            if (const cancel_reason why = inner_.cancelled_because(); why.given()) {
                ended.set_cancelled(why);
            }
        }
        return ended;
    }
    auto defer() && {
        return [kept = std::move(inner_).defer()]() mutable {
            return outcome_awaiter<decltype(kept)>(std::move(kept));
        };
    }

private:
    inner inner_;
    std::exception_ptr failed_;  // to begin
};

}  // namespace detail

// co_await as_outcome(X) gives outcome<T>: the value of X, the exception it threw, or that it is a task which
// was cancelled and why. Exceptions of X are not thrown. When the awaiting task itself is cancelled it does
// not return, as any other wait.
template <typename X>
[[nodiscard]] detail::outcome_awaiter<X> as_outcome(X&& x) {
    return detail::outcome_awaiter<X>(std::forward<X>(x));
}

}  // namespace leat
