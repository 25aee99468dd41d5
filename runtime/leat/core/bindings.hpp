// SPDX-License-Identifier: MIT
// bindings: what the task_locals of a task are bound to (task_local.hpp). An immutable list, the newest
// first, of which each task holds its beginning: a child shares its parent's at the cost of one count, and
// neither sees what the other binds later. It stays on one thread, so nothing in it is atomic. Invariant: a
// binding lives while a task is inside its binding_scope, or was spawned there and has not ended.
#pragma once

#include <leat/core/frame_pool.hpp>
#include <leat/core/scope_node.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace leat::detail {

struct binding : frame_pool::allocated {
    explicit binding(const void* local) noexcept : key(local) {}
    binding(const binding&) = delete;
    binding& operator=(const binding&) = delete;
    virtual ~binding() = default;

    const void* key;           // the task_local
    binding* below = nullptr;  // which this one refers to
    std::uint32_t references = 1;
};

// A counted reference to a list of bindings, or to none.
class bindings {
public:
    bindings() noexcept = default;
    bindings(const bindings& other) noexcept : first_(other.first_) {
        if (first_ != nullptr) {
            ++first_->references;
        }
    }
    bindings(bindings&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
    bindings& operator=(bindings other) noexcept {
        std::swap(first_, other.first_);
        return *this;
    }
    ~bindings() {
        while (first_ != nullptr && --first_->references == 0) {
            binding* below = first_->below;
            delete std::exchange(first_, below);
        }
    }

    // The newest binding of `key`, or null.
    [[nodiscard]] const binding* find(const void* key) const noexcept {
        const binding* at = first_;
        while (at != nullptr && at->key != key) {
            at = at->below;
        }
        return at;
    }
    void push(std::unique_ptr<binding> newest) noexcept {
        newest->below = first_;
        first_ = newest.release();
    }
    // The value dies last, if no child shares it: its destructor may ask for bindings.
    void pop() noexcept {
        const bindings popped(std::move(*this));
        *this = popped.rest();
    }

private:
    [[nodiscard]] bindings rest() const noexcept {
        bindings below;
        below.first_ = first_->below;
        if (below.first_ != nullptr) {
            ++below.first_->references;
        }
        return below;
    }

    binding* first_ = nullptr;
};

// The part of a task in which a task_local is bound. Being a scope, it is left in the right order however the
// task leaves it.
struct binding_scope : scope_node {
    explicit binding_scope(std::unique_ptr<binding> prepared) noexcept
        : scope_node(scope_kind::binding), bound(std::move(prepared)) {}

    std::unique_ptr<binding> bound;  // until the scope is entered
};

}  // namespace leat::detail
