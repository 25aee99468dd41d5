// SPDX-License-Identifier: MIT
#include <leat/observe/core/dump_tree.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/observe/core/code_name.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace leat::detail {

namespace {

constexpr std::size_t native_calls_max = 32;

// A scope that owns tasks is a group. What its owner has entered inside it comes before them, if at all.
std::size_t tasks_in(scope_node& scope) noexcept {
    for (scope_node* child = scope.children.first(); child != nullptr; child = scope.children.next(*child)) {
        if (child->is_task()) {
            return static_cast<group_scope&>(scope).size;
        }
    }
    return 0;
}

// What a scope inherits from those around it.
struct around {
    std::size_t depth = 0;  // of an entry here
    std::size_t owner = 0;  // the entry of the task that is inside
    time_point deadline = never;
    const scope_node* canceller = nullptr;
};

class walk {
public:
    // Adds the tasks below `root`, which is a group of the run itself.
    void below(scope_node& root, std::size_t depth) {
        path_.assign(1, around{.depth = depth});
        scope_node* at = root.children.first();
        while (at != nullptr) {
            path_.push_back(enter(*at, path_.back()));
            if (scope_node* child = at->children.first()) {
                at = child;
            } else {
                at = after(at, root);
            }
        }
    }

    std::vector<dump_entry> entries;

private:
    // The next scope in the order of the tree, when all below `at` has been seen.
    scope_node* after(scope_node* at, const scope_node& root) noexcept {
        for (; at != &root; at = at->parent) {
            path_.pop_back();
            if (scope_node* next = at->parent->children.next(*at)) {
                return next;
            }
        }
        return nullptr;
    }

    around enter(scope_node& scope, around outer) {
        if (scope.shield) {
            outer.deadline = never;
            outer.canceller = nullptr;
        }
        if (scope.timed && !scope.cancelled_itself) {
            outer.deadline = std::min(outer.deadline, static_cast<deadline_scope&>(scope).deadline);
        }
        if (scope.cancelled_itself) {
            outer.canceller = &scope;
        }
        if (scope.is_task()) {
            outer.owner = entries.size();
            entries.push_back({.task = scope.task_inside(), .depth = outer.depth++});
        } else if (const std::size_t size = tasks_in(scope)) {
            entries.push_back({.group = &scope, .depth = outer.depth++, .size = size});
        }
        if (const task_state* const inside = scope.task_inside();
            inside != nullptr && inside->innermost == &scope) {
            entries[outer.owner].deadline = outer.deadline;
            entries[outer.owner].canceller = scope.cancelled ? outer.canceller : nullptr;
        }
        return outer;
    }

    std::vector<around> path_;  // of the scopes from the root to the current one
};

template <typename Address>
std::string numeric(int family, const Address& address, in_port_t port) {
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(family, &address, text, sizeof text);
    const std::string digits = std::to_string(ntohs(port));
    return family == AF_INET6 ? "[" + std::string(text) + "]:" + digits : std::string(text) + ":" + digits;
}

std::string text_of(const sockaddr* address, socklen_t size) {
    switch (size >= sizeof address->sa_family ? address->sa_family : AF_UNSPEC) {
        case AF_INET: {
            const auto& in = *reinterpret_cast<const sockaddr_in*>(address);
            return numeric(AF_INET, in.sin_addr, in.sin_port);
        }
        case AF_INET6: {
            const auto& in = *reinterpret_cast<const sockaddr_in6*>(address);
            return numeric(AF_INET6, in.sin6_addr, in.sin6_port);
        }
        case AF_UNIX: {
            const std::size_t length = size - offsetof(sockaddr_un, sun_path);
            const char* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
            if (length == 0) {
                return "";
            }
            // An abstract name begins with a zero, which is written as @.
            return *path == '\0' ? "@" + std::string(path + 1, length - 1)
                                 : std::string(path, ::strnlen(path, length));
        }
        default:
            return "";
    }
}

using name_call = result<socklen_t> (socket_calls::*)(int, sockaddr_storage&);

std::string address_of(socket_calls& sockets, name_call ask, int descriptor) {
    sockaddr_storage address{};
    const result<socklen_t> size = (sockets.*ask)(descriptor, address);
    return size ? text_of(reinterpret_cast<const sockaddr*>(&address), size.value()) : "";
}

std::int64_t left_in(const operation& asked) noexcept {
    if (asked.action != operation_kind::send_vectors) {
        return static_cast<std::int64_t>(asked.length) - asked.transferred;
    }
    std::int64_t left = 0;
    for (std::size_t i = 0; i < asked.length; ++i) {
        left += static_cast<std::int64_t>(asked.vectors[i].iov_len);
    }
    return left;
}

// Where `asked` itself says that it goes to; empty when it does not.
std::string destination_of(const operation& asked) {
    if (asked.action == operation_kind::connect) {
        return text_of(asked.address, static_cast<socklen_t>(asked.length));
    }
    if (asked.action == operation_kind::send_datagram && asked.message->msg_name != nullptr) {
        return text_of(static_cast<const sockaddr*>(asked.message->msg_name), asked.message->msg_namelen);
    }
    return "";
}

void add_operation(const operation& asked, socket_calls& sockets, explained_wait& explained) {
    explained.descriptor = asked.descriptor;
    explained.local = address_of(sockets, &socket_calls::local_address, asked.descriptor);
    explained.peer = destination_of(asked);
    if (explained.peer.empty() && !explained.local.empty()) {
        explained.peer = address_of(sockets, &socket_calls::remote_address, asked.descriptor);
    }
    if (asked.whole) {
        explained.bytes_done = asked.transferred;
        explained.bytes_wanted = asked.transferred + left_in(asked);
    }
}

}  // namespace

