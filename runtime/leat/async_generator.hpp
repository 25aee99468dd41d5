// SPDX-License-Identifier: MIT
// async_generator<T>: a coroutine that gives its values one by one and may wait between them.
//
//   leat::async_generator<std::string> blocks(leat::tcp_stream& peer) {
//       while (...) {
//           std::string block(512, ' ');
//           co_await peer.recv_exactly(block);
//           co_yield std::move(block);
//       }
//   }
//   auto incoming = blocks(peer);
//   while (auto block = co_await incoming.next()) {
//       use(*block);
//   }
//
// Theory of operation. next() is an await like that of a task: until it yields or ends, the body is a frame
// in the consumer's chain; then only the generator owns it. So a wait of the body is a wait of the consumer's
// task, and another task may call next() the next time.
//
// Cancelling. A consumer that is cancelled while the body waits unwinds through the body: its frame is
// destroyed, and a later next() throws task_cancelled, with the reason, never "end". That holds for a timeout
// around next() too: when it passes in a wait of the body, the generator is over. A consumer that must be
// able to go on puts the deadline inside the body, or has a task send the items through a channel.
//
// A cancel scope or a task group cannot be open across a co_yield: both are entered by a co_await, and what
// runs inside them is another coroutine. So no scope of the body ever covers what its consumer does.
//
// A generator that is left early is destroyed with its object, at once, at the co_yield where it stands. Its
// destructors run; they cannot wait, so a cleanup that waits belongs to the consumer (finally).
// Invariant: the generator owns the frame outside of next(), and the chain of frames owns it inside.
#pragma once

#include <leat/core/task_state.hpp>
#include <leat/generator.hpp>
#include <leat/task.hpp>

#include <concepts>

namespace leat {

// Move-only; may be moved, and used by another task, while no next() waits. Nothing runs before the first.
template <typename T>
class [[nodiscard]] async_generator {
public:
    using value_type = std::remove_cvref_t<T>;
    struct promise_type;
    class next_awaiter;

    async_generator() noexcept = default;
    async_generator(async_generator&& other) noexcept { take(other); }
    async_generator& operator=(async_generator&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    ~async_generator() { reset(); }

    // co_await next(): the next item as a std::optional, or for a reference as a pointer, which is good until
    // the following next(). Empty at the end, and ever after. Throws what the body threw, once; that is the
    // end as well. It is no wait in itself: in a cancelled task the body runs to its first wait. One at a
    // time; the generator stays where it is meanwhile.
    next_awaiter next() noexcept { return next_awaiter(*this); }

private:
    enum class state : unsigned char { none, alive, ended, cancelled };

    explicit async_generator(promise_type& body) noexcept : body_(&body), state_(state::alive) {}

    void take(async_generator& other) noexcept {
        check(!other.in_next(), "a generator is not moved while its next() waits");
        body_ = std::exchange(other.body_, nullptr);
        state_ = std::exchange(other.state_, state::none);
        why_ = other.why_;
    }
    void reset() noexcept {
        check(!in_next(), "a generator is not destroyed while its next() waits");
        if (promise_type* body = std::exchange(body_, nullptr)) {
            body->coroutine().destroy();
        }
    }
    [[nodiscard]] bool in_next() const noexcept { return body_ != nullptr && body_->consumed_by != nullptr; }

    promise_type* body_ = nullptr;
    state state_ = state::none;
    cancel_reason why_;  // it was cancelled
};

template <typename T>
struct async_generator<T>::promise_type : detail::promise_base {
    // The body suspends, and the consumer that awaits the item goes on.
    struct yield_awaiter : detail::final_awaiter {
        static bool await_ready() noexcept { return detail::never_ready(); }
    };

    promise_type() noexcept = default;
    promise_type(const promise_type&) = delete;
    promise_type& operator=(const promise_type&) = delete;
    // Inside next() a frame is destroyed by unwinding only.
    ~promise_type() {
        if (consumed_by != nullptr) {
            consumed_by->body_ = nullptr;
            consumed_by->state_ = state::cancelled;
            consumed_by->why_ = this_thread.task->innermost->why();
        }
    }

    async_generator get_return_object() noexcept {
        static_assert(is_placed_as_frame<promise_type>);
        return async_generator(*this);
    }
    static void return_void() noexcept {}
    void unhandled_exception() noexcept {
        check(consumed_by != nullptr, "a destructor does not throw while its generator is destroyed");
        error = escaped_exception();
    }
    yield_awaiter yield_value(detail::yielded<T> yielded) noexcept {
        item = std::addressof(yielded);
        return {};
    }
    // It stays the body's own: the consumer gets a copy.
    yield_awaiter yield_value(const T& kept) noexcept
        requires(!std::is_reference_v<T> && std::is_copy_constructible_v<T>)
    {
        copied = std::addressof(kept);
        return {};
    }

    async_generator* consumed_by = nullptr;  // inside next()
    std::add_pointer_t<detail::yielded<T>> item = nullptr;
    const std::remove_reference_t<T>* copied = nullptr;  // instead of item
    std::exception_ptr error;
};

template <typename T>
class [[nodiscard]] async_generator<T>::next_awaiter : public detail::awaiter_of<next_awaiter> {
public:
    explicit next_awaiter(async_generator& from) noexcept : from_(from) {}

    [[nodiscard]] bool await_ready() const noexcept {
        check(from_.state_ != state::none, "the generator was moved from, or never made");
        return from_.state_ != state::alive;
    }
    void suspend(frame& waiter) const noexcept {
        promise_type& body = *from_.body_;
        check(body.consumed_by == nullptr, "two next() of one generator wait at once");
        body.consumed_by = &from_;
        body.item = nullptr;
        body.copied = nullptr;
        body.parent = &waiter;
        this_thread.next = &body;
    }
    detail::next_item<T> await_resume() const {
        if (from_.state_ != state::alive) {
            return nothing_left();
        }
        promise_type& body = *from_.body_;
        body.consumed_by = nullptr;
        if constexpr (std::is_reference_v<T>) {
            if (body.item != nullptr) {
                return body.item;
            }
        } else {
            if (body.item != nullptr) {
                return std::move(*body.item);
            }
            if constexpr (std::is_copy_constructible_v<T>) {
                if (body.copied != nullptr) {
                    return *body.copied;
                }
            }
        }
        return end();
    }

private:
    [[nodiscard]] detail::next_item<T> nothing_left() const {
        if (from_.state_ == state::cancelled) {
            throw task_cancelled(from_.why_);
        }
        return {};
    }
    [[nodiscard]] detail::next_item<T> end() const {
        const std::exception_ptr error = std::move(from_.body_->error);
        from_.state_ = state::ended;
        from_.reset();
        if (error != nullptr) {
            std::rethrow_exception(error);
        }
        return {};
    }

    async_generator& from_;
};

}  // namespace leat
