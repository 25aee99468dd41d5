// SPDX-License-Identifier: MIT
// connect: a TCP connection to a host given by name, whichever of its addresses answers first ("happy
// eyeballs", RFC 8305). tcp_stream::connect(host, port) is this with the usual options.
#pragma once

#include <leat/dns/resolve.hpp>
#include <leat/tcp.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace leat {

struct connect_options {
    // For all of it: names, addresses and handshakes.
    duration timeout = std::chrono::seconds(60);
    // How long an address may be silent before the next one is tried beside it, and how long the look-up may
    // take before IPv4 addresses are asked for alone (a server that never answers for IPv6 is a common one).
    duration attempt_delay = std::chrono::milliseconds(250);
    resolve_options names = {};
    // Where to connect from, as in tcp_connect_options.
    std::optional<endpoint> local = std::nullopt;
    // As in tcp_connect_options. With fast_open the first address may count as connected before it answers.
    bool fast_open = false;
    std::optional<keep_alive_options> keep_alive = std::nullopt;
    duration user_timeout = duration::zero();
    socket_options socket = {};
    // In place of a look-up of the host, which is then only named in errors; those of a family that is not
    // wanted are left out. None: it is looked up. They live until it is connected.
    std::span<const address> addresses = {};
    // Where the time is put when the first addresses of a name are known; null: nowhere. It lives until it is
    // connected. A host that is an address, or has `addresses`, has none.
    std::optional<time_point>* resolved_at = nullptr;
};

// Looks up `host` and tries its addresses, of both families in turn, until one is connected; the other
// attempts are then closed. An address that fails is followed by the next one at once. A connection to itself
// (possible on a local port without a listener) counts as refused. Throws std::system_error with the last
// reason, as "connect to example.org:81: Connection refused", and std::invalid_argument for a port that is
// none. From a local address only those of its family are looked up and tried: without any the reason is
// dns_errc::no_address. Cancelling it closes all attempts.
[[nodiscard]] task<tcp_stream> connect_to_host(std::string host, int port, connect_options options = {});

namespace detail {

// TCP connects a socket to itself when its own port happens to be the one it connects to.
[[nodiscard]] bool connected_to_itself(const tcp_stream& stream);

// The order in which to try `addresses`: that of the list, with the families taking turns (RFC 8305
// section 4).
[[nodiscard]] std::vector<address> interleaved(const std::vector<address>& addresses);

}  // namespace detail

}  // namespace leat
