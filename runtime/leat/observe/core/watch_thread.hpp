// SPDX-License-Identifier: MIT
// watch_thread: notices when one step of a task holds the loop for longer than a limit, and reports which
// task it is and where it is: its native stack.
//
// Theory of operation. The loop publishes which step it is in. A thread of its own looks at that now and
// then; a step that it still finds after the limit is asked once, by SIGURG to the loop's thread (ignored
// by default, and not stopped at by debuggers): the handler notes the task and its stack in memory that is
// there already. The thread gives names to the addresses and reports. So report is called on this thread.
// Invariant: while a watch_thread lives SIGURG has our handler and the watched thread does not block it,
// unless a task does; one that comes from elsewhere goes on to the handler before.
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
