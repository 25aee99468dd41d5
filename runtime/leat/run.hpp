// SPDX-License-Identifier: MIT
// run and run_main: the doors from ordinary code into coroutines.
#pragma once

#include <leat/backends/choose.hpp>
#include <leat/spawn.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace leat {

struct run_options {
    // "uring", "epoll", or "auto"; empty: the environment variable LEAT_BACKEND, else "auto".
    std::string_view backend = {};
    // Hears what nobody else will, such as the error of a task without a handle. Null: one line on
    // standard error. It is called on the thread of the run; after the run has ended by whoever drops the
    // last handle of a failed task, and by a thread of offload_detached.
    report_function report = nullptr;
};

// Thrown by run() when every task waits and nothing can wake one. what() lists them.
class deadlock : public std::runtime_error {
public:
    explicit deadlock(const std::string& tasks)
        : runtime_error("every task waits and nothing can wake one:\n" + tasks) {}
};

namespace detail {

void print_report(std::string_view line);
// Prints `error` as one line on standard error; returns the exit status 1.
int print_error(const std::exception_ptr& error) noexcept;
void raise_descriptor_limit() noexcept;

template <typename Function>
using given_by = typename std::invoke_result_t<std::decay_t<Function>&>::value_type;

// run() on a scheduler that is there.
template <typename Function, typename T = given_by<Function>>
T run_on(scheduler& loop, std::source_location where, Function&& function) {
    auto main = spawn_call(loop.root(), where, std::forward<Function>(function));
    task_state_of<T>& state = main.state();
    loop.run(state);
    state.seen = true;
    if (loop.deadlocked() && state.result.cancelled()) {
        throw deadlock(loop.deadlock_dump());
    }
    return std::move(state.result).get();
}

}  // namespace detail

// The backend of this thread's scheduler, in words: its name, what was negotiated, and why a better one
// was refused.
[[nodiscard]] std::string describe_backend();

// Runs `function()`, which gives a task, as the first task of a new scheduler on this thread; returns what
// it returns or throws what it throws. When it has ended all other tasks are cancelled and awaited.
template <typename Function>
    requires std::invocable<Function>
detail::given_by<Function> run(Function&& function, run_options options = {},
                               std::source_location where = std::source_location::current()) {
    scheduler loop(make_backend(options.backend),
                   options.report != nullptr ? options.report : detail::print_report);
    return detail::run_on(loop, where, std::forward<Function>(function));
}

template <typename T>
T run(task<T> main, run_options options = {}, std::source_location where = std::source_location::current()) {
    return run(detail::prepared<T>{std::move(main)}, options, where);
}

// run() for main(): an error that escapes is printed as one line, and the exit status is 1; otherwise it
// is 0, or the int that the task gives. Raises the soft limit of open descriptors to the hard one.
template <typename X>
int run_main(X&& main, run_options options = {}) noexcept {
    try {
        detail::raise_descriptor_limit();
        using T = decltype(run(std::forward<X>(main), options));
        if constexpr (std::is_same_v<T, int>) {
            return run(std::forward<X>(main), options);
        } else {
            run(std::forward<X>(main), options);
            return 0;
        }
    } catch (...) {
        return detail::print_error(std::current_exception());
    }
}

}  // namespace leat
