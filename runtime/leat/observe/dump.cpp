// SPDX-License-Identifier: MIT
#include <leat/observe/dump.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/observe/core/dump_tree.hpp>
#include <leat/observe/core/user_frame.hpp>

#include <algorithm>
#include <vector>

namespace leat {

namespace {

using namespace detail;

// "850 us", "12 ms", "3.4 s".
std::string in_words(duration length) {
    using namespace std::chrono_literals;
    if (length < 1ms) {
        return std::to_string(length / 1us) + " us";
    }
    if (length < 1s) {
        return std::to_string(length / 1ms) + " ms";
    }
    const std::string tenths = length < 100s ? "." + std::to_string(length / 100ms % 10) : "";
    return std::to_string(length / 1s) + tenths + " s";
}

std::string until(time_point deadline, time_point now) {
    return deadline > now ? "in " + in_words(deadline - now) : "now";
}

// Deeper trees are shown at this depth, or their dump would be mostly blanks.
constexpr std::size_t indented_max = 30;

class writer {
public:
    writer(scheduler& loop, dump_options options)
        : options_(options), loop_(loop), scale_(loop.ticks()), now_(loop.io().now()) {}

    std::string text;

    void add(const dump_entry& entry) {
        while (!folded_.empty() && folded_.back() >= entry.depth) {
            folded_.pop_back();
        }
        if (entry.task == nullptr && is_folded(*entry.group)) {
            folded_.push_back(entry.depth);
            return;
        }
        const std::string indent(2 * std::min(entry.depth - folded_.size(), indented_max), ' ');
        text += indent;
        if (entry.task == nullptr) {
            add_group(entry);
        } else {
            add_task(entry, indent);
        }
    }

private:
    // Whether a group is not shown, as it is the library's own: its tasks stand below the task that has it.
    [[nodiscard]] bool is_folded(const detail::scope_node& group) const noexcept {
        const frame* const opener = opener_of(group);
        return !options_.all_frames && opener != nullptr && is_in_library(opener->where);
    }

    void add_group(const dump_entry& entry) {
        text += entry.group == &loop_.background() ? "background" : "group";
        if (const frame* const opener = opener_of(*entry.group)) {
            text += " opened at " + place(opener->where);
        }
        text += " (" + std::to_string(entry.size) + (entry.size == 1 ? " task)\n" : " tasks)\n");
    }

    void add_task(const dump_entry& entry, const std::string& indent) {
        const task_state& task = *entry.task;
        text += "task " + std::to_string(task.id);
        if (!task.name().empty()) {
            text += " \"" + std::string(task.name()) + "\"";
        }
        text += " (spawned at " + place(task.spawned_at) + ") ";
        add_state(task);
        if (entry.canceller != nullptr) {
            text += "; cancelled with " + name_of(*entry.canceller) + ": ";
            text += entry.canceller->why().text();
        } else if (entry.deadline != never) {
            text += "; deadline " + until(entry.deadline, now_);
        }
        text += "\n";
        if (this_thread.task != &task) {  // the frames of one that runs are on the stack
            for (const frame* at = task.leaf; at != nullptr; at = at->parent) {
                add_native_calls(task, *at, indent);
                if (options_.all_frames || !is_in_library(at->where)) {
                    text += indent + "    in " + at->where.function_name() + " at " + place(at->where) + "\n";
                }
            }
        }
    }

    // Of a function that runs by blocking(): there is no line.
    void add_native_calls(const task_state& task, const frame& pump, const std::string& indent) {
        for (const std::string& call : native_calls(task, pump)) {
            if (options_.all_frames || !call.starts_with("leat::detail::")) {
                text += indent + "    in " + call + "\n";
            }
        }
    }

    void add_state(const task_state& task) {
        switch (state_of(task)) {
            case dump_state::running:
                text += "runs";
                break;
            case dump_state::ready:
                text += task.phase == task_phase::unstarted ? "is ready to start" : "is ready";
                break;
            case dump_state::unwinding:
                text += "unwinds";
                break;
            case dump_state::waiting:
                add_wait(explain(task, loop_, scale_));
                break;
        }
    }

    void add_wait(const explained_wait& leaf) {
        text += "waits for " + std::string(leaf.what);
        if (leaf.awaited != nullptr) {
            text += ", task " + std::to_string(leaf.awaited->id);
        }
        if (leaf.object != nullptr) {
            text += " at " + address_in_words(leaf.object);
        }
        if (leaf.held_by != 0) {
            text += " held by task " + std::to_string(leaf.held_by);
        }
        if (leaf.descriptor) {
            text += " on descriptor " + std::to_string(*leaf.descriptor);
        }
        if (!leaf.local.empty()) {
            text += ", local " + leaf.local;
        }
        if (!leaf.peer.empty()) {
            text += ", peer " + leaf.peer;
        }
        if (leaf.bytes_done) {
            text += ", " + std::to_string(*leaf.bytes_done) + " of " + std::to_string(*leaf.bytes_wanted) +
                    " bytes done";
        }
        if (leaf.deadline != never) {
            text += ", over " + until(leaf.deadline, now_);
        }
        text += ", for " + in_words(leaf.age);
    }

    dump_options options_;
    std::vector<std::size_t> folded_;  // the depths of the groups around the entry that are not shown
    scheduler& loop_;
    detail::tick_clock::scale scale_;
    time_point now_;
};

}  // namespace

std::string dump_tasks(scheduler& loop, dump_options options) {
    writer written(loop, options);
    for (const detail::dump_entry& entry : detail::tasks_by_owner(loop)) {
        written.add(entry);
    }
    return std::move(written.text);
}

std::string dump_tasks(dump_options options) {
    return dump_tasks(current_scheduler(), options);
}

}  // namespace leat
