// SPDX-License-Identifier: MIT
// result<T>: a value, or the std::error_code that explains why there is none. It is for what the kernel and
// peers may refuse; `co_await as_result(operation)` gives one instead of throwing. An error that an operation
// has told with its context, such as the name of the peer, keeps that: error_text().
// Invariant: exactly one of value and error is present; an error is never the zero code.
#pragma once

#include <leat/check.hpp>

#include <cerrno>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace leat {

// The error_code of a positive errno value.
[[nodiscard]] inline std::error_code errno_code(int value) noexcept {
    return {value, std::system_category()};
}

namespace detail {

// What results have in common: the error, and the exception that told it, if one did.
class result_error {
public:
    [[nodiscard]] std::error_code error() const noexcept { return code_; }
    // The whole sentence: "connect to 10.0.0.1:80: Connection refused" where the operation has told it so,
    // which connect and the like do, else the message of error(). Empty when there is a value.
    [[nodiscard]] std::string error_text() const;

protected:
    result_error() noexcept = default;
    result_error(std::error_code code, std::exception_ptr thrown) noexcept
        : code_(code), thrown_(std::move(thrown)) {}
    // What value() throws.
    [[noreturn]] void throw_error(const char* context) const;

private:
    std::error_code code_;
    std::exception_ptr thrown_;  // a std::system_error of code_
};

}  // namespace detail

template <typename T>
class [[nodiscard]] result : public detail::result_error {
public:
    using value_type = T;

    result(T value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    // `thrown`: the std::system_error of that code, where there was one.
    result(std::error_code error, std::exception_ptr thrown = nullptr) noexcept
        : result_error(error, std::move(thrown)) {
        check(static_cast<bool>(error), "a result's error is not the zero code");
    }

    [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }

    // The value. When there is none: throws the exception that the operation has thrown, else
    // std::system_error(error(), context).
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
            throw_error(context);
        }
    }

    std::optional<T> value_;
};

template <>
class [[nodiscard]] result<void> : public detail::result_error {
public:
    using value_type = void;

    result() noexcept = default;
    result(std::error_code error, std::exception_ptr thrown = nullptr) noexcept
        : result_error(error, std::move(thrown)) {}

    [[nodiscard]] bool ok() const noexcept { return !error(); }
    explicit operator bool() const noexcept { return ok(); }
    void value(const char* context = "") const {
        if (!ok()) [[unlikely]] {
            throw_error(context);
        }
    }
};

}  // namespace leat
