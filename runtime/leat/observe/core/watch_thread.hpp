// SPDX-License-Identifier: MIT
// watch_thread: notices when one step of a task holds the loop for longer than a limit, and reports which
// task it is and where it is: its native stack.
//
// Theory of operation. The loop publishes the number of its step, and the watch thread reads it periodically.
// If a step takes longer than the limit, the thread sends SIGURG to the loop's thread, once (it is ignored by
// default, and debuggers do not stop at it): the handler stores the task and its stack in preallocated
// memory. The watch thread looks up the names of the functions and calls report.
// Invariant: while a watch_thread lives SIGURG has our handler and the watched thread does not block it,
// unless a task does; a SIGURG from elsewhere is passed on to the previous handler.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/task_state.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <string>
#include <thread>

#include <semaphore.h>
#include <sys/types.h>

namespace leat::detail {

class watch_thread {
public:
    // Watches the calling thread. Throws std::system_error when there can be no more threads.
    watch_thread(duration limit, report_function report);
    watch_thread(const watch_thread&) = delete;
    watch_thread& operator=(const watch_thread&) = delete;
    ~watch_thread();

    void step_begins(std::uint32_t task) noexcept {
        step_.store(std::uint64_t{++count_} << 32 | task, std::memory_order_relaxed);
    }
    void step_ends() noexcept { step_.store(0, std::memory_order_relaxed); }

    void answer() noexcept;  // in the handler

private:
    // What the handler notes.
    struct noted {
        static constexpr int frames_max = 64;
        std::uint64_t step = 0;
        char name[128] = "";
        std::source_location spawned_at;
        void* frames[frames_max] = {};
        int depth = 0;
    };

    void run();
    void ask(std::uint64_t step);
    [[nodiscard]] bool answered();
    void report_noted() const;

    duration limit_;
    report_function report_;
    pid_t watched_;
    bool was_blocked_ = false;             // SIGURG, in that thread
    std::atomic<std::uint64_t> step_ = 0;  // the count of the step and the task's id; 0 between steps
    std::uint32_t count_ = 0;
    std::atomic<bool> asked_ = false;  // the handler is to note, and has not begun to
    sem_t answered_;                   // posted by the handler, which may use nothing else
    noted noted_;
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace leat::detail
