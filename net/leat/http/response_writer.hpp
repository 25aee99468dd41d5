// SPDX-License-Identifier: MIT
// response_writer: how a handler of the HTTP server sends a body piece by piece: in chunks, or as many bytes
// as its Content-Length says. The head goes out with the first piece, the end when the handler returns.
#pragma once

#include <leat/bytes.hpp>
#include <leat/http/server_exchange.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <string_view>

namespace leat::http {

class response_writer {
public:
    response_writer(const response_writer&) = delete;
    response_writer& operator=(const response_writer&) = delete;

    // Status and fields, to be set before the first write.
    [[nodiscard]] response& head() noexcept { return head_; }
    // Sends `piece`, which lives until then; completes when the kernel has it, so a slow reader slows the
    // writer. Throws std::system_error when the connection is gone, std::invalid_argument for more bytes than
    // the Content-Length that was set.
    [[nodiscard]] task<> write(std::string_view piece);

    // For the server: how to send on its connection, and the end of the body, which throws when bytes of it
    // are missing.
    using send_function = task<> (*)(void* stream, byte_view, byte_view, byte_view);
    response_writer(server_exchange& exchange, void* stream, send_function send) noexcept
        : exchange_(exchange), stream_(stream), send_(send) {}
    void finish();
    [[nodiscard]] bool begun() const noexcept { return begun_; }
    // What it threw last was the connection's doing.
    [[nodiscard]] bool lost() const noexcept { return lost_; }

private:
    task<> send(std::string_view piece, std::string_view behind);
    void begin();

    server_exchange& exchange_;
    void* stream_;
    send_function send_;
    response head_;
    server_exchange::body_form form_ = server_exchange::body_form::chunked;
    std::uint64_t left_ = 0;  // of a counted body
    bool begun_ = false;
    bool lost_ = false;
};

}  // namespace leat::http
