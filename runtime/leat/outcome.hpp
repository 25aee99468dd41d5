// SPDX-License-Identifier: MIT
// outcome<T>: how a task ended. With a value, with an exception, or cancelled: the third outcome, which
// is not an exception. A coroutine writes its result into one, that of its awaiter or of its task; join() and
// as_outcome() give it.
// Invariant: holds at most one of value and error; `none` until the task has ended.
#pragma once

#include <leat/cancel_reason.hpp>
#include <leat/check.hpp>

#include <exception>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

// Thrown by awaiting another task that was cancelled; its code is std::errc::operation_canceled.
class task_cancelled : public std::system_error {
public:
    explicit task_cancelled(cancel_reason why = cancel_reason::requested);
    [[nodiscard]] cancel_reason why() const noexcept { return why_; }

private:
    cancel_reason why_;
};

enum class ending : unsigned char { none, value, error, cancelled };

namespace detail {

// Throws the error of an outcome that has no value.
[[noreturn]] void throw_ending(ending how, std::exception_ptr error, cancel_reason why);

struct unit {};

template <typename T>
struct storage_of {
    using type = T;
};
template <>
struct storage_of<void> {
    using type = unit;
};
template <typename T>
struct storage_of<T&> {
    using type = T*;
};

}  // namespace detail

template <typename T>
class [[nodiscard]] outcome {
    using stored = typename detail::storage_of<T>::type;

public:
    outcome() noexcept {}
    outcome(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored>) {
        take(std::move(other));
    }
    outcome(const outcome& other)
        requires std::is_copy_constructible_v<stored>
    {
        take(other);
    }
    outcome& operator=(outcome&& other) noexcept(std::is_nothrow_move_constructible_v<stored>) {
        if (this != &other) {
            reset();
            take(std::move(other));
        }
        return *this;
    }
    outcome& operator=(const outcome& other)
        requires std::is_copy_constructible_v<stored>
    {
        return *this = outcome(other);
    }
    ~outcome() {
        if (how_ == ending::error || (how_ == ending::value && !std::is_trivially_destructible_v<stored>)) {
            reset();
        }
    }

    [[nodiscard]] ending how() const noexcept { return how_; }
    [[nodiscard]] bool ok() const noexcept { return how_ == ending::value; }
    [[nodiscard]] bool cancelled() const noexcept { return how_ == ending::cancelled; }
    // Why it was cancelled; none when it ended otherwise.
    [[nodiscard]] cancel_reason why() const noexcept { return cancelled() ? why_ : cancel_reason::none; }
    // The exception, or null when it ended otherwise.
    [[nodiscard]] std::exception_ptr error() const noexcept {
        return how_ == ending::error ? error_ : nullptr;
    }

    // The value; throws the error, or task_cancelled.
    T get() && {
        rethrow_unless_value();
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value_);
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(value_);
        }
    }
    decltype(auto) value() const {
        rethrow_unless_value();
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(*value_);
        } else if constexpr (!std::is_void_v<T>) {
            return static_cast<const T&>(value_);
        }
    }

    template <typename... Arguments>
    void set_value(Arguments&&... arguments) {
        reset();
        construct_value(std::forward<Arguments>(arguments)...);
    }
    // The same for a coroutine, which has no error before that, but may have a value: when it goes on after a
    // destructor has thrown behind a co_return.
    template <typename... Arguments>
    void set_returned(Arguments&&... arguments) {
        if constexpr (!std::is_trivially_destructible_v<stored>) {
            if (how_ != ending::none) [[unlikely]] {
                reset();
            }
        }
        construct_value(std::forward<Arguments>(arguments)...);
    }
    void set_error(std::exception_ptr error) noexcept {
        reset();  // a destructor may throw after co_return
        std::construct_at(&error_, std::move(error));
        how_ = ending::error;
    }
    void set_cancelled(cancel_reason why = cancel_reason::requested) noexcept {
        reset();
        std::construct_at(&why_, why);
        how_ = ending::cancelled;
    }
    void reset() noexcept {
        // First: a destructor that looks here finds nothing, rather than what is dying.
        const ending how = std::exchange(how_, ending::none);
        if (how == ending::error) [[unlikely]] {
            drop_error();
        } else if constexpr (!std::is_trivially_destructible_v<stored>) {
            if (how == ending::value) {
                std::destroy_at(&value_);
            }
        }
    }

private:
    template <typename... Arguments>
    void construct_value(Arguments&&... arguments) {
        if constexpr (std::is_reference_v<T>) {
            std::construct_at(&value_, std::addressof(arguments)...);
        } else {
            std::construct_at(&value_, std::forward<Arguments>(arguments)...);
        }
        how_ = ending::value;
    }
    template <typename Other>
    void take(Other&& other) {
        if (other.how_ == ending::value) {
            std::construct_at(&value_, std::forward<Other>(other).value_);
        } else if (other.how_ == ending::error) {
            std::construct_at(&error_, other.error_);
        } else if (other.how_ == ending::cancelled) {
            std::construct_at(&why_, other.why_);
        }
        how_ = other.how_;
    }
    [[gnu::noinline]] void drop_error() noexcept { std::destroy_at(&error_); }
    void rethrow_unless_value() const {
        if (how_ != ending::value) [[unlikely]] {
            detail::throw_ending(how_, error(), why());
        }
    }

    union {
        stored value_;
        std::exception_ptr error_;
        cancel_reason why_;
    };
    ending how_ = ending::none;
};

}  // namespace leat
