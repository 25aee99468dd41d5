// SPDX-License-Identifier: MIT
// queue<T>, priority_queue<T> and lifo_queue<T>: work for other tasks of one scheduler, and a wait until it
// is done. Unlike a channel (channel.hpp) a queue also counts the values that are not done() yet, for join(),
// and may give them in another order; it cannot be a rendezvous.
//
//   while (auto job = co_await jobs.get()) {      // until it is closed and drained
//       co_await work_on(*job);
//       jobs.done();
//   }
//
// Invariant: no value is lost: it is in the queue, with the task that puts it, or with the task that gets it.
// A cancelled put has put nothing, a cancelled get has got nothing. The task that has waited longest gets
// room or a value first.
#pragma once

#include <leat/core/ring.hpp>
#include <leat/core/transfer_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat {

// Thrown by putting into a closed queue; its code is std::errc::broken_pipe.
class queue_closed : public std::system_error {
public:
    queue_closed() : system_error(std::make_error_code(std::errc::broken_pipe), "the queue is closed") {}
};

namespace detail {

// The stores of queues in another order than first in, first out (that is ring.hpp). As in a ring, memory is
// allocated before a value is taken, so that storing it cannot fail.

// Last in, first out.
template <typename T>
class stack {
public:
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

    // Makes room for `count` values in all. Throws std::bad_alloc, and nothing has changed.
    void ensure(std::size_t count) {
        if (count > values_.capacity()) {
            values_.reserve(2 * count);
        }
    }
    void push(T&& value) noexcept { values_.push_back(std::move(value)); }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move(values_.back()));
        values_.pop_back();
    }

private:
    std::vector<T> values_;
};

// Gives the smallest, and of equal ones that which was pushed first. A binary heap: the children of the entry
// at i are at 2 * i + 1 and 2 * i + 2, and neither goes before it.
template <typename T, typename Compare>
class heap {
    static_assert(std::is_nothrow_move_assignable_v<T>, "values with a priority are moved without throwing");

public:
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    void ensure(std::size_t count) {
        if (count > entries_.capacity()) {
            entries_.reserve(2 * count);
        }
    }
    void push(T&& value) noexcept {
        entries_.push_back({std::move(value), pushed_++});
        for (std::size_t at = size() - 1; at > 0 && goes_before(at, (at - 1) / 2); at = (at - 1) / 2) {
            std::swap(entries_[at], entries_[(at - 1) / 2]);
        }
    }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move(entries_.front().value));
        if (size() > 1) {
            entries_.front() = std::move(entries_.back());
        }
        entries_.pop_back();
        for (std::size_t at = 0, first = 0;; at = first) {
            for (const std::size_t child : {2 * at + 1, 2 * at + 2}) {
                if (child < size() && goes_before(child, first)) {
                    first = child;
                }
            }
            if (first == at) {
                return;
            }
            std::swap(entries_[at], entries_[first]);
        }
    }

private:
    struct entry {
        T value;
        std::uint64_t number;  // in the order of pushing
    };

    [[nodiscard]] bool goes_before(std::size_t one, std::size_t other) const noexcept {
        const entry& a = entries_[one];
        const entry& b = entries_[other];
        return less_(a.value, b.value) || (!less_(b.value, a.value) && a.number < b.number);
    }

    std::vector<entry> entries_;
    std::uint64_t pushed_ = 0;
    [[no_unique_address]] Compare less_;
};

// A queue that gives its values in the order of `Store`. They must not throw when they are moved.
template <typename T, typename Store>
class basic_queue {
    struct kind {
        using store = Store;
        using closed = queue_closed;
        static constexpr const char* room = "room in a queue";
        static constexpr const char* value = "a queue";
    };
    using transfer_queue = detail::transfer_queue<T, kind>;

public:
    static constexpr std::size_t unbounded = SIZE_MAX;

    explicit basic_queue(std::size_t capacity = unbounded) noexcept : values_(capacity) {
        check(capacity > 0, "a queue has room for one value or more");
    }

