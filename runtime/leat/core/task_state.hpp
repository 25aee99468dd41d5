// SPDX-License-Identifier: MIT
// task_state: one spawned task, for as long as it runs or a handle refers to it. The scheduler runs it step
// by step, handles refer to it, the tree of scopes owns it. Its result lives in the derived state
// (spawn.hpp).
// Invariant: a task is running, in the ready queue, or waiting on exactly one wait.
#pragma once

#include <leat/check.hpp>
#include <leat/core/bindings.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/core/wait.hpp>
#include <leat/outcome.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

namespace leat {

// Takes a report of the library: one line, without newline. Must not throw.
using report_function = void (*)(std::string_view line);

enum class task_phase : std::uint8_t {
    unstarted,
    started,
    unwinding,  // its last wait ended as cancelled: the next step unwinds
    ended,      // its outermost frame has completed, or all were unwound
};

namespace detail {

// Hears of the end of a task, once: a wait for it, a callback. Leaves (unlink) before it dies.
struct joiner : list_link {
    using heard_function = void (*)(joiner&) noexcept;
    explicit joiner(heard_function function) noexcept : heard(function) {}

    heard_function heard;  // called with the result there, before anybody who awaits the task runs
};

}  // namespace detail

class task_state : public list_link, public detail::frame_pool::allocated {
public:
    explicit task_state(std::source_location spawned) noexcept : spawned_at(spawned) { own.task = this; }
    task_state(const task_state&) = delete;
    task_state& operator=(const task_state&) = delete;

    // Whether the task is inside a cancelled scope: no wait may begin.
    [[nodiscard]] bool cancelled() const noexcept { return innermost->cancelled; }

    // Checked by all functions of handles: a task that runs is not for other threads. One that has ended may
    // be passed to another thread.
    void check_home() const noexcept {
        check(done || home == this_thread.loop || home == nullptr,
              "a task that runs is asked, awaited and cancelled in its own run");
    }
    // The last reference has gone: an error that nobody has asked for goes to the report.
    void destroy() noexcept;
    // Lets `last` hear when the task has ended, after those that asked before: at once, if it has.
    void join(detail::joiner& last) noexcept {
        if (done) {
            last.heard(last);
        } else {
            joiners.push_back(last);
        }
    }
    // What dumps and reports call it beside its id; empty for most. Throws std::bad_alloc.
    void set_name(std::string_view text);
    [[nodiscard]] std::string_view name() const noexcept {
        return name_ == nullptr ? std::string_view() : std::string_view(*name_);
    }

    // Reports `error`, which this task ended with and which was not collected.
    void report_error(const std::exception_ptr& error) const noexcept;

    // The first step: makes the outermost frame, or ends the task if that fails.
    virtual void start() noexcept = 0;
    // The last step: takes the result out of the outermost frame and destroys the frame, if there is one;
    // without one the task was cancelled. Drops the callable.
    virtual void finish(frame* outermost) noexcept = 0;
    // How it ended, once finish() has been called.
    [[nodiscard]] virtual ending how() const noexcept = 0;
    // The exception that was not collected, at most once.
    virtual std::exception_ptr take_unseen_error() noexcept = 0;

    frame* leaf = nullptr;    // the suspended frame: resumed next, or unwound from
    wait* waiting = nullptr;  // what the leaf waits for; null when running or ready
    detail::scope_node* innermost = &own;
    detail::scope_node own;  // all of the task; cancelled through its handle
    list<detail::joiner> joiners;
    detail::bindings bindings;  // of task_locals; what its spawner had then, and what it binds itself
    std::source_location spawned_at;
    const scheduler* home =
        nullptr;              // whose task it is, once it has been spawned; perhaps gone when it is done
    std::uint64_t since = 0;  // the tick (ticks.hpp) of the turn in which its wait began
    report_function report = nullptr;  // of its run, which it may outlive
    std::uint32_t id = 0;
    std::uint32_t references = 1;  // reference.hpp; the first is the task's own, until it has ended
    task_phase phase = task_phase::unstarted;
    bool waited = false;  // an observer has heard that its wait began
    bool done = false;    // its result is there, its joiners are told

protected:
    virtual ~task_state() = default;

private:
    std::unique_ptr<const std::string> name_;
};

}  // namespace leat
