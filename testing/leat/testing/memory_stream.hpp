// SPDX-License-Identifier: MIT
// memory_stream: two byte streams joined in memory, on any backend, for tests of what runs over a stream. The
// test chooses the capacity between them and how much one operation moves, so that a sender blocks exactly
// when it should. They satisfy stream.hpp and check_stream().
#pragma once

#include <leat/stream.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace leat::testing {

struct memory_limits {
    // Bytes that may be on their way. 0: lockstep, where each send waits for a receive to take its bytes.
    std::size_t capacity = SIZE_MAX;
    // Bytes that one operation moves, and a recv_chunk no more than a million.
    std::size_t piece = 16 * 1024;
};

namespace detail {

struct memory_pipe;
using pieces = std::array<std::span<const std::byte>, 4>;

}  // namespace detail

class memory_stream {
public:
    using limits = memory_limits;

    // Two that are connected.
    [[nodiscard]] static std::pair<memory_stream, memory_stream> pair(memory_limits chosen = {});
    [[nodiscard]] static std::pair<memory_stream, memory_stream> lockstep_pair();

    memory_stream(memory_stream&&) noexcept = default;
    memory_stream& operator=(memory_stream&& other) noexcept {
        std::swap(in_, other.in_);
        std::swap(out_, other.out_);
        return *this;
    }
    ~memory_stream() {
        if (in_ != nullptr) {
            close();
        }
    }

    // As of tcp_stream, with what cancelling costs. Buffers and bytes stay alive until the task has ended.
    [[nodiscard]] task<std::size_t> recv(byte_buffer into);
    [[nodiscard]] task<> recv_exactly(byte_buffer into);
    [[nodiscard]] task<chunk> recv_chunk();
    void unread(chunk&& bytes);
    [[nodiscard]] task<std::size_t> send(byte_view from);
    [[nodiscard]] task<> send_all(byte_view from) { return send_pieces({from}); }
    template <typename... More>
        requires(sizeof...(More) > 0 && sizeof...(More) < std::tuple_size_v<detail::pieces>)
    [[nodiscard]] task<> send_all(byte_view first, const More&... more) {
        return send_pieces({first, byte_view(more)...});
    }
    // What has been sent so far; in lockstep what has been received of it.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept;

    // The peer receives what was sent, then the end.
    void shutdown_send();
    // The same, and what the peer sends fails with broken_pipe. Operations in flight here end with
    // operation_canceled, later ones with stream_errc::closed.
    void close() noexcept;
    // The same, but that the peer receives nothing more of what was sent: it fails with connection_reset, and
    // so does what it sends.
    void reset() noexcept;

private:
    using shared_pipe = std::shared_ptr<detail::memory_pipe>;

    memory_stream(shared_pipe in, shared_pipe out) noexcept : in_(std::move(in)), out_(std::move(out)) {}
    task<> send_pieces(detail::pieces pieces);
    [[nodiscard]] const shared_pipe& incoming() const noexcept;
    [[nodiscard]] const shared_pipe& outgoing() const noexcept;

    shared_pipe in_, out_;
};

}  // namespace leat::testing
