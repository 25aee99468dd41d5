// SPDX-License-Identifier: MIT
#include <leat/core/scope_node.hpp>

#include <leat/core/bindings.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/core/task_state.hpp>

#include <utility>

namespace leat::detail {

namespace {

constexpr cancel_reason stop_reason{"it was told to stop, and had nothing to finish"};

// `scope`, or the first of its siblings after it, that a cancellation of `parent` is still to reach.
scope_node* to_be_marked(scope_node* scope, scope_node& parent) noexcept {
    while (scope != nullptr && (scope->shield || scope->cancelled)) {
        scope = parent.children.next(*scope);
    }
    return scope;
}

// The scope to mark after `at`, in a walk down from `root` that visits children in order.
scope_node* following(scope_node& at, scope_node& root) noexcept {
    if (scope_node* child = to_be_marked(at.children.first(), at)) {
        return child;
    }
    for (scope_node* scope = &at; scope != &root; scope = scope->parent) {
        if (scope_node* next = to_be_marked(scope->parent->children.next(*scope), *scope->parent)) {
            return next;
        }
    }
    return nullptr;
}

// The scope after `at` in the same walk over all scopes.
scope_node* next_of_all(scope_node& at, scope_node& root) noexcept {
    if (scope_node* child = at.children.first()) {
        return child;
    }
    for (scope_node* scope = &at; scope != &root; scope = scope->parent) {
        if (scope_node* next = scope->parent->children.next(*scope)) {
            return next;
        }
    }
    return nullptr;
}

bool has_yielding(scope_node& root) noexcept {
    for (scope_node* scope = &root; scope != nullptr; scope = next_of_all(*scope, root)) {
        if (scope->yields) {
            return true;
        }
    }
    return false;
}

void cancel_ending_at_stop(scope_node& root) noexcept {
    for (scope_node* scope = &root; scope != nullptr; scope = next_of_all(*scope, root)) {
        if (scope->ends_at_stop) {
            scope->cancel(stop_reason);
        }
    }
}

void mark_one(scope_node& scope) noexcept {
    scope.cancelled = true;
    if (scope.parent != nullptr) {
        scope.inherited = scope.parent->why();
    }
    if (scope.task != nullptr && scope.task->innermost == &scope) {
        scheduler::ask_to_end(*scope.task);
    }
}

}  // namespace

void scope_node::cancel(cancel_reason why) noexcept {
    if (reason.given()) {
        return;
    }
    reason = why;
    if (!cancelled) {  // else an enclosing scope was: all below is marked and asked
        mark();
    }
}

void scope_node::mark() noexcept {
    for (scope_node* scope = this; scope != nullptr; scope = following(*scope, *this)) {
        mark_one(*scope);
    }
}

void scope_node::stop() noexcept {
    stopped = true;
    for (scope_node* child = children.first(); child != nullptr; child = children.next(*child)) {
        if (child->host == nullptr && has_yielding(*child)) {
            child->cancel(stop_reason);
        } else if (child->host == nullptr) {
            cancel_ending_at_stop(*child);
        }
    }
}

bool scope_node::told_to_stop() const noexcept {
    for (const scope_node* scope = this; scope != nullptr; scope = scope->parent) {
        if (scope->stopped) {
            return true;
        }
    }
    return false;
}

void scope_node::yield_to_stop() noexcept {
    for (scope_node* scope = this; scope->parent != nullptr; scope = scope->parent) {
        if (scope->parent->stopped && scope->host == nullptr) {
            scope->cancel(stop_reason);
            return;
        }
    }
}

void scope_node::end_all_waits() noexcept {
    for (scope_node* scope = this; scope != nullptr; scope = next_of_all(*scope, *this)) {
        mark_one(*scope);
    }
}

void scope_node::attach(scope_node& above) noexcept {
    parent = &above;
    above.children.push_back(*this);
    if (above.cancelled && !shield) {
        mark();
    }
}

void scope_node::enter(task_state& inside) noexcept {
    check(parent == inside.innermost, "a cancel scope is entered below the innermost one");
    task = &inside;
    inside.innermost = this;
    if (kind == scope_kind::binding) {
        inside.bindings.push(std::move(static_cast<detail::binding_scope*>(this)->bound));
    }
}

void scope_node::leave() noexcept {
    check(task->innermost == this, "cancel scopes are left in the reverse order of entering");
    task_state& inside = *std::exchange(task, nullptr);
    inside.innermost = parent;
    host = nullptr;
    if (kind == scope_kind::binding) {
        inside.bindings.pop();
    }
}

deadline_scope::deadline_scope(time_point when, bool shielded) noexcept
    : scope_node(scope_kind::plain, shielded), timer([](timer& alarm) noexcept {
          static_cast<deadline_scope&>(alarm).cancel(cancel_reason::deadline);
      }) {
    deadline = when;
    timed = true;
}

}  // namespace leat::detail
