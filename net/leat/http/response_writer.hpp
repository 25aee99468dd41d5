// SPDX-License-Identifier: MIT
// response_writer: how a handler of the HTTP server sends a body piece by piece: in chunks, or as many bytes
// as its Content-Length says. The head goes out with the first piece, the end when the handler returns. A
// handler that writes nothing gives its answer whole in head(), as one that returns a response does.
#pragma once

#include <leat/bytes.hpp>
#include <leat/http/core/server_exchange.hpp>
#include <leat/http/headers.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leat {

class file;

}  // namespace leat

namespace leat::http {

class response_writer;

namespace detail {

// Where the answers of a protocol other than HTTP/1 are written.
class body_writer {
public:
    body_writer(const body_writer&) = delete;
    body_writer& operator=(const body_writer&) = delete;
    // As response_writer::write(). Adds to `written` what the answer has of the piece, before it is sent.
    [[nodiscard]] virtual task<> write(response& head, std::string_view piece, std::uint64_t& written) = 0;
    // As response_writer::send_interim(), of a status that may be.
    [[nodiscard]] virtual task<> interim(int status, const headers& fields) = 0;

protected:
    body_writer() noexcept = default;
    ~body_writer() = default;
};

// What changes an answer's body on its way, for a handler that is around another (compressed()).
class body_filter {
public:
    body_filter(const body_filter&) = delete;
    body_filter& operator=(const body_filter&) = delete;
    // In place of response_writer::write(), which it passes on to.
    [[nodiscard]] virtual task<> write(std::string_view piece) = 0;

protected:
    // From now on all that is written comes here, until this ends. The filters of a writer end in reverse.
    explicit body_filter(response_writer& writer) noexcept;
    ~body_filter();
    [[nodiscard]] response& head() const noexcept;
    [[nodiscard]] task<> pass_on(std::string_view piece);

private:
    response_writer& writer_;
    body_filter* next_;  // that was there before
};

}  // namespace detail

class response_writer {
public:
    response_writer(const response_writer&) = delete;
    response_writer& operator=(const response_writer&) = delete;

    // Status and fields, to be set before the first write; and the body, where nothing is written.
    [[nodiscard]] response& head() noexcept { return head_; }
    // Sends `piece`, which lives until then, behind the answers before this one; completes when the kernel
    // has it, or in HTTP/2 when it is next to leave, so a slow reader slows the writer. Throws
    // std::system_error when the connection or the stream is gone, std::invalid_argument for more bytes than
    // the Content-Length that was set, for an invalid head, and when head() has a body. Cancelled: the answer
    // ends there; later writes throw stream_errc::broken.
    [[nodiscard]] task<> write(std::string_view piece);

    // Sends `size` bytes of `from`, beginning at `offset`, as pieces of the body: by sendfile(2) where the
    // body has a Content-Length and goes over plain TCP, as send_file() does. The file lives until then.
    // Completes, throws and is cancelled as write(); throws as file::read_at, and stream_errc::end_of_stream
    // when the file is shorter. For an answer without a body, as that to HEAD, one piece is read.
    [[nodiscard]] task<> write_file(file& from, std::uint64_t offset, std::uint64_t size);

    // How much of the body has been written so far; inside of compressed(), of its compressed form.
    [[nodiscard]] std::uint64_t bytes_written() const noexcept { return written_; }

    // Sends an answer of status 1xx before the answer itself, such as 103 with Link fields (RFC 8297), behind
    // the answers before this one; a client of HTTP/1.0, which knows none, gets nothing. Completes when the
    // kernel has it, or in HTTP/2 when it is among what leaves next. Throws std::invalid_argument for another
    // status, for 100 and 101, which are the server's, and behind a write; otherwise as write(). Cancelled:
    // as write().
    [[nodiscard]] task<> send_interim(int status, headers fields = {});

    // Adds a field that is sent behind the body (RFC 9110 6.5), when the handler returns. In HTTP/1.1 only a
    // body in chunks has such: with a Content-Length, and for HTTP/1.0, it is left out, as any recipient may
    // do; and for HEAD, and for an answer in head() alone. Throws std::invalid_argument for a field that
    // may not come so late, such as Content-Type, and as headers::add() does.
    void add_trailer(std::string_view name, std::string_view value);

    // For the server: how to send on its connection (send() of
    // serve_connection.hpp), and the end of the answer: gives what is to be sent behind out(). Throws when
    // bytes of the body are missing.
    using send_function = task<> (*)(void* stream, detail::server_exchange& exchange, byte_view piece,
                                     byte_view behind);
    // And, unless null, how to send a part of a file at once, as far as that goes.
    using send_file_function = std::size_t (*)(void* stream, const file& from, std::uint64_t offset,
                                               std::size_t size);
    response_writer(detail::server_exchange& exchange, void* stream, send_function send,
                    send_file_function send_file = nullptr) noexcept
        : exchange_(exchange), stream_(stream), send_(send), send_file_(send_file) {}
    [[nodiscard]] std::string_view finish();
    [[nodiscard]] headers& trailers() noexcept { return trailers_; }
    // The same over another protocol, for which there is no finish().
    response_writer(detail::server_exchange& exchange, detail::body_writer& elsewhere) noexcept
        : exchange_(exchange), stream_(nullptr), send_(nullptr), elsewhere_(&elsewhere) {}

private:
    friend class detail::body_filter;
    void begin();
    [[nodiscard]] std::size_t try_file(const file& from, std::uint64_t offset, std::size_t size);
    [[nodiscard]] task<> write_unfiltered(std::string_view piece);

    detail::server_exchange& exchange_;
    void* stream_;
    send_function send_;
    send_file_function send_file_ = nullptr;
    detail::body_writer* elsewhere_ = nullptr;  // null for HTTP/1
    detail::body_filter* filter_ = nullptr;
    response head_;
    headers trailers_;
    detail::server_exchange::body_form form_ = detail::server_exchange::body_form::chunked;
    std::uint64_t left_ = 0;  // of a counted body
    std::uint64_t written_ = 0;
    bool begun_ = false;
};

}  // namespace leat::http
