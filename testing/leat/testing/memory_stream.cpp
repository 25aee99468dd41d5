// SPDX-License-Identifier: MIT
#include <leat/testing/memory_stream.hpp>

#include <leat/core/one_user.hpp>
#include <leat/sync/event.hpp>
#include <leat/testing/core/received_part.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace leat::testing {

// One direction. Bytes stand in `sent`, or where a sender that is in lockstep has them.
struct detail::memory_pipe {
    explicit memory_pipe(memory_limits chosen) noexcept : allowed(chosen) {}

    [[nodiscard]] bool readable() const noexcept { return ready() > 0 || ended; }
    [[nodiscard]] std::size_t ready() const noexcept {
        const std::string& kept = first();
        return !kept.empty() ? kept.size() : offered.size();
    }
    [[nodiscard]] const std::string& first() const noexcept {
        return !returned.bytes.empty() ? returned.bytes : sent;
    }
    // What there is, as much as fits; 0 at the end.
    std::size_t take(std::span<std::byte> into) {
        const std::size_t count = std::min({ready(), into.size(), allowed.piece});
        std::string& kept = !returned.bytes.empty() ? returned.bytes : sent;
        if (!kept.empty()) {
            std::memcpy(into.data(), kept.data(), count);
            kept.erase(0, count);
        } else if (count > 0) {
            std::memcpy(into.data(), offered.data(), count);
            offered = offered.subspan(count);
            taken += count;
        }
        change();
        return count;
    }
    // Wakes all who wait for something else to be so.
    void change() noexcept {
        changed.set();
        changed.reset();
    }

    memory_limits allowed;
    given_back returned;
    std::string sent;
    std::span<const std::byte> offered;
    std::size_t taken = 0;  // of what is offered
    std::uint64_t bytes_sent = 0;
    bool ended = false;  // by the sender
    bool send_broken = false;
    bool sender_closed = false;
    bool receiver_closed = false;
    bool was_reset = false;  // by either side
    leat::detail::one_user sender;
    leat::detail::one_user receiver;
    event changed;
};

namespace {

using detail::memory_pipe;
using detail::pieces;
using leat::detail::one_user;
using shared_pipe = std::shared_ptr<memory_pipe>;

[[noreturn]] void fail(std::error_code code, const char* what) {
    throw std::system_error(code, what);
}

// Returns when there is something to take, or the end.
task<> wait_readable(shared_pipe from) {
    co_await one_user::turn(from->receiver, "two tasks receive from one stream at once");
    const one_user::use receiving(from->receiver);
    if (from->receiver_closed) {
        fail(stream_errc::closed, "recv");
    }
    if (from->returned.lost) {
        detail::fail_as_lost();
    }
    while (!from->readable()) {
        co_await from->changed.wait();
        if (from->receiver_closed) {
            fail(std::make_error_code(std::errc::operation_canceled), "recv");
        }
    }
    if (from->was_reset) {
        fail(std::make_error_code(std::errc::connection_reset), "recv");
    }
}

task<std::size_t> receive(shared_pipe from, byte_buffer into) {
    co_await wait_readable(from);
    co_return from->take(into);
}

task<> receive_exactly(shared_pipe from, byte_buffer into) {
    if (into.size() == 0 && from->receiver_closed) {
        fail(stream_errc::closed, "recv");
    }
    co_await detail::receive_whole(from->returned, into,
                                   [&](byte_buffer rest) { return receive(from, rest); });
}

// A chunk has a length of 32 bits.
constexpr std::size_t chunk_max = 1'000'000;

task<chunk> receive_chunk(shared_pipe from) {
    co_await wait_readable(from);
    const std::size_t size = std::min({from->ready(), from->allowed.piece, chunk_max});
    if (size == 0) {
        co_return chunk();
    }
    chunk received(heap_buffers, new std::byte[size], 0, static_cast<std::uint32_t>(size));
    from->take({const_cast<std::byte*>(received.data()), size});
    co_return received;
}

void check_sending(const memory_pipe& into) {
    if (into.sender_closed) {
        fail(std::make_error_code(std::errc::operation_canceled), "send");
    }
    if (into.was_reset) {
        fail(std::make_error_code(std::errc::connection_reset), "send");
    }
    if (into.ended || into.receiver_closed) {
        fail(std::make_error_code(std::errc::broken_pipe), "send");
    }
}

// What a sender in lockstep has, for as long as it waits.
class offer {
public:
    offer(memory_pipe& into, std::span<const std::byte> bytes) noexcept : into_(into) {
        into_.offered = bytes;
        into_.taken = 0;
        into_.change();
    }
    ~offer() {
        into_.offered = {};
        into_.bytes_sent += into_.taken;
    }
    offer(const offer&) = delete;
    offer& operator=(const offer&) = delete;

private:
    memory_pipe& into_;
};

task<std::size_t> send_in_lockstep(shared_pipe into, std::span<const std::byte> from) {
    const offer made(*into, from);
    while (into->taken == 0) {
        check_sending(*into);
        co_await into->changed.wait();
    }
    co_return into->taken;
}

task<std::size_t> send_buffered(shared_pipe into, std::span<const std::byte> from) {
    while (into->sent.size() >= into->allowed.capacity) {
        co_await into->changed.wait();
        check_sending(*into);
    }
    const std::size_t room = into->allowed.capacity - into->sent.size();
    const std::size_t count = std::min({from.size(), room, into->allowed.piece});
    into->sent.append(reinterpret_cast<const char*>(from.data()), count);
    into->bytes_sent += count;
    into->change();
    co_return count;
}

task<std::size_t> put(shared_pipe into, std::span<const std::byte> from) {
    co_await one_user::turn(into->sender, "two tasks send on one stream at once");
    const one_user::use sending(into->sender);
    if (into->sender_closed) {
        fail(stream_errc::closed, "send");
    }
    if (into->send_broken) {
        fail(stream_errc::broken, "send");
    }
    check_sending(*into);
    if (from.empty()) {
        co_return 0;
    }
    if (into->allowed.capacity == 0) {
        co_return co_await send_in_lockstep(into, from);
    }
    co_return co_await send_buffered(into, from);
}

// Breaks the direction unless all of a send_all, or nothing, has gone out.
struct sent_part {
    ~sent_part() { into.send_broken |= into.bytes_sent != before && into.bytes_sent != before + size; }
    memory_pipe& into;
    std::size_t size;
    std::uint64_t before = into.bytes_sent;
};

task<> put_all(shared_pipe into, pieces all) {
    std::size_t size = 0;
    for (const auto& each : all) {
        size += each.size();
    }
    const sent_part part{*into, size};
    if (size == 0) {
        co_await put(into, {});
    }
    for (std::span<const std::byte> rest : all) {
        while (!rest.empty()) {
            const std::size_t count = co_await put(into, rest);
            rest = rest.subspan(count);
        }
    }
}

}  // namespace

