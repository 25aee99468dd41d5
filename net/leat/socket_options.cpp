// SPDX-License-Identifier: MIT
#include <leat/socket_options.hpp>

#include <leat/core/socket_opening.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include <net/if.h>
#include <netinet/tcp.h>

namespace leat {

static_assert(interface_name::longest == IFNAMSIZ - 1);

interface_name::interface_name(std::string_view text, int /*of which no literal is made*/) {
    if (text.size() > longest || text.find('\0') != text.npos) {
        throw std::invalid_argument("no name of a network interface: \"" + std::string(text) + "\"");
    }
    std::ranges::copy(text, text_.begin());
}

unsigned interface_name::index() const {
    if (empty()) {
        return 0;
    }
    const unsigned found = ::if_nametoindex(text_.data());
    if (found == 0) {
        throw std::system_error(errno_code(errno), "network interface " + std::string(text()));
    }
    return found;
}

namespace detail {

namespace {

void set(int fd, int level, int name, std::span<const std::byte> value, std::string_view what,
         const char* called) {
    const result<void> done = current_sockets().set_option(fd, level, name, value);
    if (!done.ok()) {
        throw std::system_error(done.error(), std::string(what) + ": " + called);
    }
}

void set(int fd, int level, int name, int value, std::string_view what, const char* called) {
    set(fd, level, name, std::as_bytes(std::span(&value, 1)), what, called);
}

// Rounded up, so that nothing is given up early.
template <typename Unit>
int count_of(duration length) {
    const auto whole = std::chrono::ceil<Unit>(std::max(length, duration::zero())).count();
    return static_cast<int>(std::min<decltype(whole)>(whole, std::numeric_limits<int>::max()));
}

// An IPv6 socket may have peers of IPv4.
void set_class(int fd, int family, int dscp, std::string_view what) {
    if (dscp < 0 || dscp > 63) {
        throw std::invalid_argument(std::string(what) + ": a dscp is 0 to 63, not " + std::to_string(dscp));
    }
    if (dscp != 0) {
        set(fd, IPPROTO_IP, IP_TOS, dscp << 2, what, "IP_TOS");
        if (family == AF_INET6) {
            set(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2, what, "IPV6_TCLASS");
        }
    }
}

}  // namespace

void set_socket_options(int fd, int family, const socket_options& options, std::string_view what) {
    if (!options.interface.empty()) {
        const std::string_view name = options.interface.text();
        set(fd, SOL_SOCKET, SO_BINDTODEVICE, std::as_bytes(std::span(name)), what, "SO_BINDTODEVICE");
    }
    if (options.mark != 0) {
        set(fd, SOL_SOCKET, SO_MARK, static_cast<int>(options.mark), what, "SO_MARK");
    }
    set_class(fd, family, options.dscp, what);
    if (options.send_buffer != 0) {
        set(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer, what, "SO_SNDBUF");
    }
    if (options.recv_buffer != 0) {
        set(fd, SOL_SOCKET, SO_RCVBUF, options.recv_buffer, what, "SO_RCVBUF");
    }
}

void set_keep_alive(int fd, const keep_alive_options& options, std::string_view what) {
    const auto seconds = [](duration length) { return std::max(count_of<std::chrono::seconds>(length), 1); };
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(options.idle), what, "TCP_KEEPIDLE");
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(options.interval), what, "TCP_KEEPINTVL");
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.count, what, "TCP_KEEPCNT");
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, what, "SO_KEEPALIVE");
}

void set_user_timeout(int fd, duration limit, std::string_view what) {
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, count_of<std::chrono::milliseconds>(limit), what,
        "TCP_USER_TIMEOUT");
}

}  // namespace detail

}  // namespace leat
