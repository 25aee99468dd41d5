// SPDX-License-Identifier: MIT
// channel<T>: values handed from tasks to tasks of one scheduler, in order. Bounded, rendezvous (capacity 0:
// a send ends when its value has been received) or unbounded.
// Invariant: a value is in the channel, with its sender, or with its receiver, never nowhere: a cancelled
// send has sent nothing, a cancelled receive has received nothing.
#pragma once

#include <leat/sync/ring.hpp>
#include <leat/sync/wait_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

// Thrown by sending into a closed channel; its code is std::errc::broken_pipe.
class channel_closed : public std::system_error {
public:
    channel_closed() : system_error(std::make_error_code(std::errc::broken_pipe), "the channel is closed") {}
};

// Values must not throw when they are moved: a value that has left its sender arrives.
template <typename T>
class channel {
    static_assert(std::is_nothrow_move_constructible_v<T>, "a channel's values are moved without throwing");

public:
    static constexpr std::size_t unbounded = SIZE_MAX;

    explicit channel(std::size_t capacity = unbounded) noexcept : capacity_(capacity) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    class send_awaiter;
    class receive_awaiter;
    class reserve_awaiter;
    class reservation;

    // co_await channel.send(value): waits for room, in the order of asking. Throws channel_closed, when the
    // channel is closed before there was room. Cancelled: the value was not sent, and dies with the wait;
    // use reserve() for what must not be lost.
    [[nodiscard]] send_awaiter send(T value) noexcept { return send_awaiter(*this, std::move(value)); }
    // Moves from `value` and returns true, if that needs no wait. A closed channel takes nothing.
    [[nodiscard]] bool try_send(T& value) { return !closed_ && pass(value); }
    [[nodiscard]] bool try_send(T&& value) { return try_send(value); }

    // co_await channel.receive() gives std::optional<T>: the next value; empty once the channel is closed
    // and drained. Cancelled: nothing was received.
    [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }
    // A value, if there is one.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        (void)take(value);
        return value;
    }

    // co_await channel.reserve() gives a reservation: room for one value, whose send() neither waits nor
    // fails. Throws channel_closed. Not for a rendezvous. Cancelled: nothing was reserved.
    [[nodiscard]] reserve_awaiter reserve() noexcept { return reserve_awaiter(*this); }

    // Nothing more is sent. Waiting sends throw channel_closed; what is in the channel, or comes from a
    // reservation, can be received. The second call does nothing.
    void close() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }
    // Values that wait to be received.
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    // One that waits for room: for its value, or without one for a reservation.
    struct waiting_sender : wait {
        using wait::wait;
        std::optional<T> value;
        bool refused = false;  // the channel was closed
    };
    struct waiting_receiver : wait {
        using wait::wait;
        std::optional<T> value;
    };

    [[nodiscard]] bool has_room() const noexcept { return values_.size() + reserved_ < capacity_; }
    // Whether nothing will ever be received again.
    [[nodiscard]] bool is_over() const noexcept { return closed_ && values_.empty() && reserved_ == 0; }
    bool pass(T& value);
    bool take(std::optional<T>& into) noexcept;
    bool take_reservation();
    void deliver(T&& value) noexcept;
    void settle() noexcept;

    detail::wait_queue senders_;
    detail::wait_queue receivers_;
    detail::ring<T> values_;  // with room for those reserved
    std::size_t capacity_;
    std::size_t reserved_ = 0;
    bool closed_ = false;
};

template <typename T>
class [[nodiscard]] channel<T>::send_awaiter : public detail::queue_awaiter<send_awaiter, waiting_sender> {
    using base = detail::queue_awaiter<send_awaiter, waiting_sender>;

public:
    send_awaiter(channel& to, T&& value) noexcept : base(send_kind), to_(&to) {
        this->value.emplace(std::move(value));
    }
    bool take_now() {
        this->refused = to_->closed_;
        return this->refused || to_->pass(*this->value);
    }
    void enqueue() noexcept { to_->senders_.push_back(*this); }
    void await_resume() const {
        if (this->refused) {
            throw channel_closed();
        }
    }

private:
    static inline constinit const wait_kind send_kind{"room in a channel", detail::wait_queue::leave};
    channel* to_;
};

