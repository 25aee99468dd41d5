// SPDX-License-Identifier: MIT
// task<T>: a coroutine that is awaited once and gives a T, void or a reference. It is lazy: nothing runs
// before it is awaited or spawned. Coroutines of programs are tasks.
// Invariant: a task owns its frame until it is awaited; from then on the chain of frames does (frame.hpp).
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error "leat needs g++ 13 or clang: older g++ miscompiles coroutines."
#endif

#include <leat/core/awaited.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/task_state.hpp>
#include <leat/outcome.hpp>

#include <coroutine>
#include <source_location>
#include <utility>

namespace leat {

namespace detail {

// A coroutine that ends is not destroyed here: the loop resumes the frame that awaited it, or ends the
// task, and the result is taken and the frame destroyed there.
struct final_awaiter : awaiter_of<final_awaiter> {
    static bool await_ready() noexcept { return false; }
    static void suspend(frame& ended) noexcept { end_frame(ended); }
    static void await_resume() noexcept {}
};

struct promise_base : frame {
    static std::suspend_always initial_suspend() noexcept { return {}; }
    static final_awaiter final_suspend() noexcept { return {}; }

    // Our awaiters are bound where they stand, in the frame, and never moved.
    template <our_awaiter Awaiter>
    Awaiter& await_transform(Awaiter&& awaiter,
                             std::source_location here = std::source_location::current()) noexcept {
        where = here;
        return awaiter;
    }
    // Tasks, handles, callables that give a task, and what other libraries have made to be awaited.
    template <awaitable_value Value>
    auto await_transform(Value&& value, std::source_location here = std::source_location::current()) {
        where = here;
        return value_awaiter<Value>(std::forward<Value>(value));
    }
    // Anything else cannot be awaited. The compiler prints one sentence instead of a list of candidates.
    template <typename Value>
        requires(!our_awaiter<Value> && !awaitable_value<Value>)
    std::suspend_never await_transform(Value&& /*value*/) {
        static_assert(!is_task<std::remove_cvref_t<Value>>,
                      "a task is awaited once: move it, co_await std::move(task)");
        static_assert(is_task<std::remove_cvref_t<Value>>,
                      "what is awaited is an awaitable, a task, or a callable that gives one");
        return {};
    }

    // A destructor that throws while the frame is destroyed ends up here as well, and nothing could go on.
    static std::exception_ptr escaped_exception() noexcept {
        check(!unwinding(), "a destructor does not throw while its task unwinds");
        return std::current_exception();
    }

    static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept { frame_pool::release(block, size); }
};

template <typename T>
struct promise : promise_base {
    template <typename U = T>  // for `co_return {a, b}`
    void return_value(U&& value) {
        result->set_returned(std::forward<U>(value));
    }
    void unhandled_exception() noexcept { result->set_error(escaped_exception()); }
    outcome<T>* result = nullptr;  // of who awaits it, or of its task; from its first step on
};

template <>
struct promise<void> : promise_base {
    void return_void() noexcept { result->set_returned(); }
    void unhandled_exception() noexcept { result->set_error(escaped_exception()); }
    outcome<void>* result = nullptr;
};

}  // namespace detail

template <typename T = void>
class [[nodiscard]] task {
public:
    using value_type = T;

    struct promise_type : detail::promise<T> {
        task get_return_object() noexcept {
            static_assert(is_placed_as_frame<promise_type>);
            return task(*this);
        }
    };

    task() noexcept = default;
    task(task&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            reset();
            promise_ = std::exchange(other.promise_, nullptr);
        }
        return *this;
    }
    ~task() { reset(); }

    // Whether there is a coroutine: it has not been moved from, awaited or spawned.
    [[nodiscard]] bool valid() const noexcept { return promise_ != nullptr; }

    // Gives up ownership of the frame; for the runtime.
    [[nodiscard]] promise_type* release() noexcept { return std::exchange(promise_, nullptr); }

private:
    explicit task(promise_type& promise) noexcept : promise_(&promise) {}
    void reset() noexcept {
        if (promise_type* promise = release()) {
            promise->coroutine().destroy();
        }
    }

    promise_type* promise_ = nullptr;
};

}  // namespace leat
