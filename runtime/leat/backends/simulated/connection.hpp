// SPDX-License-Identifier: MIT
// simulated_connection: a TCP connection between two sockets: its bytes in both directions, windows, ends
// and resets, as Linux has them. It lives until both sockets have closed and nothing of it is under way.
// Side 0 is the client's, side 1 the server's.
// Invariant: bytes arrive once and in order, and the end or a reset arrives behind them.
#pragma once

#include <leat/backends/simulated/byte_fifo.hpp>
#include <leat/backends/simulated/socket_name.hpp>
#include <leat/backends/simulated/wire.hpp>

#include <array>

namespace leat {

class simulated_connection : public std::enable_shared_from_this<simulated_connection> {
public:
    simulated_connection(simulated_wire& wire, const socket_name& client, const socket_name& server) noexcept
        : wire_(wire), names_{client, server} {}

    [[nodiscard]] const socket_name& name(int side) const noexcept { return names_[index(side)]; }
    // The socket of a side, which is told of changes; null while it is in a queue, and once it has closed.
    void attach(int side, simulated_socket& owner) noexcept { ends_[index(side)].owner = &owner; }
    [[nodiscard]] simulated_socket* owner(int side) const noexcept { return ends_[index(side)].owner; }
    [[nodiscard]] bool closed(int side) const noexcept { return ends_[index(side)].closed; }
    // The client knows of the connection: now it may send, and must end it.
    void open() noexcept { open_ = true; }
    // Whether the side has nothing left to do with its peer.
    [[nodiscard]] bool over(int side) const noexcept;
    // Bytes; changing them lets more be sent.
    void set_send_buffer(int side, std::size_t size);
    void set_receive_buffer(int side, std::size_t size);

    // Both do what is possible at once: a count, or a negated errno, such as -EAGAIN.
    std::int64_t read(int side, std::span<std::byte> into);
    std::int64_t write(int side, std::span<const std::byte> from);
    [[nodiscard]] bool readable(int side) const noexcept;
    [[nodiscard]] bool writable(int side) const noexcept;
    [[nodiscard]] bool failed(int side) const noexcept { return ends_[index(side)].error != 0; }
    // The error that SO_ERROR tells, once.
    int take_error(int side) noexcept { return std::exchange(ends_[index(side)].error, 0); }

    void shut_receiving(int side);
    void shut_sending(int side);
    // The owner goes. The peer gets what was sent and an end; or a reset if it is asked for, or if something
    // was not read.
    void close(int side, bool with_reset);
    // Forgets everything, and tells the peer by a reset.
    void send_reset(int side);

    // Carries what is not of the stream, behind what `side` has sent.
    void carry(int side, event_queue::action arrive) {
        wire_.carry(flows_[index(side)].way,
                    [self = shared_from_this(), arrive = std::move(arrive)] { arrive(); });
    }

private:
    // What one side knows.
    struct side_state {
        simulated_socket* owner = nullptr;
        bool closed = false;
        bool reset = false;         // sent or received
        bool receive_shut = false;  // shutdown(SHUT_RD)
        int error = 0;
    };
    // What one side sends. Its bytes have arrived (the first), are under way, or are not sent yet (the last).
    struct flow {
        byte_fifo bytes;
        std::size_t arrived = 0;
        std::size_t under_way = 0;
        std::size_t send_buffer = 0;     // of its sender, for what has not arrived
        std::size_t receive_buffer = 0;  // of its receiver, for the rest
        bool end_asked = false;          // nothing more is written
        bool end_sent = false;
        bool end_arrived = false;
        bool cut = false;  // by a reset: what is written is lost
        simulated_wire::lane way;

        [[nodiscard]] std::size_t unsent() const noexcept { return bytes.size() - arrived - under_way; }
        [[nodiscard]] std::size_t room() const noexcept {
            const std::size_t used = bytes.size() - arrived;
            return used < send_buffer ? send_buffer - used : 0;
        }
        void drop() noexcept;
    };

    static std::size_t index(int side) noexcept { return static_cast<std::size_t>(side); }
    void transmit(int side);
    void arrive(int side, std::size_t count);
    void arrive_end(int side);
    void arrive_reset(int side);
    void tell(int side);
    [[nodiscard]] std::uint64_t number() const noexcept;

    simulated_wire& wire_;
    std::array<socket_name, 2> names_;
    std::array<side_state, 2> ends_;
    std::array<flow, 2> flows_;  // by sender
    bool open_ = false;
};

}  // namespace leat
