// SPDX-License-Identifier: MIT
// simulated_connection: a TCP connection between two sockets, or one of the Unix family: its bytes in both
// directions, windows, ends and resets, as Linux has them. It lives until both sockets have closed and all
// its bytes have arrived or are dropped. Side 0 is the client's, side 1 the server's.
// Invariant: bytes arrive once and in order, and the end or a reset arrives behind them.
#pragma once

#include <leat/backends/simulated/byte_fifo.hpp>
#include <leat/backends/simulated/lane.hpp>
#include <leat/backends/simulated/socket_name.hpp>

#include <array>
#include <cstdint>

namespace leat {

class simulated_connection : public std::enable_shared_from_this<simulated_connection> {
public:
    // What a side is, for its whole life.
    struct end_point {
        socket_name name;
        int host;
    };

    simulated_connection(simulated_wire& wire, end_point client, end_point server)
        : wire_(wire),
          points_{std::move(client), std::move(server)},
          flows_{flow(*this, 0), flow(*this, 1)} {}

    [[nodiscard]] const socket_name& name(int side) const noexcept { return points_[index(side)].name; }
    [[nodiscard]] int host(int side) const noexcept { return points_[index(side)].host; }
    // The socket of a side, which is told of changes; of the server's side its listener until it is accepted.
    // Null once it has closed.
    void attach(int side, simulated_socket& owner) noexcept { ends_[index(side)].owner = &owner; }
    [[nodiscard]] simulated_socket* owner(int side) const noexcept { return ends_[index(side)].owner; }
    [[nodiscard]] bool closed(int side) const noexcept { return ends_[index(side)].closed; }

    // The steps of a handshake: the server has the request; the client has the answer, and may send; the
    // server knows that, and may accept. A side that knows of the other must end the connection.
    enum class step : std::uint8_t { begun, requested, answered, established };
    void advance(step reached) noexcept { reached_ = reached; }
    [[nodiscard]] bool has_reached(step asked) const noexcept { return reached_ >= asked; }
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
    // How many of the bytes that the side has written have not arrived.
    [[nodiscard]] std::size_t unarrived(int side) const noexcept {
        const flow& sent = flows_[index(side)];
        return sent.bytes.size() - sent.arrived;
    }
    // How many bytes have arrived at the side so far.
    [[nodiscard]] std::uint64_t received(int side) const noexcept {
        return flows_[index(1 - side)].arrived_ever;
    }
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
    // Whether nothing will come of a connection that is not established yet.
    [[nodiscard]] bool stillborn() const noexcept {
        return !has_reached(step::established) && (ends_[1].reset || ends_[0].gone);
    }
    // The side is gone without a word, and answers what arrives by resets.
    void vanish(int side);

    // Carries what is not of the stream, behind what `side` has sent.
    void carry(int side, event_queue::action arrive) { carry(side, 0, std::move(arrive)); }

private:
    // What one side knows.
    struct side_state {
        simulated_socket* owner = nullptr;
        bool closed = false;
        bool gone = false;          // knows nothing of the connection any more
        bool reset = false;         // sent or received, or given up
        bool receive_shut = false;  // shutdown(SHUT_RD)
        int error = 0;
    };
    // What one side sends. Its bytes have arrived (the first), are under way, or are not sent yet (the last).
    struct flow {
        flow(simulated_connection& owner, int side)
            : way(owner.wire_, owner.host(side), owner.host(1 - side),
                  [&owner, side] { owner.give_up(side); }) {}

        byte_fifo bytes;
        std::size_t arrived = 0;
        std::uint64_t arrived_ever = 0;
        std::size_t under_way = 0;
        std::size_t send_buffer = 0;     // of its sender, for what has not arrived
        std::size_t receive_buffer = 0;  // of its receiver, for the rest
        bool end_asked = false;          // nothing more is written
        bool end_sent = false;
        bool end_arrived = false;
        bool cut = false;      // by a reset: what is written is lost
        std::size_t lost = 0;  // of that, what fills the send buffer until the sender hears of the reset
        bool unheard = false;  // which it never will: all that is written is lost
        simulated_lane way;

        [[nodiscard]] std::size_t unsent() const noexcept { return bytes.size() - arrived - under_way; }
        [[nodiscard]] std::size_t room() const noexcept {
            const std::size_t used = bytes.size() - arrived + lost;
            return used < send_buffer ? send_buffer - used : 0;
        }
        void drop() noexcept;
        // What has not arrived is lost.
        void cut_off();
    };

    static std::size_t index(int side) noexcept { return static_cast<std::size_t>(side); }
    void carry(int side, std::size_t size, event_queue::action arrive);
    void transmit(int side);
    void break_off();
    void give_up(int side);
    void arrive(int side, std::size_t count);
    void arrive_end(int side);
    void arrive_reset(int side);
    void tell(int side);
    [[nodiscard]] std::uint64_t number() const noexcept;

    simulated_wire& wire_;
    std::array<end_point, 2> points_;
    std::array<side_state, 2> ends_;
    std::array<flow, 2> flows_;  // by sender
    step reached_ = step::begun;
};

}  // namespace leat
