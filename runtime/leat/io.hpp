// SPDX-License-Identifier: MIT
// io: what awaiting an operation of the backend means, and the two readiness waits for descriptors that
// leat does not own.
#pragma once

#include <leat/core/leaf_awaiter.hpp>
#include <leat/core/operation.hpp>
#include <leat/result.hpp>

namespace leat {

namespace detail {

// What the kinds of all operations have in common, also for a kind that does more.
bool cancel_operation(wait& self) noexcept;
void explain_operation(const wait& self, wait_facts& facts) noexcept;

extern const wait_kind accept_kind, connect_kind, recv_kind, send_kind, readable_kind, writable_kind;

// Whether this thread runs on a simulation.
[[nodiscard]] bool in_simulation() noexcept;
// Called by functions that need a kernel: throws std::errc::operation_not_supported when this thread runs on
// a simulation, as "a pipe in a simulation: Operation not supported".
void require_kernel(const char* what);

// The result of a finished operation: a count, or an error.
[[nodiscard]] inline result<std::size_t> count_of(const operation& done) noexcept {
    if (done.result < 0) {
        return errno_code(static_cast<int>(-done.result));
    }
    return static_cast<std::size_t>(done.result);
}

}  // namespace detail

// An operation that a coroutine awaits. It is checked for cancellation, then submitted, and suspends only
// if it did not complete at once.
class io_awaiter : public detail::leaf_awaiter<io_awaiter, operation> {
public:
    bool take_now() { return this_thread.loop->io().submit(*this); }

protected:
    using leaf_awaiter::leaf_awaiter;

    // The result of the finished operation: a count, or an error.
    [[nodiscard]] leat::result<std::size_t> count() const noexcept { return detail::count_of(*this); }
};

class [[nodiscard]] readiness_awaiter : public io_awaiter {
public:
    readiness_awaiter(const wait_kind& kind, operation_kind action, int fd) noexcept
        : io_awaiter(kind, action, fd) {}
    leat::result<void> take() const noexcept {
        return operation::result < 0 ? leat::result<void>(errno_code(static_cast<int>(-operation::result)))
                                     : leat::result<void>();
    }
    void await_resume() const { take().value(kind->name); }
};

// Waits until reading from `fd` would not block: there is data, an end or an error. A regular file always
// is. The descriptor stays open until then. Cancelling has no effect on the descriptor.
// Of a socket of leat's (native_handle()) that this run has used, bytes that a cancelled read gave back count
// as well. Bytes held by a pipe, a TLS stream or a socket that has come from another run are not seen: ask
// the stream.
[[nodiscard]] inline readiness_awaiter readable(int fd) noexcept {
    return {detail::readable_kind, operation_kind::readable, fd};
}
// The same for writing.
[[nodiscard]] inline readiness_awaiter writable(int fd) noexcept {
    return {detail::writable_kind, operation_kind::writable, fd};
}

namespace detail {

// as_result(X): what X gives, with a system error as a value. Other exceptions pass.
template <typename X>
class [[nodiscard]] result_awaiter : public awaiter_of<result_awaiter<X>> {
    using inner = awaited<std::remove_cvref_t<X>>;
    using value = typename inner::value_type;

public:
    static constexpr bool refers_to_temporary = is_temporary_awaiter<X>;

    explicit result_awaiter(X&& x) : inner_(std::forward<X>(x)) {}
    bool await_ready() { return inner_.ready(); }
    void suspend(frame& waiter) { inner_.suspend(waiter); }
    [[nodiscard]] result<stored_result<value>> await_resume() {
        try {
            if constexpr (std::is_void_v<value>) {
                inner_.resume();
                return {};
            } else {
                return stored_result<value>(inner_.resume());
            }
        } catch (const std::system_error& error) {
            return {error.code(), std::current_exception()};
        }
    }
    auto defer() && {
        return [kept = std::move(inner_).defer()]() mutable {
            return result_awaiter<decltype(kept)>(std::move(kept));
        };
    }

private:
    inner inner_;
};

// An operation that can give its result without throwing does so.
template <typename X>
    requires requires(X& x) { x.take(); }
class [[nodiscard]] result_awaiter<X> : public awaiter_of<result_awaiter<X>> {
public:
    static constexpr bool refers_to_temporary = is_temporary_awaiter<X>;

    explicit result_awaiter(X&& x) noexcept : inner_(x) {}
    bool await_ready() { return inner_.await_ready(); }
    void suspend(frame& waiter) { inner_.suspend(waiter); }
    [[nodiscard]] auto await_resume() { return inner_.take(); }
    auto defer() && {
        return [kept = defer_awaiter(inner_)]() mutable {
            return result_awaiter<decltype(kept)>(std::move(kept));
        };
    }

private:
    X& inner_;
};

}  // namespace detail

// co_await as_result(X) gives result<T>: the value, or the std::error_code of a std::system_error, whose text
// is its error_text(). Receiving and sending throw nothing on this way.
template <typename X>
[[nodiscard]] detail::result_awaiter<X> as_result(X&& x) {
    return detail::result_awaiter<X>(std::forward<X>(x));
}

}  // namespace leat
