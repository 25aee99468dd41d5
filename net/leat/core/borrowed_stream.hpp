// SPDX-License-Identifier: MIT
// borrowed_stream: a stream that somebody else owns, as a stream: to give it to code that takes one, such as
// any_stream, for a while.
// Invariant: what it refers to lives as long, and stays where it is.
#pragma once

#include <leat/framing/core/recv_part.hpp>
#include <leat/stream.hpp>

#include <utility>

namespace leat::detail {

template <stream Stream>
class borrowed_stream {
public:
    explicit borrowed_stream(Stream& of) noexcept : of_(&of) {}

    auto recv(byte_buffer into) { return of_->recv(into); }
    auto recv_exactly(byte_buffer into) { return of_->recv_exactly(into); }
    auto recv_chunk() { return of_->recv_chunk(); }
    void unread(chunk&& bytes)
        requires pushback_stream<Stream>
    {
        of_->unread(std::move(bytes));
    }
    auto send(byte_view from) { return of_->send(from); }
    auto send_all(byte_view first, const auto&... more) { return of_->send_all(first, more...); }
    auto shutdown_send() { return of_->shutdown_send(); }
    [[nodiscard]] bool is_quiet() const noexcept
        requires requires(const Stream& stream) { stream.is_quiet(); }
    {
        return of_->is_quiet();
    }
    void close() noexcept { of_->close(); }
    void reset() noexcept { reset_or_close(*of_); }

    friend task<std::optional<std::string>> recv_part(borrowed_stream& from, detail::wanted asked) {
        return recv_part_of(*from.of_, asked);
    }

private:
    Stream* of_;
};

}  // namespace leat::detail
