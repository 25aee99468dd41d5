// SPDX-License-Identifier: MIT
#include <leat/core/json_text.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/observe/core/dump_tree.hpp>
#include <leat/observe/dump.hpp>

namespace leat {

namespace {

using namespace detail;

std::string_view name_of_state(dump_state state) noexcept {
    switch (state) {
        case dump_state::running:
            return "running";
        case dump_state::ready:
            return "ready";
        case dump_state::waiting:
            return "waiting";
        case dump_state::unwinding:
            return "unwinding";
    }
    return "";
}

class json_writer {
public:
    explicit json_writer(scheduler& loop) : loop_(loop), scale_(loop.ticks()), now_(loop.io().now()) {}

    std::string write() {
        json_.begin_object();
        json_.key("backend").value(loop_.io().describe().name);
        json_.key("tasks").begin_array();
        std::size_t depth = 0;
        for (const dump_entry& entry : tasks_by_owner(loop_)) {
            for (; depth > entry.depth; --depth) {
                end_entry();
            }
            begin(entry);
            ++depth;
        }
        for (; depth > 0; --depth) {
            end_entry();
        }
        json_.end_array();
        json_.end_object();
        return std::move(json_.text);
    }

private:
    // An entry stays open for its children.
    void begin(const dump_entry& entry) {
        json_.begin_object();
        json_.key("kind").value(entry.task != nullptr ? std::string_view("task") : "group");
        if (entry.task != nullptr) {
            add_task(entry);
        } else {
            json_.key("background").value(entry.group == &loop_.background());
            json_.key("size").value(entry.size);
            if (const frame* const opener = opener_of(*entry.group)) {
                json_.key("opened_at");
                add_place(opener->where);
            }
        }
        json_.key("children").begin_array();
    }
    void end_entry() {
        json_.end_array();
        json_.end_object();
    }

    void add_task(const dump_entry& entry) {
        const task_state& task = *entry.task;
        const dump_state state = state_of(task);
        json_.key("id").value(task.id);
        if (!task.name().empty()) {
            json_.key("name").value(task.name());
        }
        json_.key("spawned_at");
        add_place(task.spawned_at);
        json_.key("state").value(name_of_state(state));
        if (state == dump_state::waiting) {
            json_.key("wait");
            add_wait(explain(task, loop_, scale_));
        }
        add_deadline(entry.deadline);
        if (entry.canceller != nullptr) {
            json_.key("cancelled").begin_object();
            json_.key("reason").value(entry.canceller->why().text());
            json_.key("by").value(name_of(*entry.canceller));
            json_.end_object();
        }
        const frame* const leaf = this_thread.task != &task ? task.leaf : nullptr;
        json_.key("awaits").begin_array();
        for (const frame* at = leaf; at != nullptr; at = at->parent) {
            add_place(at->where);
        }
        json_.end_array();
        add_native_calls(task, leaf);
    }

    void add_native_calls(const task_state& task, const frame* leaf) {
        std::vector<std::string> calls;
        for (const frame* at = leaf; at != nullptr; at = at->parent) {
            const std::vector<std::string> some = native_calls(task, *at);
            calls.insert(calls.end(), some.begin(), some.end());
        }
        if (!calls.empty()) {
            json_.key("native").begin_array();
            for (const std::string& call : calls) {
                json_.value(call);
            }
            json_.end_array();
        }
    }

    void add_wait(const explained_wait& leaf) {
        json_.begin_object();
        json_.key("for").value(leaf.what);
        json_.key("age_ns").value(leaf.age.count());
        if (leaf.descriptor) {
            json_.key("descriptor").value(*leaf.descriptor);
        }
        if (!leaf.local.empty()) {
            json_.key("local").value(leaf.local);
        }
        if (!leaf.peer.empty()) {
            json_.key("peer").value(leaf.peer);
        }
        if (leaf.bytes_done) {
            json_.key("bytes_done").value(*leaf.bytes_done);
            json_.key("bytes_wanted").value(*leaf.bytes_wanted);
        }
        add_deadline(leaf.deadline);
        if (leaf.awaited != nullptr) {
            json_.key("task").value(leaf.awaited->id);
        }
        if (leaf.object != nullptr) {
            json_.key("object").value(address_in_words(leaf.object));
        }
        if (leaf.held_by != 0) {
            json_.key("held_by").value(leaf.held_by);
        }
        json_.end_object();
    }

    void add_deadline(time_point deadline) {
        if (deadline != never) {
            json_.key("deadline_ns").value((deadline - now_).count());
        }
    }

    void add_place(const std::source_location& where) {
        json_.begin_object();
        json_.key("function").value(where.function_name());
        json_.key("file").value(where.file_name());
        json_.key("line").value(where.line());
        json_.end_object();
    }

    scheduler& loop_;
    detail::tick_clock::scale scale_;
    time_point now_;
    json_text json_;
};

}  // namespace

std::string dump_tasks_json(scheduler& loop) {
    return json_writer(loop).write();
}

std::string dump_tasks_json() {
    return dump_tasks_json(current_scheduler());
}

}  // namespace leat