std::vector<dump_entry> tasks_by_owner(scheduler& loop) {
    walk seen;
    seen.below(loop.root(), 0);
    if (loop.background().size > 0) {
        seen.entries.push_back({.group = &loop.background(), .size = loop.background().size});
        seen.below(loop.background(), 1);
    }
    return std::move(seen.entries);
}

dump_state state_of(const task_state& task) noexcept {
    const bool current = this_thread.task == &task;
    if (task.phase == task_phase::unwinding || (current && this_thread.unwinding)) {
        return dump_state::unwinding;
    }
    if (current) {
        return dump_state::running;
    }
    return task.waiting != nullptr ? dump_state::waiting : dump_state::ready;
}

explained_wait explain(const task_state& task, scheduler& loop, const detail::tick_clock::scale& scale) {
    const wait& leaf = *task.waiting;
    explained_wait explained;
    explained.what = leaf.kind->name;
    explained.age = scale.since(task.since);
    if (leaf.kind->explain == nullptr) {
        return explained;
    }
    wait_facts facts;
    leaf.kind->explain(leaf, facts);
    explained.deadline = facts.deadline;
    explained.awaited = facts.awaited;
    explained.object = facts.object;
    explained.held_by = facts.held_by;
    if (facts.asked != nullptr) {
        add_operation(*facts.asked, loop.io().sockets(), explained);
    }
    return explained;
}

const frame* opener_of(const scope_node& group) noexcept {
    const frame* const host = group.host();
    return host != nullptr && host->parent != nullptr ? host->parent : host;
}

std::vector<std::string> native_calls(const task_state& task, const frame& pump) {
    std::vector<std::string> names;
    for (const scope_node* scope = task.innermost; !scope->is_task(); scope = scope->parent) {
        if (scope->native && scope->host() == &pump) {
            const auto& runs = *static_cast<const native_scope*>(scope);
            std::array<void*, native_calls_max> calls{};
            const std::size_t count = runs.calls(runs.function, calls);
            for (void* const call : std::span(calls).first(count)) {
                names.push_back(code_name(static_cast<const char*>(call) - 1));  // it returns to there
            }
        }
    }
    return names;
}

std::string name_of(const scope_node& canceller) {
    if (canceller.is_task()) {
        return "task " + std::to_string(canceller.task_inside()->id);
    }
    if (canceller.parent == nullptr) {
        return "the run";
    }
    return canceller.host() != nullptr ? place(canceller.host()->where) : "a group";
}

std::string address_in_words(const void* object) {
    char digits[2 * sizeof object];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, reinterpret_cast<std::uintptr_t>(object), 16);
    return "0x" + std::string(digits, end.ptr);
}

std::string place(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

}  // namespace leat::detail
