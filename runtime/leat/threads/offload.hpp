// SPDX-License-Identifier: MIT
// offload: runs ordinary functions that block or compute for long on other threads, so that the loop goes on.
//
// All schedulers of a process share one pool of threads. It starts a thread when work comes and none is
// idle, up to a limit; more work waits in the order in which it came. The limit is LEAT_OFFLOAD_THREADS, or
// four more than usable_processors(), at most 32. Threads, once started, live until the process exits. They
// are called leat-offload, take no signals, and run on any processor the process may use. In a simulation
// there is no thread: the loop itself does the work, one after the other, each after a random delay that
// follows from the seed.
//
// At exit(), also by returning from main, all accepted work is finished, queued or begun, and the threads are
// joined; then the statics are destroyed that were there when the pool began. Work that never ends keeps
// exit() from ending; _exit() and quick_exit() wait for nothing. In a child after fork() the pool is empty,
// and what was queued or running at the fork is not done there.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/stored_arguments.hpp>
#include <leat/outcome.hpp>

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace leat {

// At most so many threads run offloaded work from now on; those that run already stay.
void set_offload_threads(unsigned most);

namespace detail {

// What a thread of the pool does, once.
struct offloaded_work : list_link {
    virtual void perform() noexcept = 0;  // the last that the pool does with it

protected:
    ~offloaded_work() = default;
};

// Throws std::system_error when there is no thread for it, and none can be started; std::invalid_argument
// when LEAT_OFFLOAD_THREADS is no number from 1 to 1024.
void begin_offload(offloaded_work& work);
// True: it has not begun, and never will.
[[nodiscard]] bool withdraw_offload(offloaded_work& work) noexcept;

// Work that a task waits for, both in the task's frame.
class offload_wait : public cross_thread_wait, public offloaded_work {
public:
    offload_wait() noexcept : cross_thread_wait(offload_kind) {}
    offload_wait(offload_wait&& fresh) noexcept : cross_thread_wait(std::move(fresh)), offloaded_work() {}
    void begin();

protected:
    ~offload_wait() = default;

private:
    static bool cancel(wait& self) noexcept;
    static const wait_kind offload_kind;
};

template <typename Function>
class [[nodiscard]] offload_awaiter final : public awaiter_of<offload_awaiter<Function>>, offload_wait {
    using T = std::invoke_result_t<Function>;
    static_assert(!is_task<std::remove_cvref_t<T>>, "offload runs ordinary functions: a task is spawned");

public:
    template <typename F>
    explicit offload_awaiter(std::in_place_t, F&& function) : function_(std::forward<F>(function)) {}

    bool await_ready() {
        begin();
        return never_ready();
    }
    void suspend(frame& waiter) noexcept { scheduler::suspend(waiter, *this); }
    T await_resume() { return std::move(result_).get(); }

private:
    void perform() noexcept override {
        try {
            if constexpr (std::is_void_v<T>) {
                std::invoke(std::move(function_));
                result_.set_value();
            } else {
                result_.set_value(std::invoke(std::move(function_)));
            }
        } catch (...) {
            result_.set_error(std::current_exception());
        }
        complete();
    }

    Function function_;
    outcome<T> result_;
};

// Work that nobody waits for. Deletes itself.
class detached_work : public offloaded_work, inbox::message {
public:
    virtual ~detached_work() = default;
    static void begin(std::unique_ptr<detached_work> work);

protected:
    virtual void call() = 0;

private:
    void perform() noexcept final;
    void run() noexcept final;
    void drop() noexcept final { run(); }

    std::shared_ptr<inbox> home_;
    report_function report_ = nullptr;
    std::exception_ptr error_;
};

template <typename Function, typename Stored>
class detached_call;
template <typename Function, typename... Stored>
class detached_call<Function, type_list<Stored...>> final : public detached_work {
public:
    template <typename F, typename... A>
    explicit detached_call(std::in_place_t, F&& function, A&&... arguments)
        : function_(std::forward<F>(function)), arguments_(std::forward<A>(arguments)...) {}

private:
    void call() override {  // into locals, which die here, also when it throws
        Function function = std::move(function_);
        std::tuple<Stored...> arguments = std::move(arguments_);
        (void)std::apply(std::move(function), std::move(arguments));
    }

    Function function_;
    std::tuple<Stored...> arguments_;
};

}  // namespace detail

// co_await offload(function): calls function() on a thread of the pool, and gives what it returns or throws.
// The function, which is moved or copied into the awaiting frame, and all it refers to live until then; it is
// not a coroutine, and must not touch what belongs to the scheduler's thread. Nothing is allocated.
// Cancelled: before the function has begun, it is never called. Once it runs it cannot be stopped: the wait
// goes on to its end and gives its result, and the next wait is the cancelled one.
// Throws std::system_error when there is no thread for it and none can be started.
template <typename Function>
    requires std::invocable<std::decay_t<Function>>
[[nodiscard]] detail::offload_awaiter<std::decay_t<Function>> offload(Function&& function) {
    return detail::offload_awaiter<std::decay_t<Function>>(std::in_place, std::forward<Function>(function));
}

// Calls function(arguments...) on a thread of the pool and returns at once; nobody waits for it, not even the
// end of the run. Function and arguments are copied or moved, and die on that thread; what they refer to by
// pointer, reference or std::ref is not kept alive. What it returns is dropped. What it throws goes to the
// report of the run that it is called in: on that run's thread, or when the run has ended on the pool's.
// Throws as offload does, and std::bad_alloc.
template <typename Function, typename... Arguments>
void offload_detached(Function&& function, Arguments&&... arguments) {
    using stored =
        typename detail::stored_arguments<typename detail::parameters_of<std::decay_t<Function>>::type,
                                          std::decay_t<Arguments>...>::type;
    using work = detail::detached_call<std::decay_t<Function>, stored>;
    detail::detached_work::begin(std::make_unique<work>(std::in_place, std::forward<Function>(function),
                                                        std::forward<Arguments>(arguments)...));
}

}  // namespace leat
