// SPDX-License-Identifier: MIT
// connect_by_socks5: a TCP connection through a SOCKS5 proxy (RFC 1928, 1929) that looks the name up itself,
// so that nobody here asks a DNS server for it ("socks5h"):
//
//     auto proxy = co_await leat::tcp_stream::connect("proxy.example", 1080);
//     auto stream = co_await leat::connect_by_socks5(std::move(proxy), "example.org", 80);
#pragma once

#include <leat/task.hpp>
#include <leat/tcp.hpp>

#include <string>

namespace leat {

// Asks the proxy at the other end of `proxy` for a connection to `host`, a name or an address; afterwards the
// stream is that connection. With a user the proxy may ask for that and the password; without, it must not.
// Throws std::system_error as "connect to example.org:80 by SOCKS5: Connection refused",
// std::invalid_argument for a host, user or password of more than 255 bytes, an empty host, and a port that
// is none. It has no limit of time: timeout() gives it one. Cancelled: the connection to the proxy is closed.
[[nodiscard]] task<tcp_stream> connect_by_socks5(tcp_stream proxy, std::string host, int port,
                                                 std::string user = {}, std::string password = {});

}  // namespace leat
