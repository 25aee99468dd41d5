// SPDX-License-Identifier: MIT
// transfer_queue<T, Kind>: the base of channel and the queues: values go from senders to receivers, which may
// wait, through a store with room for `capacity` of them.
//   Kind::store     where values stand, and which one is the next: ensure(count) may throw; push(T&&) and
//                   take(std::optional<T>&) do not
//   Kind::closed    what sending into a closed one throws
//   Kind::room, Kind::value    what is waited for, as a dump shows it
// Invariant: no value is lost: it is with its sender, in the store, or with its receiver. No receiver waits
// while the store or a sender has a value, and no sender while there is room.
#pragma once

#include <leat/core/wait_queue.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat::detail {

template <typename T, typename Kind>
class transfer_queue {
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "values are moved from task to task without throwing");

public:
    class send_awaiter;
    class receive_awaiter;
    class reserve_awaiter;
    class reservation;

    explicit transfer_queue(std::size_t capacity) noexcept : capacity_(capacity) {}

    [[nodiscard]] bool try_send(T& value) { return !closed_ && pass(value); }
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        (void)take(value);
        return value;
    }
    void close() noexcept;

    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool has_room() const noexcept { return values_.size() + reserved_ < capacity_; }
    // Values that have left their senders, ever.
    [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }

private:
    // One that waits for room: for its value, or without one for a reservation.
    struct waiting_sender : wait {
        using wait::wait;
        std::optional<T> value;
        bool refused = false;  // it was closed
    };
    struct waiting_receiver : wait {
        using wait::wait;
        std::optional<T> value;
    };
    static inline constinit const wait_kind room_kind{Kind::room, wait_queue::leave};
    static inline constinit const wait_kind value_kind{Kind::value, wait_queue::leave};

    // Whether nothing will ever be received again.
    [[nodiscard]] bool is_over() const noexcept { return closed_ && values_.empty() && reserved_ == 0; }
    bool pass(T& value);
    bool take(std::optional<T>& into) noexcept;
    bool take_reservation();
    void deliver(T&& value) noexcept;
    void settle() noexcept;

    wait_queue senders_;
    wait_queue receivers_;
    typename Kind::store values_;  // with room for those reserved
    std::size_t capacity_;
    std::size_t reserved_ = 0;
    std::size_t accepted_ = 0;
    bool closed_ = false;
};

template <typename T, typename Kind>
class [[nodiscard]] transfer_queue<T, Kind>::send_awaiter
    : public leaf_awaiter<send_awaiter, waiting_sender> {
    using base = leaf_awaiter<send_awaiter, waiting_sender>;

public:
    send_awaiter(transfer_queue& to, T&& value) noexcept : base(room_kind), to_(&to) {
        this->value.emplace(std::move(value));
    }
    bool take_now() {
        this->refused = to_->closed_;
        return this->refused || to_->pass(*this->value);
    }
    void enqueue() noexcept { to_->senders_.push_back(*this); }
    void await_resume() const {
        if (this->refused) {
            throw typename Kind::closed();
        }
    }

private:
    transfer_queue* to_;
};

template <typename T, typename Kind>
class [[nodiscard]] transfer_queue<T, Kind>::receive_awaiter
    : public leaf_awaiter<receive_awaiter, waiting_receiver> {
    using base = leaf_awaiter<receive_awaiter, waiting_receiver>;

public:
    explicit receive_awaiter(transfer_queue& from) noexcept : base(value_kind), from_(&from) {}
    bool take_now() noexcept { return from_->take(this->value) || from_->is_over(); }
    void enqueue() noexcept { from_->receivers_.push_back(*this); }
    std::optional<T> await_resume() noexcept { return std::move(this->value); }

private:
    transfer_queue* from_;
};

