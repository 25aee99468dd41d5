// SPDX-License-Identifier: MIT
// served_connection: what the handler of an HTTP server can ask of the connection that its request came on:
// the addresses, what TLS has negotiated, and whether the client is still there. request::connection refers
// to it. It lives until the handler has ended.
#pragma once

#include <leat/endpoint.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>

namespace leat::tls {

class session;

}  // namespace leat::tls

namespace leat::http {

class served_connection {
public:
    served_connection(const served_connection&) = delete;
    served_connection& operator=(const served_connection&) = delete;

    // The client's address and the one it connected to; nothing where the stream has no IP addresses. Behind
    // a proxy that is the proxy's.
    [[nodiscard]] virtual std::optional<endpoint> remote_endpoint() const = 0;
    [[nodiscard]] virtual std::optional<endpoint> local_endpoint() const = 0;

    // The facts of TLS: version, cipher, ALPN, the server name that the client has sent (SNI), the client's
    // certificate; null without TLS. <leat/tls/session.hpp> has the type.
    [[nodiscard]] virtual const tls::session* tls() const noexcept = 0;

    // Completes once the client has ended its side, or has reset the stream of an HTTP/2 request, or the
    // connection has failed. For handlers that should
    // stop then, as in race(work(), request.connection->gone()); the server itself lets a handler finish. A
    // client that has closed looks like one that sends no more and waits for its answer (shutdown(2)); which
    // of them it is shows when something is sent. If the client has already sent bytes of its next request,
    // its end cannot be seen: then this waits until it is cancelled. So it is before a handler with a
    // request_body_reader has read all; but when a read() meets the client's end this completes. Cancelled:
    // nothing has happened. One task at a time; it ends before the handler does.
    [[nodiscard]] virtual task<> gone() = 0;

    // For the server: how many bytes the client's machine has acknowledged, where the kernel tells it.
    [[nodiscard]] virtual std::optional<std::uint64_t> acknowledged() const noexcept = 0;

protected:
    served_connection() noexcept = default;
    ~served_connection() = default;
};

}  // namespace leat::http
