// SPDX-License-Identifier: MIT
// broadcast<T>: every value to every subscriber, in order. Publishing never waits for slow subscribers: one
// that is more than `capacity` values behind misses the oldest. Each subscribes with a function, which is
// called with the number of missed values before it gets the first value after the gap.
//
//   auto prices = feed.subscribe([&](std::size_t missed) { gaps += missed; });   // or leat::ignore_missed
//   while (auto price = co_await prices.receive()) {
//       show(*price);
//   }
//
// Invariant: each value is stored once, in one ring, until all subscribers have got it; at most `capacity` of
// them. The last subscriber to get a value gets it moved, the others get copies.
#pragma once

#include <leat/core/ring.hpp>
#include <leat/core/wait_queue.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat {

// For subscribers that do not need to know.
inline void ignore_missed(std::size_t /*count*/) {}

// Outlives its subscriptions.
template <typename T>
class broadcast {
    static_assert(std::is_copy_constructible_v<T>, "each subscriber gets its own copy of a value");
    static_assert(std::is_nothrow_move_constructible_v<T>, "a broadcast's values are moved without throwing");

public:
    template <typename OnMissed = void (*)(std::size_t)>
    class subscription;

    explicit broadcast(std::size_t capacity) noexcept : capacity_(capacity) {
        check(capacity > 0, "a broadcast has room for one value or more");
    }
    broadcast(const broadcast&) = delete;
    broadcast& operator=(const broadcast&) = delete;
    ~broadcast() { check(subscribers_ == 0, "a broadcast outlives its subscriptions"); }

    // A subscription to all that is published from now on. `on_missed(count)` is called by the task that
    // receives; what it throws is thrown from receive(), and no value is lost by that.
    template <std::invocable<std::size_t> OnMissed>
    [[nodiscard]] subscription<std::decay_t<OnMissed>> subscribe(OnMissed&& on_missed) {
        return {*this, std::forward<OnMissed>(on_missed)};
    }

    // Gives `value` to all present subscribers, and returns their number; 0 once it is closed. Never waits.
    // Throws std::bad_alloc, and nothing has changed.
    std::size_t publish(T value);
    // Nothing more is published; what was can still be received. The second call does nothing.
    void close() noexcept {
        closed_ = true;
        waiting_.wake_all();
    }

    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    [[nodiscard]] std::size_t subscribers() const noexcept { return subscribers_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    struct entry {
        T value;
        std::size_t readers;  // subscribers who have not got it yet
    };

    [[nodiscard]] std::uint64_t end() const noexcept { return first_ + values_.size(); }
    void read(std::uint64_t number, std::optional<T>& into);
    void drop_first() noexcept;
    void unsubscribe(std::uint64_t position) noexcept;

    detail::wait_queue waiting_;
    detail::ring<entry> values_;  // an older one has no readers that a newer one has not
    std::uint64_t first_ = 0;     // the number of the oldest in values_
    std::size_t capacity_;
    std::size_t subscribers_ = 0;
    bool closed_ = false;
};

// One subscriber's place in a broadcast. Move-only, but not while a task receives from it; ends at its
// destruction.
template <typename T>
template <typename OnMissed>
class [[nodiscard]] broadcast<T>::subscription {
public:
    subscription(subscription&& other) noexcept(std::is_nothrow_move_constructible_v<OnMissed>)
        : on_missed_(std::move(other.on_missed_)), position_(other.position_), missed_(other.missed_) {
        check(!other.receiving_, "a subscription stays where it is while a task receives from it");
        from_ = std::exchange(other.from_, nullptr);
    }
    subscription& operator=(subscription&&) = delete;
    ~subscription() {
        check(!receiving_, "a subscription stays where it is while a task receives from it");
        if (from_ != nullptr) {
            from_->unsubscribe(position_);
        }
    }

    // co_await subscription.receive() gives std::optional<T>: the next value, or the oldest that is left;
    // empty once the broadcast is closed and all was received. By one task at a time. Cancelled: nothing was
    // received.
    class receive_awaiter;
    [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
    // A value, if there is one.
    [[nodiscard]] std::optional<T> try_receive();

    // Values that were published and not received, with those that are missed already.
    [[nodiscard]] std::size_t behind() const noexcept { return from_->end() - position_; }
    // How many have been missed in all, as on_missed was told.
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

private:
    friend broadcast;
    template <typename F>
    subscription(broadcast& from, F&& on_missed)
        : from_(&from), on_missed_(std::forward<F>(on_missed)), position_(from.end()) {
        ++from.subscribers_;
    }

    broadcast* from_ = nullptr;
    OnMissed on_missed_;
    std::uint64_t position_;  // the number of the next value to receive
    std::uint64_t missed_ = 0;
    bool receiving_ = false;
};

template <typename T>
template <typename OnMissed>
class [[nodiscard]] broadcast<T>::subscription<OnMissed>::receive_awaiter
    : public detail::leaf_awaiter<receive_awaiter> {
    using base = detail::leaf_awaiter<receive_awaiter>;

public:
    explicit receive_awaiter(subscription& from) noexcept : base(receive_kind), from_(from) {}
    bool take_now() const noexcept {
        check(!std::exchange(from_.receiving_, true), "two tasks receive from one subscription at once");
        return from_.behind() > 0 || from_.from_->closed_;
    }
    void enqueue() noexcept { from_.from_->waiting_.push_back(*this); }
    std::optional<T> await_resume() const {
        from_.receiving_ = false;
        return from_.try_receive();
    }

private:
    static bool leave(leat::wait& self) noexcept {
        static_cast<receive_awaiter&>(self).from_.receiving_ = false;
        return detail::wait_queue::leave(self);
    }
    static inline constinit const wait_kind receive_kind{"a broadcast", leave};
    subscription& from_;
};

template <typename T>
template <typename OnMissed>
std::optional<T> broadcast<T>::subscription<OnMissed>::try_receive() {
    while (position_ < from_->first_) {  // on_missed may publish
        const auto count = static_cast<std::size_t>(from_->first_ - position_);
        position_ = from_->first_;
        missed_ += count;
        on_missed_(count);
    }
    std::optional<T> value;
    if (behind() > 0) {
        from_->read(position_, value);
        ++position_;
    }
    return value;
}

template <typename T>
std::size_t broadcast<T>::publish(T value) {
    if (closed_ || subscribers_ == 0) {
        return 0;
    }
    while (values_.size() >= capacity_) {  // the destructor of one that is dropped may publish
        drop_first();
    }
    values_.ensure(values_.size() + 1);
    values_.push({std::move(value), subscribers_});
    waiting_.wake_all();
    return subscribers_;
}

template <typename T>
void broadcast<T>::read(std::uint64_t number, std::optional<T>& into) {
    entry& found = values_[static_cast<std::size_t>(number - first_)];
    if (found.readers > 1) {
        into.emplace(std::as_const(found.value));
        --found.readers;
    } else {  // it is the oldest: all others have got those before it
        into.emplace(std::move(found.value));
        drop_first();
    }
}

// The value dies last: its destructor may use the broadcast.
template <typename T>
void broadcast<T>::drop_first() noexcept {
    std::optional<entry> dropped;
    values_.take(dropped);
    ++first_;
}

template <typename T>
void broadcast<T>::unsubscribe(std::uint64_t position) noexcept {
    --subscribers_;
    for (std::uint64_t number = position < first_ ? first_ : position; number < end(); ++number) {
        --values_[static_cast<std::size_t>(number - first_)].readers;
    }
    while (!values_.empty() && values_[0].readers == 0) {
        drop_first();
    }
}

}  // namespace leat
