// SPDX-License-Identifier: MIT
// request_body_reader: how a handler of the HTTP server reads its request's body piece by piece, as it
// arrives. What is not read is not received, so a handler that is slow slows its client down:
//
//     using namespace leat::http;
//     leat::task<response> store(const request& asked, request_body_reader& body) {
//         response made;
//         body.set_limit(std::uint64_t(8) << 30);
//         auto upload = co_await leat::file::create("upload");
//         co_await body.copy_to(upload);
//         co_await upload.close();
//         co_return made;
//     }
//
// A client that waits for "100 Continue" gets it when the handler begins to read. Trailers are in
// request::trailers once the body has been read to its end.
//
// What is wrong with a body is thrown as std::system_error: http::error::body_too_large, truncated_body (the
// client has ended too early), bad_chunk and its like, errc::connection_reset. A handler that lets that pass
// answers with 413 or 400, and nothing is reported. Whatever it answers, the connection ends then, in HTTP/2
// the stream (errc::connection_reset is that of a stream that the client has reset). A client
// that makes no progress (server_limits::body) while a handler waits for it is answered with 408, and the
// handler is cancelled.
//
// A handler need not read all. Behind its answer the server reads and drops a rest of up to 64 KiB; for a
// longer one it closes the connection, and so it does when "100 Continue" was not sent. In HTTP/2 it resets
// the stream behind the answer, by NO_ERROR.
#pragma once

#include <leat/http/core/incoming_body.hpp>
#include <leat/task.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::http {

namespace detail {

// What pieces of text can be sent to: a stream, a response_writer, and a file.
template <typename Sink>
concept takes_all = requires(Sink& sink, std::string_view piece) { sink.send_all(piece); };
template <typename Sink>
concept takes_written = requires(Sink& sink, std::string_view piece) { sink.write(piece); };
template <typename Sink>
concept takes_at_offset =
    requires(Sink& sink, std::string_view piece, std::uint64_t offset) { sink.write_at(offset, piece); };

}  // namespace detail

class request_body_reader {
public:
    // For servers. At most `limit` bytes are read.
    request_body_reader(detail::incoming_body& body, std::uint64_t limit) noexcept
        : body_(body), limit_(limit) {}
    request_body_reader(const request_body_reader&) = delete;
    request_body_reader& operator=(const request_body_reader&) = delete;

    // The Content-Length; 0 for a request without a body; nothing for a body whose length was not told.
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return body_.size(); }
    // How long the body may be, in place of server_limits::body_bytes: a longer one is an error of the next
    // read().
    void set_limit(std::uint64_t bytes) noexcept { limit_ = bytes; }
    // The bytes that read() has given so far.
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }

    // The next piece, as it has arrived; empty at the end, also when asked again. It is good until the next
    // call. Throws as said above. Cancelled: no byte is lost, the next call gives it; but a client of HTTP/1
    // that was just being sent "100 Continue" is cut off. One task at a time, which ends before the handler
    // does.
    [[nodiscard]] task<std::string_view> read();

    // All that is still to come. `limit`: as set_limit(limit). Cancelled or failed: what had come is lost.
    [[nodiscard]] task<std::string> read_all();
    [[nodiscard]] task<std::string> read_all(std::uint64_t limit) {
        set_limit(limit);
        return read_all();
    }

    // What has been read is no good: read() throws `why` from now on. A handler that lets that pass answers
    // with 413 for error::form_too_large and the like, else with 400, and nothing is reported.
    void refuse(std::error_code why) noexcept { body_.refuse(why); }

    // Sends all that is still to come to a stream or a response_writer; gives how many bytes that were. The
    // next piece is received when the one before was taken. The sink lives until then and stays open.
    // Throws what it throws, too. Cancelled or failed: a part has been sent.
    template <typename Sink>
        requires detail::takes_all<Sink> || detail::takes_written<Sink>
    [[nodiscard]] task<std::uint64_t> copy_to(Sink& sink) {
        const std::uint64_t before = bytes_read_;
        for (;;) {
            const std::string_view piece = co_await read();
            if (piece.empty()) {
                co_return bytes_read_ - before;
            }
            if constexpr (detail::takes_all<Sink>) {
                co_await sink.send_all(piece);
            } else {
                co_await sink.write(piece);
            }
        }
    }
    // The same into a leat::file that was opened to write, but not to append, from `offset` on.
    template <detail::takes_at_offset File>
    [[nodiscard]] task<std::uint64_t> copy_to(File& file, std::uint64_t offset = 0) {
        const std::uint64_t before = bytes_read_;
        for (;;) {
            const std::string_view piece = co_await read();
            const std::uint64_t written = bytes_read_ - before - piece.size();
            if (piece.empty()) {
                co_return written;
            }
            co_await file.write_at(offset + written, piece);
        }
    }

private:
    detail::incoming_body& body_;
    std::uint64_t limit_;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace leat::http
