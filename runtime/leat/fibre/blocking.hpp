// SPDX-License-Identifier: MIT
// blocking: runs an ordinary function that blocks, such as one of a driver, in the calling task, while the
// other tasks go on:
//
//   std::string page = co_await leat::blocking([&] { return fetch_with_some_library(url); });
//
// The function runs on this thread, on a stack of its own, a fibre. Where it would block, in a call of the C
// library such as recv or sleep, its task waits instead (docs/blocking.md). Scopes, deadlines, groups,
// task_locals and every backend hold in it as in any task.
#pragma once

#include <leat/core/leaf_awaiter.hpp>
#include <leat/core/stored_arguments.hpp>
#include <leat/fibre/core/fibre.hpp>
#include <leat/fibre/fibre_cancelled.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace leat {

struct blocking_options {
    // Bytes of the stack, rounded up to a power of two. Only what is touched takes memory. A function that
    // needs more dies by SIGSEGV, and a line says so.
    std::size_t stack = std::size_t{256} * 1024;
};

namespace detail {

// Whether `error` says only that calls were refused because of the cancellation.
[[nodiscard]] bool tells_of_refusal(const std::exception_ptr& error) noexcept;

// The fibre that runs `function`, and how that ended.
template <typename Function>
class fibre_call : public awaiter_of<fibre_call<Function>> {
    using T = std::invoke_result_t<Function&>;

public:
    fibre_call(const blocking_options& options, Function& function)
        : function_(function), fibre_(fibre::make(options.stack, perform, this)) {
        fibre_.enter_scope(*this_thread.current);
    }
    fibre_call(const fibre_call&) = delete;
    fibre_call& operator=(const fibre_call&) = delete;
    ~fibre_call() { fibre_.release(); }

    // Each co_await runs the function until it waits, and then until that is over.
    [[nodiscard]] bool ended() const noexcept { return fibre_.ended(); }
    [[gnu::always_inline]] bool await_ready() noexcept {
        fibre_.enter();
        return fibre_.ended();
    }
    static void suspend(frame& /*pump*/) noexcept {}  // the fibre has done it
    static void await_resume() noexcept {}

    // Once it has ended: whether calls were refused, and the function says only that, or what it cannot know.
    [[nodiscard]] bool was_cancelled() noexcept {
        fibre_.leave_scope();
        return fibre_.refused() && this_thread.task->cancelled() &&
               (result_.ok() || tells_of_refusal(result_.error()));
    }
    T take() { return std::move(result_).get(); }

private:
    static void perform(void* self) noexcept { static_cast<fibre_call*>(self)->perform(); }
    void perform() noexcept {
        try {
            if constexpr (std::is_void_v<T>) {
                function_();
                result_.set_value();
            } else {
                result_.set_value(function_());
            }
        } catch (...) {
            result_.set_error(std::current_exception());
        }
    }

    Function& function_;
    outcome<T> result_;
    fibre& fibre_;
};

// The pump.
template <typename Function, typename T = std::invoke_result_t<Function&>>
task<T> run_in_fibre(blocking_options options, Function function) {
    fibre_call<Function> call(options, function);
    while (!call.ended()) {
        co_await call;
    }
    if (call.was_cancelled()) [[unlikely]] {
        co_await checkpoint();  // does not return
    }
    co_return call.take();
}

template <typename Function, typename Stored>
struct blocking_call;
template <typename Function, typename... Stored>
struct blocking_call<Function, type_list<Stored...>> {
    static_assert(std::invocable<Function&, Stored...>,
                  "what blocking runs is called with these arguments, and cannot be (each is the task's own; "
                  "a reference is given by std::ref)");
    using type = stored_call<Function, Stored...>;
};

template <typename X>
concept blocking_function = !std::same_as<std::remove_cvref_t<X>, blocking_options>;

}  // namespace detail

// co_await blocking([options,] function, arguments...): what function(arguments...) returns or throws. The
// task runs it, from its first step on. Function and arguments are copied or moved into the task, as by
// spawn. Throws std::bad_alloc when there is no stack.
//
// Cancelled: the call that the function waits in ends, with -1 and ECANCELED, and from then on every call
// that would block is refused so; nothing is unwound through the function, which returns by itself. When a
// call was refused, what the function returns is dropped, and so is an exception that tells of the refusal
// (fibre_cancelled, or a std::system_error with std::errc::operation_canceled); the task unwinds. Any other
// exception is thrown. When no call was refused the result is delivered.
template <typename Function, typename... Arguments>
[[nodiscard]] auto blocking(blocking_options options, Function&& function, Arguments&&... arguments) {
    using plain = std::decay_t<Function>;
    using stored = typename detail::stored_arguments<typename detail::parameters_of<plain>::type,
                                                     std::decay_t<Arguments>...>::type;
    using call = typename detail::blocking_call<plain, stored>::type;
    using T = std::invoke_result_t<call&>;
    static_assert(!detail::is_task<std::remove_cvref_t<T>>,
                  "blocking runs ordinary functions: a task is awaited");
    return detail::run_in_fibre<call, T>(
        options, call(std::forward<Function>(function), std::forward<Arguments>(arguments)...));
}
template <detail::blocking_function Function, typename... Arguments>
[[nodiscard]] auto blocking(Function&& function, Arguments&&... arguments) {
    return blocking(blocking_options{}, std::forward<Function>(function),
                    std::forward<Arguments>(arguments)...);
}

// Whether the code that runs now is in a function that runs by blocking().
[[nodiscard]] inline bool in_blocking() noexcept {
    return detail::this_fibre.running != nullptr;
}

}  // namespace leat
