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
// SIGTERM to the workers, and SIGKILL to those that are left after `grace`. A second one goes to the workers
// too, where serve() ends its own grace. SIGHUP: a rolling restart, in which each worker is told to end only
// when another in its place is ready; and the log file of a daemon is opened anew. One that is ignored when
// prefork() begins is left alone.
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
    // In the worker: gives its exit status. Tells on `ready`, a pipe, when it is ready.
    virtual int work(unsigned index, int ready) = 0;
    // In the supervisor, when it stops: what the workers have is not needed here any more.
    virtual void release() noexcept = 0;

protected:
    ~forked_program() = default;
};

void supervise(unsigned count, forked_program& program, const prefork_options& options);
void worker_is_ready(int ready) noexcept;

}  // namespace detail

// Runs `function(index)`, which gives a task, for each index below `count` in a run() in a process of its
// own; returns when a signal has stopped it and all have ended. 0: as many as usable_processors(). A worker
// that ends, by itself too, is replaced at once, or after a pause if it has not lived for long. It is ready
// when its task waits for the first time. When a worker of the first ones ends before it is ready, the others
// are stopped and std::runtime_error is thrown.
//
// A worker ignores SIGINT and SIGHUP, which a terminal sends to all of them, ends like run_main() and without
// exit handlers, and gets SIGTERM when its supervisor has died. Not inside run(), and before any thread is
// started. Throws std::system_error when a process cannot be started. Linux 5.4 or later.
template <typename Function>
    requires std::invocable<Function&, unsigned>
void prefork(unsigned count, Function function, prefork_options options = {},
             std::source_location where = std::source_location::current()) {
    struct program final : detail::forked_program {
        program(Function&& given, const run_options& each, std::source_location at)
            : function(std::move(given)), options(each), where(at) {}
        int work(unsigned index, int ready) override {
            return detail::run_main_call(options, where, [this, index, ready]() -> task<> {
                auto worker = spawn(std::move(*function), index);
                co_await yield();
                if (!worker.done()) {
                    detail::worker_is_ready(ready);
                }
                co_await worker;
            });
        }
        void release() noexcept override { function.reset(); }
        std::optional<Function> function;
        run_options options;
        std::source_location where;
    };
    program each(std::move(function), options.run, where);
    detail::supervise(count, each, options);
}

}  // namespace leat