// Room for one value, in what outlives it. Given up at its end.
template <typename T, typename Kind>
class [[nodiscard]] transfer_queue<T, Kind>::reservation {
public:
    reservation(reservation&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    reservation& operator=(reservation&& other) noexcept {
        std::swap(of_, other.of_);
        return *this;
    }
    ~reservation() {
        if (of_ != nullptr) {
            --of_->reserved_;
            of_->settle();
        }
    }
    // Uses it up. Works also when it has been closed since.
    void send(T value) noexcept {
        check(of_ != nullptr, "a reservation is used once");
        transfer_queue& to = *std::exchange(of_, nullptr);
        --to.reserved_;
        to.deliver(std::move(value));
        to.settle();
    }

private:
    friend transfer_queue;
    explicit reservation(transfer_queue& of) noexcept : of_(&of) {}
    transfer_queue* of_;
};

template <typename T, typename Kind>
class [[nodiscard]] transfer_queue<T, Kind>::reserve_awaiter
    : public leaf_awaiter<reserve_awaiter, waiting_sender> {
    using base = leaf_awaiter<reserve_awaiter, waiting_sender>;

public:
    explicit reserve_awaiter(transfer_queue& in) noexcept : base(room_kind), in_(&in) {
        check(in.capacity_ > 0, "a rendezvous has no room to reserve");
    }
    bool take_now() {
        this->refused = in_->closed_;
        return this->refused || in_->take_reservation();
    }
    void enqueue() noexcept { in_->senders_.push_back(*this); }
    reservation await_resume() const {
        if (this->refused) {
            throw typename Kind::closed();
        }
        return reservation(*in_);
    }

private:
    transfer_queue* in_;
};

template <typename T, typename Kind>
bool transfer_queue<T, Kind>::pass(T& value) {
    if (receivers_.empty()) {
        if (!has_room()) {
            return false;
        }
        values_.ensure(values_.size() + reserved_ + 1);
    }
    deliver(std::move(value));
    return true;
}

// To the first waiting receiver, or into the store, which has room for it.
template <typename T, typename Kind>
void transfer_queue<T, Kind>::deliver(T&& value) noexcept {
    ++accepted_;
    if (receivers_.empty()) {
        values_.push(std::move(value));
    } else {
        static_cast<waiting_receiver&>(receivers_.front()).value.emplace(std::move(value));
        receivers_.wake_one();
    }
}

template <typename T, typename Kind>
bool transfer_queue<T, Kind>::take(std::optional<T>& into) noexcept {
    if (!values_.empty()) {
        values_.take(into);
        settle();
        return true;
    }
    for (wait* at = senders_.first(); at != nullptr; at = senders_.next(*at)) {
        auto& sender = static_cast<waiting_sender&>(*at);
        if (sender.value.has_value()) {  // a rendezvous, or all room is reserved
            into.emplace(std::move(*sender.value));
            ++accepted_;
            senders_.wake(sender);
            return true;
        }
    }
    return false;
}

template <typename T, typename Kind>
bool transfer_queue<T, Kind>::take_reservation() {
    if (!has_room()) {
        return false;
    }
    values_.ensure(values_.size() + reserved_ + 1);
    ++reserved_;
    return true;
}

// Senders that wait get the free room, for which the store has memory already. Receivers do not wait for a
// value that will never come.
template <typename T, typename Kind>
void transfer_queue<T, Kind>::settle() noexcept {
    while (!senders_.empty() && has_room()) {
        auto& first = static_cast<waiting_sender&>(senders_.front());
        if (first.value.has_value()) {
            deliver(std::move(*first.value));
        } else {
            ++reserved_;
        }
        senders_.wake_one();
    }
    if (is_over()) {
        receivers_.wake_all();
    }
}

template <typename T, typename Kind>
void transfer_queue<T, Kind>::close() noexcept {
    closed_ = true;
    while (!senders_.empty()) {
        static_cast<waiting_sender&>(senders_.front()).refused = true;
        senders_.wake_one();
    }
    settle();
}

}  // namespace leat::detail
