// SPDX-License-Identifier: MIT
// prefork: runs a program in several processes that share a listening socket, one for each processor, and
// puts another in the place of each that dies.
//
//   leat::prefork(4, [listener = std::move(listener)](unsigned) mutable {
//       return leat::serve(std::move(listener), echo);
//   });
//
// The supervisor is plain code over poll(2), not a scheduler: each worker is forked from it, and so finds no
// ring, epoll set, task or thread of its parent. The listening socket is bound before, by the supervisor, and
// not one for each worker (SO_REUSEPORT): what waits in its queue when a worker is killed is for the others.
//
// Signals to the supervisor. SIGTERM and SIGINT: it destroys its function, and with it its listener, sends
// SIGTERM to the workers, and SIGKILL to those that are left after `grace`. A second one, half a second later
// or more, goes to the workers too, where serve() ends its own grace. SIGHUP: a rolling restart, in which
// each worker is told to end only when another in its place is ready; and the log file of a daemon is opened
// anew. One that comes while workers start comes after that. One that is ignored when prefork() begins is
// left alone.
#pragma once

#include <leat/run.hpp>
#include <leat/sleep.hpp>
#include <leat/spawn.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <source_location>
#include <utility>

namespace leat {

struct prefork_options {
    run_options run = {};                       // of each worker; `report` is also told of the end of workers
    duration grace = std::chrono::seconds(10);  // for a worker to end in; serve() takes up to 8 s of it
    duration start_limit = std::chrono::seconds(90);  // for a worker to be ready in; else it is told to end
    // A worker is ready when it calls notify_ready(), as one does that waits for something else before it
    // serves, and not already when its task waits for the first time.
    bool ready_by_notify = false;
    // Before a worker is put in the place of one that lived for less than `steady`: twice as long each time.
    duration first_pause = std::chrono::milliseconds(100);
    duration longest_pause = std::chrono::seconds(10);
    duration steady = std::chrono::seconds(10);
    // Called in the supervisor once all workers are ready, before notify_ready(), which prefork() calls.
    void (*on_ready)() = nullptr;
};

namespace detail {

// What a worker does, for the part of prefork() that is compiled once.
class forked_program {
public:
    // In the worker: gives its exit status.
    virtual int work(unsigned index) = 0;
    // In the supervisor, when it stops: what the workers have is not needed here any more.
    virtual void release() noexcept = 0;

protected:
    ~forked_program() = default;
};

void supervise(unsigned count, forked_program& program, const prefork_options& options);
void worker_is_ready() noexcept;

}  // namespace detail

// Runs `function(index)`, which gives a task, for each index below `count` in a run() in a process of its
// own; returns when a signal has stopped it and all have ended. 0: as many as usable_processors(). A worker
// that ends, by itself too, is replaced at once, or after a pause if it has not lived for long.
//
// A worker is ready when its task waits for the first time, as serve() does when it accepts, or when it calls
// notify_ready(). The program is ready when all are. When until then a worker ends before it is ready, or is
// not ready in time, the others are stopped and std::runtime_error is thrown. Later such a worker is
// replaced like any other, and in a rolling restart it ends the restart.
//
// A worker ignores SIGINT and SIGHUP, has a process group of its own, and ends like run_main() and without
// exit handlers. It has a second thread, which waits for the end of the supervisor: then the worker gets
// SIGTERM, and SIGKILL after `grace`. Not inside run(), and before any thread is started. SIGCHLD of other
// children is taken meanwhile. Throws std::system_error when a process cannot be started. Linux 5.3 or later.
template <typename Function>
    requires std::invocable<Function&, unsigned>
void prefork(unsigned count, Function function, prefork_options options = {},
             std::source_location where = std::source_location::current()) {
    struct program final : detail::forked_program {
        program(Function&& given, const prefork_options& each, std::source_location at)
            : function(std::move(given)), options(each), where(at) {}
        int work(unsigned index) override {
            return detail::run_main_call(options.run, where, [this, index]() -> task<> {
                auto worker = spawn(std::move(*function), index);
                co_await yield();
                if (!worker.done() && !options.ready_by_notify) {
                    detail::worker_is_ready();
                }
                co_await worker;
            });
        }
        void release() noexcept override { function.reset(); }
        std::optional<Function> function;
        const prefork_options& options;
        std::source_location where;
    };
    program each(std::move(function), options, where);
    detail::supervise(count, each, options);
}

}  // namespace leat
