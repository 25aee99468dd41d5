// SPDX-License-Identifier: MIT
// bindings: the values of the task_locals of a task (task_local.hpp). An immutable list, the newest first;
// each task holds its head. A child shares its parent's list at the cost of one count, and neither sees what
// the other binds later. It stays on one thread, so nothing in it is atomic. Invariant: a binding lives while
// a task is inside its binding_scope, or was spawned there and has not ended.
#pragma once

#include <leat/core/frame_pool.hpp>
#include <leat/core/reference.hpp>
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

    const void* key;  // the task_local
    reference<binding> below;
    std::uint32_t references = 1;
};

// A list of bindings, or none.
class bindings {
public:
    bindings() noexcept = default;
    bindings(const bindings& other) noexcept = default;
    bindings(bindings&& other) noexcept = default;
    // Most tasks have none: then there is nothing to count.
    bindings& operator=(const bindings& other) noexcept {
        if (first_.get() != other.first_.get()) [[unlikely]] {
            *this = bindings(other);
        }
        return *this;
    }
    bindings& operator=(bindings&& other) noexcept {
        std::swap(first_, other.first_);
        return *this;
    }
    ~bindings() {
        if (any()) [[unlikely]] {
            drop_all();
        }
    }

    [[nodiscard]] bool any() const noexcept { return static_cast<bool>(first_); }
    // The newest binding of `key`, or null.
    [[nodiscard]] const binding* find(const void* key) const noexcept {
        const binding* at = first_.get();
        while (at != nullptr && at->key != key) {
            at = at->below.get();
        }
        return at;
    }
    // The newest of all; the others hang below it.
    [[nodiscard]] const binding* newest() const noexcept { return first_.get(); }
    void push(std::unique_ptr<binding> newest) noexcept {
        newest->below = std::move(first_);
        first_ = reference<binding>(*newest.release());
    }
    // The value dies last, if no child shares it: its destructor may ask for bindings.
    void pop() noexcept {
        const bindings popped(std::move(*this));
        *this = popped.rest();
    }

private:
    [[gnu::noinline]] void drop_all() noexcept {
        while (first_ && first_->references == 1) {  // a long list is no deep recursion
            first_ = std::move(first_->below);
        }
    }
    [[nodiscard]] bindings rest() const noexcept {
        bindings below;
        below.first_ = first_->below;
        return below;
    }

    reference<binding> first_;
};

// The part of a task in which a task_local is bound. Being a scope, it is left in the right order however the
// task leaves it.
struct binding_scope : entered_scope {
    explicit binding_scope(std::unique_ptr<binding> prepared) noexcept
        : entered_scope(scope_kind::binding), bound(std::move(prepared)) {}

    std::unique_ptr<binding> bound;  // until the scope is entered
};

}  // namespace leat::detail
