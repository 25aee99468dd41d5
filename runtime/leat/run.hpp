// SPDX-License-Identifier: MIT
// run and run_main: run a first task, and all that it spawns, from ordinary code.
#pragma once

#include <leat/backends/choose.hpp>
#include <leat/spawn.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace leat {

struct run_options {
    // "uring", "uring-plain", "epoll", "poll" or "auto"; empty: the environment variable LEAT_BACKEND, else
    // "auto".
    std::string_view backend = {};
    // Called with one line for what the program does not see otherwise, such as the error of a task without a
    // handle. Null: the line goes to standard error, without SIGPIPE if nobody reads that. It is called on
    // the thread of the run; after the run has ended, on the thread that drops the last handle of a failed
    // task, and on a thread of offload_detached.
    report_function report = nullptr;
    // On this signal, such as SIGQUIT, the tasks are reported, a call of `report` for each line of
    // dump_tasks(); 0: on none. The handler is there during the run. Not one that is blocked or belongs to a
    // signal_set. Throws std::invalid_argument for an impossible one.
    int dump_signal = 0;
    // A step of a task that holds the loop for longer is reported, once, with its native stack, by a thread
    // that runs beside the loop; usual_watch_limit is a good choice, zero is none. `report` is then called
    // on that thread too. Functions of a program have names in the stack when it is linked with -rdynamic.
    // SIGURG asks for the stack: during the run its thread does not block it, unless a task does.
    duration watch_limit = {};
    // When the main task has ended all others are cancelled, and awaited. Those that take longer than this,
    // behind a shield or in a cleanup, are reported once, with what they wait for; zero: they are not.
    duration end_grace = std::chrono::seconds(10);
    // Is told what tasks do (observer.hpp). The environment variable LEAT_TRACE names a file where a trace is
    // written; an error that names it is thrown when it cannot be.
    leat::observer* observer = nullptr;
    // Counts operations, bytes and the lengths of turns as well (counters.hpp).
    bool counting = false;
};

inline constexpr duration usual_watch_limit = std::chrono::milliseconds(100);

// Thrown by run() when every task waits and nothing can wake any. what() lists the tasks.
class deadlock : public std::runtime_error {
public:
    explicit deadlock(const std::string& tasks)
        : runtime_error("every task waits and nothing can wake one:\n" + tasks) {}
};

namespace detail {

// The observers of a run that the options and the environment ask for.
class run_observation {
public:
    explicit run_observation(const run_options& options);
    ~run_observation();
    observation how;

private:
    std::unique_ptr<leat::observer> trace_;
};

void print_report(std::string_view line);
// Prints `error` as one line on standard error; returns the exit status 1.
int print_error(const std::exception_ptr& error) noexcept;
void raise_descriptor_limit() noexcept;
// Writes out what the program has left in stdout. Gives `status`, or 1 in place of 0 when what the program
// has printed did not get out, now or before; then one line on standard error says so.
[[nodiscard]] int flush_standard_output(int status) noexcept;

template <typename Function>
using given_by = typename std::invoke_result_t<std::decay_t<Function>&>::value_type;

// run() on a scheduler that is there, of what is spawned with these: a task, or a function and its arguments.
template <typename... Call>
decltype(auto) run_on(scheduler& loop, std::source_location where, Call&&... call) {
    auto main = spawn_call(loop.root(), where, std::forward<Call>(call)...);
    auto& state = main.state();
    loop.run(state);
    state.has_unseen_error = false;
    if (loop.deadlocked() && state.result.cancelled()) {
        throw deadlock(loop.deadlock_dump());
    }
    return std::move(state.result).get();
}

template <typename... Call>
decltype(auto) run_call(const run_options& options, std::source_location where, Call&&... call) {
    const run_observation observed(options);
    scheduler loop(make_backend(options.backend), options.report != nullptr ? options.report : print_report,
                   observed.how);
    return run_on(loop, where, std::forward<Call>(call)...);
}

template <typename... Call>
int run_main_call(const run_options& options, std::source_location where, Call&&... call) noexcept {
    try {
        raise_descriptor_limit();
        if constexpr (std::is_same_v<decltype(run_call(options, where, std::forward<Call>(call)...)), int>) {
            return flush_standard_output(run_call(options, where, std::forward<Call>(call)...));
        } else {
            (void)run_call(options, where, std::forward<Call>(call)...);
            return flush_standard_output(0);
        }
    } catch (...) {
        return print_error(std::current_exception());
    }
}

template <typename T>
concept main_argument = !std::same_as<std::remove_cvref_t<T>, run_options>;

}  // namespace detail

// The backend of this thread's scheduler, in words: its name, what was negotiated, and why a better one
// was refused.
[[nodiscard]] std::string describe_backend();

// Runs `function()`, which gives a task, as the first task of a new scheduler on this thread; returns what
// it returns or throws what it throws. When it has ended all other tasks are cancelled and awaited. Those of
// the descriptors 0, 1 and 2 that are closed when it begins are opened on /dev/null, and stay so: no socket
// becomes standard error.
template <typename Function>
    requires std::invocable<Function>
detail::given_by<Function> run(Function&& function, run_options options = {},
                               std::source_location where = std::source_location::current()) {
    return detail::run_call(options, where, std::forward<Function>(function));
}

template <typename T>
T run(task<T> main, run_options options = {}, std::source_location where = std::source_location::current()) {
    return detail::run_call(options, where, std::move(main));
}

// run() for main(): an error that escapes is printed as one line, and the exit status is 1; otherwise it
// is 0, or the int that the task gives; 1 in place of 0 when what was printed to stdout could not be written,
// as on a full disk. Raises the soft limit of open descriptors to the hard one. A function may have up to
// three arguments, which are copied or moved into its task, as by spawn: run_main(serve, argc, argv).
template <typename X>
int run_main(X&& main, run_options options = {},
             std::source_location where = std::source_location::current()) noexcept {
    return detail::run_main_call(options, where, std::forward<X>(main));
}
template <typename Function, detail::main_argument First>
int run_main(Function&& function, First&& first, run_options options = {},
             std::source_location where = std::source_location::current()) noexcept {
    return detail::run_main_call(options, where, std::forward<Function>(function),
                                 std::forward<First>(first));
}
template <typename Function, detail::main_argument First, detail::main_argument Second>
int run_main(Function&& function, First&& first, Second&& second, run_options options = {},
             std::source_location where = std::source_location::current()) noexcept {
    return detail::run_main_call(options, where, std::forward<Function>(function), std::forward<First>(first),
                                 std::forward<Second>(second));
}
template <typename Function, detail::main_argument First, detail::main_argument Second,
          detail::main_argument Third>
int run_main(Function&& function, First&& first, Second&& second, Third&& third, run_options options = {},
             std::source_location where = std::source_location::current()) noexcept {
    return detail::run_main_call(options, where, std::forward<Function>(function), std::forward<First>(first),
                                 std::forward<Second>(second), std::forward<Third>(third));
}

}  // namespace leat