std::pair<memory_stream, memory_stream> memory_stream::pair(memory_limits chosen) {
    check(chosen.piece > 0, "an operation moves at least one byte");
    auto one = std::make_shared<memory_pipe>(chosen);
    auto other = std::make_shared<memory_pipe>(chosen);
    return {memory_stream(one, other), memory_stream(other, one)};
}

std::pair<memory_stream, memory_stream> memory_stream::lockstep_pair() {
    return pair({.capacity = 0});
}

task<std::size_t> memory_stream::recv(byte_buffer into) {
    leat::detail::check_room(into.size());
    return receive(incoming(), into);
}

task<> memory_stream::recv_exactly(byte_buffer into) {
    return receive_exactly(incoming(), into);
}

task<chunk> memory_stream::recv_chunk() {
    return receive_chunk(incoming());
}

void memory_stream::unread(chunk&& bytes) {
    if (incoming()->receiver_closed) {
        fail(stream_errc::closed, "unread");
    }
    leat::detail::check_no_receiver(in_->receiver.has_begun());
    in_->returned.bytes.insert(0, bytes.text());
    bytes.reset();
}

task<std::size_t> memory_stream::send(byte_view from) {
    return put(outgoing(), from);
}

task<> memory_stream::send_pieces(detail::pieces all) {
    return put_all(outgoing(), all);
}

std::uint64_t memory_stream::bytes_sent() const noexcept {
    return outgoing()->bytes_sent;
}

void memory_stream::shutdown_send() {
    if (outgoing()->sender_closed) {
        fail(stream_errc::closed, "shutdown_send");
    }
    out_->ended = true;
    out_->change();
}

void memory_stream::close() noexcept {
    incoming()->receiver_closed = true;
    out_->ended = out_->sender_closed = true;
    in_->change();
    out_->change();
}

void memory_stream::reset() noexcept {
    if (!incoming()->receiver_closed) {
        in_->was_reset = out_->was_reset = true;
        close();
    }
}

const memory_stream::shared_pipe& memory_stream::incoming() const noexcept {
    check(in_ != nullptr, "the stream was moved from");
    return in_;
}

const memory_stream::shared_pipe& memory_stream::outgoing() const noexcept {
    check(out_ != nullptr, "the stream was moved from");
    return out_;
}

}  // namespace leat::testing
