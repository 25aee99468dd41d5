// SPDX-License-Identifier: MIT
// task_local<T>: a value that belongs to a task, such as the id of the request that it serves, for code that
// does not get it as an argument. A new task has the values that its spawner has at that moment; what either
// binds later does not reach the other. A value is not set: it is bound for a part of a task.
//
//   inline constinit leat::task_local<std::string> request_id;
//
//   co_await request_id.with("42", handle_request(peer));
//   ...
//   if (const std::string* id = request_id.get()) { log(*id); }
//
// Invariant: a binding ends with its part of the task, whether that returns, throws or is cancelled.
#pragma once

#include <leat/core/bindings.hpp>
#include <leat/timeout.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace leat {

namespace detail {

template <typename T>
struct bound final : binding {
    static_assert(alignof(T) <= alignof(std::max_align_t), "a task_local is aligned as an ordinary object");
    template <typename Value>
    bound(const void* local, Value&& given) : binding(local), value(std::forward<Value>(given)) {}
    T value;
};

template <typename X>
class [[nodiscard]] binding_awaiter : public scoped<binding_scope, X> {
public:
    binding_awaiter(std::unique_ptr<binding> bound, X&& x)
        : scoped<binding_scope, X>(std::forward<X>(x), std::move(bound)) {}
    decltype(auto) await_resume() {
        if (this->scope_.absorbed) [[unlikely]] {  // it was cancelled by itself, as a crashed host's are
            this->leave();
            throw task_cancelled(this->scope_.why());
        }
        return this->finish();
    }
    auto defer() && {
        return [bound = std::move(this->scope_.bound), inner = std::move(this->inner_).defer()]() mutable {
            return binding_awaiter<decltype(inner)>(std::move(bound), std::move(inner));
        };
    }
};

}  // namespace detail

// Lives longer than the tasks that have it bound: make it static.
template <typename T>
class task_local {
public:
    constexpr task_local() noexcept = default;
    task_local(const task_local&) = delete;
    task_local& operator=(const task_local&) = delete;

    // co_await local.with(value, X): what X gives. X is an awaitable, a task, or a callable that gives a
    // task; in it, and in the tasks that are spawned in it, the local is bound to `value`, and to what it was
    // before when X has ended. A handle's task was spawned before, and is not affected. Throws
    // std::bad_alloc.
    template <typename X>
    [[nodiscard]] detail::binding_awaiter<X> with(T value, X&& x) const {
        return {std::make_unique<detail::bound<T>>(this, std::move(value)), std::forward<X>(x)};
    }

    // What it is bound to in the current task, in its destructors as well; null when it is not bound, and
    // outside tasks. The value stays until the part of the task ends that bound it; in a task that has
    // inherited it, until that ends.
    [[nodiscard]] const T* get() const noexcept {
        if (this_thread.task == nullptr) {
            return nullptr;
        }
        const detail::binding* found = this_thread.task->bindings.find(this);
        return found != nullptr ? &static_cast<const detail::bound<T>*>(found)->value : nullptr;
    }
};

}  // namespace leat
