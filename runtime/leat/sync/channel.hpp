// SPDX-License-Identifier: MIT
// channel<T>: values handed from tasks to tasks of one scheduler, in order. Bounded, rendezvous (capacity 0:
// a send ends when its value has been received) or unbounded. To wait until the work is done, or for another
// order, see queue.hpp.
// Invariant: no value is lost: it is in the channel, with its sender, or with its receiver. A cancelled send
// has sent nothing, a cancelled receive has received nothing.
#pragma once

#include <leat/core/ring.hpp>
#include <leat/core/transfer_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
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
    struct kind {
        using store = detail::ring<T>;
        using closed = channel_closed;
        static constexpr const char* room = "room in a channel";
        static constexpr const char* value = "a channel";
    };
    using transfer_queue = detail::transfer_queue<T, kind>;

public:
    static constexpr std::size_t unbounded = SIZE_MAX;

    explicit channel(std::size_t capacity = unbounded) noexcept : values_(capacity) {}

    using send_awaiter = typename transfer_queue::send_awaiter;
    using receive_awaiter = typename transfer_queue::receive_awaiter;
    using reserve_awaiter = typename transfer_queue::reserve_awaiter;
    using reservation = typename transfer_queue::reservation;

    // co_await channel.send(value): waits for room, in the order of asking. Throws channel_closed, when the
    // channel is closed before there was room. Cancelled: the value was not sent, and dies with the wait;
    // use reserve() for what must not be lost.
    [[nodiscard]] send_awaiter send(T value) noexcept { return send_awaiter(values_, std::move(value)); }
    // Moves from `value` and returns true, if that needs no wait. A closed channel takes nothing.
    [[nodiscard]] bool try_send(T& value) { return values_.try_send(value); }
    [[nodiscard]] bool try_send(T&& value) { return values_.try_send(value); }

    // co_await channel.receive() gives std::optional<T>: the next value; empty once the channel is closed
    // and drained. Cancelled: nothing was received. With a limit of time, timeout() keeps it one optional:
    //     while (auto value = co_await timeout(1min, channel.receive())) { ... *value ... }
    // move_on_after() gives an optional of that optional, empty when the time is over.
    [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(values_); }
    // A value, if there is one.
    [[nodiscard]] std::optional<T> try_receive() noexcept { return values_.try_receive(); }

    // co_await channel.reserve() gives a reservation: room for one value, whose send(value) neither waits
    // nor fails, also when the channel has been closed since. Its destructor gives the room back. Throws
    // channel_closed. Not for a rendezvous. Cancelled: nothing was reserved.
    [[nodiscard]] reserve_awaiter reserve() noexcept { return reserve_awaiter(values_); }

    // Nothing more is sent. Waiting sends throw channel_closed; what is in the channel, or comes from a
    // reservation, can be received. The second call does nothing.
    void close() noexcept { values_.close(); }
    [[nodiscard]] bool is_closed() const noexcept { return values_.is_closed(); }
    // Values that wait to be received.
    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return values_.capacity(); }

private:
    transfer_queue values_;
};

}  // namespace leat
