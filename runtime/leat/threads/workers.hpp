// SPDX-License-Identifier: MIT
// run_workers: runs a program on several processors: one scheduler for each thread, each with its own tasks.
// A server runs serve() in each, on listeners bound with reuse_port; workers talk through thread_channel and
// remote.
//
// Signals. The workers' threads block all signals, so that handlers run in the calling thread. While a
// signal_set lives in any worker, its signals are blocked in the calling thread too; a signal to the process
// is then given to every worker that has a signal_set for it or makes one later. So SIGTERM stops serve() in
// all workers. A signal that no signal_set wants does what it does without workers. Other threads of the
// program should block the signals that workers wait for (see signal_set).
#pragma once

#include <leat/run.hpp>

#include <functional>
#include <utility>

namespace leat {

struct worker_options {
    run_options run = {};  // of each worker
    bool pin = false;      // each thread stays on one of the processors that the process may use
};

namespace detail {

// What each worker's thread does: a run(), in whose first task worker_begins() is called first.
class worker_program {
public:
    virtual void work(unsigned index) const = 0;

protected:
    ~worker_program() = default;
};

void run_worker_threads(unsigned count, const worker_program& program, const worker_options& options);
void worker_begins();

}  // namespace detail

// Runs `function(index)`, which gives a task<>, for each index below `count` in a run() on a thread of its
// own, called leat-worker-INDEX, and returns when all have ended. 0: as many as usable_processors(). Each
// worker has a copy of the function. The first exception that a worker's run() throws cancels the tasks of
// the others; when they have ended it is thrown from here, and what others threw goes to the report.
// Throws std::system_error when a thread cannot be started. Not inside run(): it blocks.
template <typename Function>
    requires std::invocable<Function&, unsigned>
void run_workers(unsigned count, Function function, worker_options options = {},
                 std::source_location where = std::source_location::current()) {
    struct program final : detail::worker_program {
        program(Function&& given, const run_options& each, std::source_location at)
            : function(std::move(given)), options(each), where(at) {}
        void work(unsigned index) const override {
            auto body = [copy = function, index]() mutable -> task<> {
                detail::worker_begins();
                co_await std::invoke(copy, index);
            };
            leat::run(std::move(body), options, where);
        }
        Function function;
        run_options options;
        std::source_location where;
    };
    const program each(std::move(function), options.run, where);
    detail::run_worker_threads(count, each, options);
}

}  // namespace leat
