// SPDX-License-Identifier: MIT
// socket_options: what is said of an IP socket before it is bound, connects or listens; with it what
// connections are kept alive by, and the name of a network interface. What an option does is the kernel's:
// socket(7), ip(7), ipv6(7), tcp(7).
#pragma once

#include <leat/clock.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace leat {

// "eth0"; empty for no interface in particular. Only using it shows whether there is one of that name.
class interface_name {
public:
    static constexpr std::size_t longest = 15;  // bytes, as of Linux (IFNAMSIZ)

    constexpr interface_name() noexcept = default;
    // Throws std::invalid_argument naming one that is longer, or has a zero in it.
    template <std::convertible_to<std::string_view> Text>
    interface_name(const Text& text) : interface_name(std::string_view(text), 0) {}

    [[nodiscard]] bool empty() const noexcept { return text_.front() == '\0'; }
    [[nodiscard]] std::string_view text() const noexcept { return text_.data(); }
    // if_nametoindex(3); 0 for no interface. Throws std::system_error naming one that does not exist.
    [[nodiscard]] unsigned index() const;

private:
    interface_name(std::string_view text, int /*of which no literal is made*/);

    std::array<char, longest + 1> text_{};
};

// SO_KEEPALIVE: a connection on which nothing has come for `idle` is asked for a sign of life, and again
// after each `interval`; when `count` questions have no answer it ends with the error timed_out. The kernel
// counts whole seconds, up to 32,767, and up to 127 questions; what lies between seconds is rounded up.
struct keep_alive_options {
    duration idle = std::chrono::hours(2);
    duration interval = std::chrono::seconds(75);
    int count = 9;
};

// The errors of the function that is given them name the option. A simulation keeps the mark and the class
// without an effect, and refuses an interface with std::errc::no_protocol_option.
struct socket_options {
    // SO_BINDTODEVICE: only what comes and goes there; any user since Linux 5.7.
    interface_name interface = {};
    // SO_MARK, for routes and packet filters; 0: none. It takes CAP_NET_ADMIN, or CAP_NET_RAW since Linux
    // 5.17.
    std::uint32_t mark = 0;
    // The class of traffic, 0 to 63, as routers know it (RFC 2474): 46 is expedited forwarding. Others are
    // refused with std::invalid_argument. Of IP_TOS and IPV6_TCLASS it is the upper six bits.
    int dscp = 0;
    // SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles them, up to a limit of its own. 0: it chooses,
    // and TCP then takes more as it needs it. Of a large one for TCP the peer is told in the handshake only.
    int send_buffer = 0;
    int recv_buffer = 0;
};
static_assert(std::is_trivially_destructible_v<socket_options>);

namespace detail {

// All three throw std::system_error as "`what`: SO_MARK: Operation not permitted".
void set_socket_options(int fd, int family, const socket_options& options, std::string_view what);
void set_keep_alive(int fd, const keep_alive_options& options, std::string_view what);
// TCP_USER_TIMEOUT.
void set_user_timeout(int fd, duration limit, std::string_view what);

}  // namespace detail

}  // namespace leat
