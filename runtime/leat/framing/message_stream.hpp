// SPDX-License-Identifier: MIT
// message_stream: messages of one format (message_format.hpp) over a byte stream, in both directions. It owns
// its stream, or refers to one: message_stream<tcp_stream&>. For a stream that only sends there is
// send_message.
//
//   leat::message_stream peer(std::move(connection), leat::message_format::with_digits(5));
//   while (const auto question = co_await peer.recv()) {
//       co_await peer.send(answer_to(*question));
//   }
#pragma once

#include <leat/framing/buffered_reader.hpp>
#include <leat/framing/message_format.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace leat {

// co_await sends `message`, with its length or its terminator, as one piece where the stream can. The
// message, the format and the stream stay alive until then. Throws, before a byte is sent, framing_errc if
// the format does not allow the message: it is longer than the limit or than its length can say, empty, or
// the peer would see the terminator inside it. Otherwise as send_all of the stream, also if it is cancelled.
template <send_stream Stream>
[[nodiscard]] task<> send_message(Stream& to, const message_format& format, std::string_view message) {
    const detail::message_head head = format.head_of(message);
    const std::string_view end = format.terminator();
    if constexpr (requires { to.send_all(head.text(), message, end); }) {
        co_await to.send_all(head.text(), message, end);
    } else {
        std::string whole;  // in one call: no cancellation comes between the parts
        whole.reserve(head.size + message.size() + end.size());
        whole.append(head.text()).append(message).append(end);
        co_await to.send_all(whole);
    }
}

template <typename Stream>
class message_stream : public detail::at_home_in_run {
    using stream_type = std::remove_reference_t<Stream>;

public:
    // Takes the stream over, or refers to it; then the stream outlives this.
    message_stream(Stream&& of, message_format format) noexcept
        : reader_(std::forward<Stream>(of)), format_(std::move(format)) {}

    // co_await gives std::optional<std::string_view>: the next message, valid until the next recv(), or
    // nothing at the end of the stream. Throws a framing_errc for what is no message that the format allows,
    // stream_errc::end_of_stream for an end inside of one. Cancelled or failed: nothing was taken.
    auto recv() noexcept { return reader_.message(format_); }
    // Whether recv() would give a message, or an error, of what has been received already.
    [[nodiscard]] bool has_message() const noexcept { return reader_.has_message(format_); }
    // As send_message(). One task may send while another receives.
    [[nodiscard]] task<> send(std::string_view message)
        requires send_stream<stream_type>
    {
        return send_message(stream(), format_, message);
    }

    // What it reads with: for lines and bytes between the messages.
    [[nodiscard]] buffered_reader<Stream>& reader() noexcept { return reader_; }
    [[nodiscard]] stream_type& stream() noexcept { return reader_.stream(); }
    [[nodiscard]] const message_format& format() const noexcept { return format_; }
    void close() noexcept { reader_.close(); }
    void detach()
        requires requires(stream_type& of) { of.detach(); }
    {
        reader_.detach();
    }

private:
    buffered_reader<Stream> reader_;
    message_format format_;
};

template <typename Stream>
message_stream(Stream&&, message_format) -> message_stream<Stream>;

}  // namespace leat