template <typename T>
class [[nodiscard]] channel<T>::receive_awaiter
    : public detail::queue_awaiter<receive_awaiter, waiting_receiver> {
    using base = detail::queue_awaiter<receive_awaiter, waiting_receiver>;

public:
    explicit receive_awaiter(channel& from) noexcept : base(receive_kind), from_(&from) {}
    bool take_now() noexcept { return from_->take(this->value) || from_->is_over(); }
    void enqueue() noexcept { from_->receivers_.push_back(*this); }
    std::optional<T> await_resume() noexcept { return std::move(this->value); }

private:
    static inline constinit const wait_kind receive_kind{"a channel", detail::wait_queue::leave};
    channel* from_;
};

// Room for one value in a channel that outlives it. Given up at its end.
template <typename T>
class [[nodiscard]] channel<T>::reservation {
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
    // Uses it up. Works in a channel that has been closed since.
    void send(T value) noexcept {
        check(of_ != nullptr, "a reservation is used once");
        channel& to = *std::exchange(of_, nullptr);
        --to.reserved_;
        to.deliver(std::move(value));
        to.settle();
    }

private:
    friend channel;
    explicit reservation(channel& of) noexcept : of_(&of) {}
    channel* of_;
};

template <typename T>
class [[nodiscard]] channel<T>::reserve_awaiter
    : public detail::queue_awaiter<reserve_awaiter, waiting_sender> {
    using base = detail::queue_awaiter<reserve_awaiter, waiting_sender>;

public:
    explicit reserve_awaiter(channel& in) noexcept : base(reserve_kind), in_(&in) {
        check(in.capacity_ > 0, "a rendezvous has no room to reserve");
    }
    bool take_now() {
        this->refused = in_->closed_;
        return this->refused || in_->take_reservation();
    }
    void enqueue() noexcept { in_->senders_.push_back(*this); }
    reservation await_resume() const {
        if (this->refused) {
            throw channel_closed();
        }
        return reservation(*in_);
    }

private:
    static inline constinit const wait_kind reserve_kind{"room in a channel", detail::wait_queue::leave};
    channel* in_;
};

template <typename T>
bool channel<T>::pass(T& value) {
    if (receivers_.empty()) {
        if (!has_room()) {
            return false;
        }
        values_.ensure(values_.size() + reserved_ + 1);
    }
    deliver(std::move(value));
    return true;
}

// To the first who waits, or to the end of the queue, which has room for it.
template <typename T>
void channel<T>::deliver(T&& value) noexcept {
    if (receivers_.empty()) {
        values_.push_back(std::move(value));
    } else {
        static_cast<waiting_receiver&>(receivers_.front()).value.emplace(std::move(value));
        receivers_.wake_one();
    }
}

template <typename T>
bool channel<T>::take(std::optional<T>& into) noexcept {
    if (!values_.empty()) {
        into.emplace(std::move(values_.front()));
        values_.pop_front();
        settle();
        return true;
    }
    if (senders_.empty()) {
        return false;
    }
    auto& first = static_cast<waiting_sender&>(senders_.front());
    if (!first.value.has_value()) {
        return false;
    }
    into.emplace(std::move(*first.value));  // a rendezvous, or all room is reserved
    senders_.wake_one();
    return true;
}

template <typename T>
bool channel<T>::take_reservation() {
    if (!has_room()) {
        return false;
    }
    values_.ensure(values_.size() + reserved_ + 1);
    ++reserved_;
    return true;
}

// Who waits for room gets what has become free, for which the ring has its place already; and nobody waits
// for a value that will never come.
template <typename T>
void channel<T>::settle() noexcept {
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

template <typename T>
void channel<T>::close() noexcept {
    closed_ = true;
    while (!senders_.empty()) {
        static_cast<waiting_sender&>(senders_.front()).refused = true;
        senders_.wake_one();
    }
    settle();
}

}  // namespace leat
