// SPDX-License-Identifier: MIT
// task_state: one spawned task, for as long as it runs or a handle refers to it. The scheduler runs it step
// by step, handles refer to it, the tree of scopes owns it. Its result lives in the derived state
// (spawn.hpp). It is a scope: all of the task, which is cancelled through its handle.
// Invariant: a task is running, in the ready queue, or waiting on exactly one wait.
#pragma once

#include <leat/check.hpp>
#include <leat/core/bindings.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/core/small_list.hpp>
#include <leat/core/wait.hpp>
#include <leat/outcome.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

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

// Hears of the end of a task, once: a wait for it, a callback. Leaves task_state::joiners before it dies.
struct joiner : small_list_link {
    using heard_function = void (*)(joiner&) noexcept;
    explicit joiner(heard_function function) noexcept : heard(function) {}

    heard_function heard;  // called with the result there, before anybody who awaits the task runs
};

}  // namespace detail

class task_state : public list_link, public detail::scope_node, public detail::frame_pool::allocated {
public:
    explicit task_state(std::source_location spawned) noexcept
        : scope_node(detail::scope_kind::task), spawned_at(spawned) {}
    task_state(const task_state&) = delete;
    task_state& operator=(const task_state&) = delete;

    [[nodiscard]] detail::scope_node& own() noexcept { return *this; }
    // Whether the task is inside a cancelled scope: no wait may begin.
    [[nodiscard]] bool cancelled() const noexcept { return innermost->cancelled; }

    // Checked by all functions of handles: a task that runs is not for other threads. One that has ended may
    // be passed to another thread.
    void check_home() const noexcept {
        check(done || home_ == this_thread.loop,
              "a task that runs is asked, awaited and cancelled in its own run");
    }
    // Whose task it is, once it has been spawned, and until it is done.
    [[nodiscard]] const scheduler* home() const noexcept { return home_; }
    void begin(const scheduler& in) noexcept { home_ = &in; }
    // Its result is there. Errors that nobody collects go to `report`, also after the run.
    void end(report_function report) noexcept {
        done = true;
        report_ = report;
    }
    // The last reference has gone: an error that nobody has asked for goes to the report.
    void destroy() noexcept {
        if (has_unseen_error) [[unlikely]] {
            report_error(take_unseen_error());
        }
        delete this;
    }
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
    // The last step: destroys the outermost frame, if there is one; without one the task was cancelled. Drops
    // the callable.
    virtual void finish(frame* outermost) noexcept = 0;
    // How it ended, once finish() has been called.
    [[nodiscard]] virtual ending how() const noexcept = 0;
    // The exception that was not collected; at most once, and only if has_unseen_error.
    virtual std::exception_ptr take_unseen_error() noexcept = 0;

    task_phase phase = task_phase::unstarted;
    bool done = false;                  // its result is there, its joiners are told
    bool waited = false;                // an observer has heard that its wait began
    bool has_unseen_error : 1 = false;  // it has failed, and nobody has collected or reported that
    bool taken : 1 = false;             // its value has been moved out
    std::uint8_t unused : 6 = 0;        // as in scope_node
    frame* leaf = nullptr;              // the suspended frame: resumed next, or unwound from
    wait* waiting = nullptr;            // what the leaf waits for; null when running or ready
    detail::scope_node* innermost = this;
    detail::small_list<detail::joiner> joiners;
    detail::bindings bindings;  // of task_locals; what its spawner had then, and what it binds itself
    std::source_location spawned_at;
    std::uint64_t since = 0;  // the tick (ticks.hpp) of the turn in which its wait began
    std::uint32_t id = 0;
    std::uint32_t references = 1;  // reference.hpp; the first is the task's own, until it has ended

protected:
    virtual ~task_state() = default;

private:
    union {
        const scheduler* home_ = nullptr;
        report_function report_;  // once it is done: of its run, which it may outlive
    };
    struct dropped_name {
        void operator()(const std::string* name) const noexcept;
    };
    std::unique_ptr<const std::string, dropped_name> name_;  // of few
};

namespace detail {

// The current frame has completed: the loop goes on with the frame that awaits it, or ends the task.
inline void end_frame(frame& ended) noexcept {
    if (ended.parent != nullptr) {
        this_thread.next = ended.parent;
    } else {
        this_thread.task->phase = task_phase::ended;
        this_thread.task->leaf = &ended;
    }
}

inline task_state* scope_node::task_inside() const noexcept {
    return is_task() ? const_cast<task_state*>(static_cast<const task_state*>(this))
                     : static_cast<const entered_scope*>(this)->inside;
}

inline void entered_scope::enter(task_state& entering) noexcept {
    check(parent == entering.innermost, "a cancel scope is entered below the innermost one");
    inside = &entering;
    entering.innermost = this;
    if (kind == scope_kind::binding) [[unlikely]] {
        entering.bindings.push(std::move(static_cast<binding_scope*>(this)->bound));
    }
}

inline void entered_scope::leave() noexcept {
    check(inside->innermost == this, "cancel scopes are left in the reverse order of entering");
    task_state& left = *std::exchange(inside, nullptr);
    left.innermost = parent;
    entered_by = nullptr;
    if (kind == scope_kind::binding) [[unlikely]] {
        left.bindings.pop();
    }
}

}  // namespace detail

}  // namespace leat
