// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/connection.hpp>

#include <algorithm>

namespace leat {

void simulated_connection::flow::drop() noexcept {
    lost = bytes.size() - arrived;
    bytes.clear();
    arrived = under_way = 0;
    cut = true;
    unheard = false;
}

void simulated_connection::flow::cut_off() {
    bytes.drop_last(bytes.size() - arrived);
    under_way = 0;
    cut = true;
}

// For the record: both hosts and ports.
std::uint64_t simulated_connection::number() const noexcept {
    const std::uint64_t hosts =
        static_cast<std::uint64_t>(host(0)) << 16 | static_cast<std::uint64_t>(host(1));
    return hosts << 32 | std::uint64_t{name(0).port} << 16 | name(1).port;
}

void simulated_connection::carry(int side, std::size_t size, event_queue::action arrive) {
    flows_[index(side)].way.carry(size,
                                  [self = shared_from_this(), arrive = std::move(arrive)] { arrive(); });
}

void simulated_connection::tell(int side) {
    if (simulated_socket* const owner = ends_[index(side)].owner) {
        wire_.touch(*owner);
    }
}

void simulated_connection::set_send_buffer(int side, std::size_t size) {
    flows_[index(side)].send_buffer = size;
    tell(side);
}

void simulated_connection::set_receive_buffer(int side, std::size_t size) {
    flows_[index(1 - side)].receive_buffer = size;
    transmit(1 - side);
}

bool simulated_connection::over(int side) const noexcept {
    return ends_[index(side)].reset || (flows_[index(side)].end_asked && flows_[index(1 - side)].end_arrived);
}

// What has arrived counts first, also after a reset; an end before the error of a reset.
std::int64_t simulated_connection::read(int side, std::span<std::byte> into) {
    side_state& end = ends_[index(side)];
    flow& in = flows_[index(1 - side)];
    if (in.arrived > 0) {
        const std::size_t count = std::min(in.arrived, into.size());
        in.bytes.take(into.first(count));
        in.arrived -= count;
        transmit(1 - side);
        return static_cast<std::int64_t>(count);
    }
    if (in.end_arrived) {
        return 0;
    }
    if (end.error != 0) {
        return -take_error(side);
    }
    return end.reset || end.receive_shut ? 0 : -EAGAIN;
}

std::int64_t simulated_connection::write(int side, std::span<const std::byte> from) {
    side_state& end = ends_[index(side)];
    flow& out = flows_[index(side)];
    if (end.error != 0) {
        return -take_error(side);
    }
    if (end.reset || out.end_asked) {
        return -EPIPE;
    }
    if (name(1).is_path() && ends_[index(1 - side)].closed) {
        return -EPIPE;
    }
    if (out.unheard || from.empty()) {
        return static_cast<std::int64_t>(from.size());
    }
    const std::size_t count = std::min(out.room(), from.size());
    if (count == 0) {
        return -EAGAIN;
    }
    if (out.cut) {
        out.lost += count;
        return static_cast<std::int64_t>(count);
    }
    out.bytes.append(from.first(count));
    transmit(side);
    return static_cast<std::int64_t>(count);
}

bool simulated_connection::readable(int side) const noexcept {
    const side_state& end = ends_[index(side)];
    const flow& in = flows_[index(1 - side)];
    return in.arrived > 0 || in.end_arrived || end.error != 0 || end.reset || end.receive_shut;
}

bool simulated_connection::writable(int side) const noexcept {
    const side_state& end = ends_[index(side)];
    const flow& out = flows_[index(side)];
    return out.room() > 0 || out.end_asked || out.unheard || end.error != 0 || end.reset;
}

void simulated_connection::shut_receiving(int side) {
    ends_[index(side)].receive_shut = true;
    tell(side);
}

void simulated_connection::shut_sending(int side) {
    flows_[index(side)].end_asked = true;
    tell(side);
    transmit(side);
}

void simulated_connection::close(int side, bool with_reset) {
    side_state& end = ends_[index(side)];
    end.owner = nullptr;
    end.closed = true;
    if (end.reset || (side == 0 && !has_reached(step::requested))) {
        return;
    }
    if (side == 0 && !has_reached(step::answered)) {
        send_reset(side);
    } else if (with_reset || flows_[index(1 - side)].arrived > 0) {
        send_reset(side);
    } else {
        flows_[index(side)].end_asked = true;
        transmit(side);
    }
}

void simulated_connection::send_reset(int side) {
    side_state& end = ends_[index(side)];
    flow& out = flows_[index(side)];
    end.reset = true;
    out.bytes.drop_last(out.unsent());
    out.end_asked = out.end_sent = true;
    flows_[index(1 - side)].drop();
    carry(side, [this, side] { arrive_reset(side); });
}

void simulated_connection::vanish(int side) {
    side_state& end = ends_[index(side)];
    end.owner = nullptr;
    end.closed = end.gone = true;
    flows_[index(side)].cut_off();
    flows_[index(side)].way.forget();
    flow& in = flows_[index(1 - side)];
    in.bytes.drop_first(std::exchange(in.arrived, 0));
    transmit(1 - side);
}

// The network has broken the connection: both sides hear that from it.
void simulated_connection::break_off() {
    for (int side = 0; side < 2; ++side) {
        side_state& end = ends_[index(side)];
        wire_.note(simulated_event::reset, number(), side);
        end.reset = true;
        end.error = end.closed ? 0 : ECONNRESET;
        flows_[index(side)].cut_off();
        tell(side);
    }
}

// What the side has sent was never heard.
void simulated_connection::give_up(int side) {
    side_state& end = ends_[index(side)];
    wire_.note(simulated_event::lost, number(), side);
    end.gone = true;
    flows_[index(side)].cut_off();
    if (!end.reset) {
        end.reset = true;
        end.error = end.closed ? 0 : ETIMEDOUT;
        tell(side);
    }
    flow& in = flows_[index(1 - side)];
    in.unheard = in.cut;
    tell(1 - side);
}

// Sends as much as the window of the receiver allows.
void simulated_connection::transmit(int side) {
    flow& out = flows_[index(side)];
    const std::size_t unread = out.arrived + out.under_way;
    const std::size_t window = out.receive_buffer > unread ? out.receive_buffer - unread : 0;
    if (const std::size_t count = std::min(out.unsent(), window); count > 0) {
        if (has_reached(step::answered) && wire_.strikes(&simulated_faults::reset)) {
            break_off();
            return;
        }
        out.under_way += count;
        carry(side, count, [this, side, count] { arrive(side, count); });
    }
    if (out.end_asked && !out.end_sent && !out.cut && out.unsent() == 0) {
        out.end_sent = true;
        carry(side, [this, side] { arrive_end(side); });
    }
}

void simulated_connection::arrive(int side, std::size_t count) {
    flow& out = flows_[index(side)];
    if (out.cut) {
        return;
    }
    wire_.note(simulated_event::arrived, number(), static_cast<std::int64_t>(count));
    out.under_way -= count;
    out.arrived += count;
    out.arrived_ever += count;
    if (ends_[index(1 - side)].closed || ends_[index(1 - side)].gone) {
        send_reset(1 - side);
        return;
    }
    tell(1 - side);
    tell(side);
}

void simulated_connection::arrive_end(int side) {
    if (flows_[index(side)].cut) {
        return;
    }
    wire_.note(simulated_event::ended, number(), side);
    if (ends_[index(1 - side)].gone) {
        send_reset(1 - side);
        return;
    }
    flows_[index(side)].end_arrived = true;
    tell(1 - side);
}

void simulated_connection::arrive_reset(int side) {
    side_state& end = ends_[index(1 - side)];
    if (end.reset) {
        return;
    }
    wire_.note(simulated_event::reset, number(), side);
    end.reset = true;
    if (!end.closed) {
        end.error = flows_[index(side)].end_arrived ? EPIPE : ECONNRESET;
    }
    flows_[index(1 - side)].drop();
    tell(1 - side);
}

}  // namespace leat
