// SPDX-License-Identifier: MIT
// send_all with a limit on progress: a peer that takes a little again and again is served however slow it is,
// and one that takes nothing is given up. For every stream: TCP, TLS, a pipe, any_stream.
//
//   co_await leat::send_all(peer, page, {.stall = 30s});
//
// A timeout() around the send_all of a stream limits all of it instead, whatever moves meanwhile.
#pragma once

#include <leat/bytes.hpp>
#include <leat/clock.hpp>
#include <leat/stream.hpp>
#include <leat/task.hpp>
#include <leat/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>

namespace leat {

struct send_options {
    // How long the stream may take no byte at all. What it takes goes to the kernel, or over TLS to that as a
    // record of at most 16 KiB; when the peer receives it is not known.
    duration stall = std::chrono::seconds(30);
};

// Thrown when no byte was taken for so long: "no byte was taken for 30 s: 4096 of 100000 were sent".
class send_stalled : public timed_out {
public:
    send_stalled(duration stall, std::size_t sent, std::size_t size);
    [[nodiscard]] const char* what() const noexcept override { return text_.what(); }
    // What had been taken before.
    [[nodiscard]] std::size_t bytes_sent() const noexcept { return sent_; }

private:
    std::runtime_error text_;  // a string that copies without throwing
    std::size_t sent_;
};

namespace detail {

// What comes behind a part would stand behind a gap: a stream that has sent one and no more is given up.
template <send_stream Stream>
struct part_sent {
    part_sent(Stream& stream, std::size_t whole) noexcept : to(stream), size(whole) {}
    part_sent(const part_sent&) = delete;
    part_sent& operator=(const part_sent&) = delete;
    ~part_sent() {
        if (sent != 0 && sent != size) {
            reset_or_close(to);
        }
    }
    Stream& to;
    std::size_t size;
    std::size_t sent = 0;
};

}  // namespace detail

// co_await sends all the bytes. They and `to` stay alive until then, and nobody else sends on it. Throws
// send_stalled, or what the stream throws. Cancelled or failed before the first byte was taken: nothing was
// sent. Cancelled or failed later: the stream is reset, or closed if it has no reset.
template <send_stream Stream>
[[nodiscard]] task<> send_all(Stream& to, byte_view bytes, send_options options) {
    detail::part_sent<Stream> part(to, bytes.size());
    do {
        const std::span<const std::byte> rest = std::span<const std::byte>(bytes).subspan(part.sent);
        const auto taken = co_await move_on_after(options.stall, to.send(rest));
        if (!taken) {
            throw send_stalled(options.stall, part.sent, part.size);
        }
        part.sent += *taken;
    } while (part.sent < part.size);
}

}  // namespace leat