    using put_awaiter = typename transfer_queue::send_awaiter;
    using get_awaiter = typename transfer_queue::receive_awaiter;
    using reserve_awaiter = typename transfer_queue::reserve_awaiter;
    using reservation = typename transfer_queue::reservation;
    class join_awaiter;

    // co_await queue.put(value): waits for room, in the order of asking. Throws queue_closed, when the queue
    // is closed before there was room. Cancelled: the value was not put, and dies with the wait; use
    // reserve() for what must not be lost.
    [[nodiscard]] put_awaiter put(T value) noexcept { return put_awaiter(values_, std::move(value)); }
    // Moves from `value` and returns true, if that needs no wait. A closed queue takes nothing.
    [[nodiscard]] bool try_put(T& value) { return values_.try_send(value); }
    [[nodiscard]] bool try_put(T&& value) { return values_.try_send(value); }

    // co_await queue.get() gives std::optional<T>: the next value; empty once the queue is closed and
    // drained. Cancelled: nothing was taken out.
    [[nodiscard]] get_awaiter get() noexcept { return get_awaiter(values_); }
    // A value, if there is one.
    [[nodiscard]] std::optional<T> try_get() noexcept { return values_.try_receive(); }

    // co_await queue.reserve() gives a reservation: room for one value, whose send(value) puts it and neither
    // waits nor fails, also when the queue has been closed since. Its destructor gives the room back. Throws
    // queue_closed. Cancelled: nothing was reserved.
    [[nodiscard]] reserve_awaiter reserve() noexcept { return reserve_awaiter(values_); }

    // Says that the work on a value is done. Once for each value that was got; more often is misuse.
    void done() noexcept {
        check(unfinished() > 0, "done() is called once for each value of a queue");
        ++done_;
        if (unfinished() == 0) {
            joiners_.wake_all();
        }
    }
    // co_await queue.join(): waits until every value that was put has been done(); goes on once that was so,
    // also when more was put right after it. Cancelled: nothing has happened.
    [[nodiscard]] join_awaiter join() noexcept { return join_awaiter(*this); }
    // Values that were put and are not done(): those in the queue, and those being worked on.
    [[nodiscard]] std::size_t unfinished() const noexcept { return values_.accepted() - done_; }

    // Nothing more is put: waiting puts throw queue_closed. What is in the queue can still be got, and join()
    // still waits for it; to discard it, call try_get() and done() until the queue is empty. The second call
    // does nothing.
    void close() noexcept { values_.close(); }
    [[nodiscard]] bool is_closed() const noexcept { return values_.is_closed(); }

    // Values that can be got without waiting.
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // Whether putting has to wait.
    [[nodiscard]] bool full() const noexcept { return !values_.has_room(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return values_.capacity(); }

private:
    transfer_queue values_;
    wait_queue joiners_;
    std::size_t done_ = 0;  // of those that values_ has accepted
};

template <typename T, typename Store>
class [[nodiscard]] basic_queue<T, Store>::join_awaiter : public leaf_awaiter<join_awaiter> {
    using base = leaf_awaiter<join_awaiter>;

public:
    explicit join_awaiter(basic_queue& awaited) noexcept : base(join_kind), awaited_(&awaited) {}
    bool take_now() const noexcept { return awaited_->unfinished() == 0; }
    void enqueue() noexcept { awaited_->joiners_.push_back(*this); }
    void await_resume() const noexcept {}

private:
    static inline constinit const wait_kind join_kind{"a queue to be done", wait_queue::leave};
    basic_queue* awaited_;
};

}  // namespace detail

// Gives first what was put first.
template <typename T>
using queue = detail::basic_queue<T, detail::ring<T>>;

// Gives first what was put last.
template <typename T>
using lifo_queue = detail::basic_queue<T, detail::stack<T>>;

// Gives the smallest first: that which Compare says is less than the others, as Python's PriorityQueue and
// unlike std::priority_queue; std::greater<> gives the largest first. Of equal ones that which was put first.
// Compare must not throw. A value that waits for room has no priority yet.
template <typename T, typename Compare = std::less<>>
using priority_queue = detail::basic_queue<T, detail::heap<T, Compare>>;

}  // namespace leat
