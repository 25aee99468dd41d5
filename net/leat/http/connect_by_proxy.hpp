// SPDX-License-Identifier: MIT
// connect_by_proxy: a TCP connection through an HTTP proxy, by CONNECT (RFC 9110 9.3.6). The proxy looks the
// name up itself. Any protocol may be spoken on it, as far as the proxy allows the port. Used by the HTTP
// client, too.
//
//     auto proxy = co_await leat::tcp_stream::connect("proxy.example", 3128);
//     auto stream = co_await leat::http::connect_by_proxy(std::move(proxy), "example.org", 443);
#pragma once

#include <leat/task.hpp>
#include <leat/tcp.hpp>

#include <string>

namespace leat::http {

// Asks the proxy at the other end of `proxy` for a connection to `host`, a name or an address; afterwards the
// stream is that connection, from the first byte behind the head of the proxy's answer. A user or password
// goes with it as Proxy-Authorization: Basic (RFC 7617). Every answer but 2xx is a refusal. Throws
// request_error as "connect to example.org:443 by the proxy 192.0.2.1:3128: it answered 403 Forbidden":
// errc::permission_denied for 401, 403 and 407, errc::timed_out for 504, errc::connection_refused for the
// others; an http::error for what is no answer, and for one whose head is larger than 64 KiB. Throws
// std::invalid_argument for a host that is none, a user with a colon in it, and a port that is none. It has
// no limit of time: timeout() gives it one. Cancelled: the connection to the proxy is closed.
[[nodiscard]] task<tcp_stream> connect_by_proxy(tcp_stream proxy, std::string host, int port,
                                                std::string user = {}, std::string password = {});

}  // namespace leat::http
