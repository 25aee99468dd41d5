// SPDX-License-Identifier: MIT
#include <leat/dump.hpp>

#include <leat/scheduler.hpp>

#include <source_location>

namespace leat {

namespace {

std::string place(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

std::string state_of(task_state& task) {
    if (task.waiting != nullptr) {
        return std::string("waits for ") + task.waiting->kind->name;
    }
    return this_thread.task == &task ? "runs" : "is ready";
}

void describe(task_state& task, const std::string& indent, std::string& text) {
    text += indent + "task " + std::to_string(task.id) + " (spawned at " + place(task.spawned_at) + ") " +
            state_of(task) + "\n";
    for (frame* at = task.waiting != nullptr ? task.leaf : nullptr; at != nullptr; at = at->parent) {
        text += indent + "    in " + at->where.function_name() + " at " + place(at->where) + "\n";
    }
}

// Every task below `scope`; a task's own scope is the one that its frames did not enter.
void describe_below(scope_node& scope, const std::string& indent, std::string& text) {
    for (scope_node* child = scope.children.first(); child != nullptr; child = scope.children.next(*child)) {
        const bool whole_task = child->task != nullptr && child == &child->task->own;
        if (whole_task) {
            describe(*child->task, indent, text);
        }
        describe_below(*child, whole_task ? indent + "  " : indent, text);
    }
}

}  // namespace

std::string dump_tasks(scheduler& loop) {
    std::string text;
    describe_below(loop.root(), "", text);
    return text;
}

std::string dump_tasks() {
    return dump_tasks(current_scheduler());
}

}  // namespace leat
