// SPDX-License-Identifier: MIT
// result<T>: a value, or the std::error_code that explains why there is none. It is what the kernel and
// peers answer; `co_await as_result(operation)` gives one instead of throwing.
// Invariant: exactly one of value and error is present; an error is never the zero code.
#pragma once

#include <leat/check.hpp>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace leat {

// The error_code of a positive errno value.
[[nodiscard]] inline std::error_code errno_code(int value) noexcept {
    return {value, std::system_category()};
}

namespace detail {

// Throws std::system_error(error, context).
[[noreturn]] void throw_error(std::error_code error, const char* context);

}  // namespace detail

template <typename T>
class [[nodiscard]] result {
public:
    using value_type = T;

    result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    result(std::error_code error) noexcept : error_(error) {
        check(static_cast<bool>(error), "a result's error is not the zero code");
    }

    [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] std::error_code error() const noexcept { return error_; }

    // The value; throws std::system_error(error(), context) when there is none.
    T& value(const char* context = "") & {
        demand(context);
        return *value_;
    }
    T value(const char* context = "") && {
        demand(context);
        return std::move(*value_);
    }
    const T& value(const char* context = "") const& {
        demand(context);
        return *value_;
    }
    T& operator*() & noexcept {
        check(ok(), "a result that is an error has no value");
        return *value_;
    }
    const T& operator*() const& noexcept {
        check(ok(), "a result that is an error has no value");
        return *value_;
    }
    T* operator->() noexcept { return &**this; }
    const T* operator->() const noexcept { return &**this; }

private:
    void demand(const char* context) const {
        if (!ok()) [[unlikely]] {
            detail::throw_error(error_, context);
        }
    }

    std::optional<T> value_;
    std::error_code error_;
};

template <>
class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(std::error_code error) noexcept : error_(error) {}

    [[nodiscard]] bool ok() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return ok(); }
    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    void value(const char* context = "") const {
        if (!ok()) [[unlikely]] {
            detail::throw_error(error_, context);
        }
    }

private:
    std::error_code error_;
};

}  // namespace leat
