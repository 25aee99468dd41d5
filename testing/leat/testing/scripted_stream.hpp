// SPDX-License-Identifier: MIT
// scripted_stream: a byte stream whose peer follows a script, for tests of code that speaks a protocol.
//
//   leat::testing::scripted_stream server;
//   server.expect("GET / HTTP/1.1\r\n\r\n").answer("HTTP/1.1 200 OK\r\n").wait(10ms).answer("\r\n").end();
//   const auto verdict = server.verdict();
//   co_await fetch(std::move(server));
//   CHECK(verdict.text() == "");
//
// The peer takes one step after the other. Sent bytes must be the expected ones, in pieces of any size;
// anything else throws script_mismatch, which shows both texts, and stays in the verdict. Bytes that are sent
// while it is about to answer wait until the answer has been received. Lines end with "\r\n". A part that
// differs from run to run, such as a date, can be skipped:
//
//   server.expect_line("QUIT").answer("bye\r\n");
//   server.expect("id=").expect_any(8).expect_line("").answer("ok");
#pragma once

#include <leat/clock.hpp>
#include <leat/stream.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::testing {

namespace detail {

struct script;

}  // namespace detail

class script_mismatch : public std::logic_error {
public:
    using logic_error::logic_error;
};

// How the script of a stream went, also when the stream is gone.
class script_verdict {
public:
    // The first difference from the script, or else the steps that are left; empty if all went as it was
    // written. An end that was not received, or a wait before it, does not count.
    [[nodiscard]] std::string text() const;

private:
    friend class scripted_stream;
    explicit script_verdict(std::shared_ptr<const detail::script> played) noexcept
        : script_(std::move(played)) {}
    std::shared_ptr<const detail::script> script_;
};

class scripted_stream {
public:
    scripted_stream();
    scripted_stream(scripted_stream&&) noexcept = default;
    scripted_stream& operator=(scripted_stream&&) noexcept = default;
    ~scripted_stream() = default;

    // The next step of the peer. Texts are copied.
    scripted_stream& expect(std::string_view text);       // it receives this
    scripted_stream& expect_line(std::string_view text);  // it receives this and "\r\n"
    scripted_stream& expect_any(std::size_t count);       // it receives so many bytes, whatever they are
    // It receives whatever comes until shutdown_send(), perhaps nothing, and goes on then. It expects nothing
    // after that. A stream that is closed or gone before has sent all that it will, and nothing is missing.
    scripted_stream& expect_any();
    scripted_stream& answer(std::string_view text);  // it sends this
    scripted_stream& wait(duration length);          // it does nothing for so long
    // Whatever is received or sent then fails, once, with this.
    scripted_stream& fail(std::errc error);
    scripted_stream& end();  // it sends no more, and may expect something all the same

    [[nodiscard]] script_verdict verdict() const { return script_verdict(script_); }

    // As of any stream. Cancelling has the same effects as on a tcp_stream, except that a send_all that is
    // cancelled midway breaks nothing.
    [[nodiscard]] task<std::size_t> recv(byte_buffer into);
    [[nodiscard]] task<> recv_exactly(byte_buffer into);
    [[nodiscard]] task<chunk> recv_chunk();
    void unread(chunk&& bytes);
    [[nodiscard]] task<std::size_t> send(byte_view from);
    [[nodiscard]] task<> send_all(byte_view from) { return send_pieces({from}); }
    template <typename... More>
        requires(sizeof...(More) > 0 && sizeof...(More) < 4)
    [[nodiscard]] task<> send_all(byte_view first, const More&... more) {
        return send_pieces({first, byte_view(more)...});
    }
    void shutdown_send();
    void close() noexcept;

private:
    task<> send_pieces(std::array<std::span<const std::byte>, 4> pieces);

    std::shared_ptr<detail::script> script_;
};

}  // namespace leat::testing
