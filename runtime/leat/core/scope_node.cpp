// SPDX-License-Identifier: MIT
#include <leat/core/scope_node.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/core/task_state.hpp>

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

}  // namespace

void scope_node::mark_one() noexcept {
    cancelled = true;
    if (!cancelled_itself && parent != nullptr) {
        reason_ = parent->why();
    }
    if (task_state* const inside = task_inside(); inside != nullptr && inside->innermost == this) {
        scheduler::ask_to_end(*inside);
    }
}

void scope_node::cancel(cancel_reason why) noexcept {
    if (cancelled_itself) {
        return;
    }
    cancelled_itself = true;
    reason_ = why;
    if (!cancelled) {  // else an enclosing scope was: all below is marked and asked
        mark();
    }
}

void scope_node::mark() noexcept {
    for (scope_node* scope = this; scope != nullptr; scope = following(*scope, *this)) {
        scope->mark_one();
    }
}

void scope_node::stop() noexcept {
    stopped = true;
    for (scope_node* child = children.first(); child != nullptr; child = children.next(*child)) {
        if (child->is_task() && has_yielding(*child)) {
            child->cancel(stop_reason);
        } else if (child->is_task()) {
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
        if (scope->parent->stopped && scope->is_task()) {
            scope->cancel(stop_reason);
            return;
        }
    }
}

void scope_node::end_all_waits() noexcept {
    for (scope_node* scope = this; scope != nullptr; scope = next_of_all(*scope, *this)) {
        scope->mark_one();
    }
}

void deadline_scope::pass(timer& self) noexcept {
    static_cast<deadline_scope&>(self).cancel(cancel_reason::deadline);
}

}  // namespace leat::detail
