// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/socket_options.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace leat {

namespace {

using phase = simulated_socket::phase;

// Kept and told, without an effect here.
struct kept_option {
    int level;
    int name;
    int initial;
};
constexpr kept_option kept_options[] = {
    {SOL_SOCKET, SO_KEEPALIVE, 0},
    {SOL_SOCKET, SO_BROADCAST, 0},
    {SOL_SOCKET, SO_MARK, 0},
    {IPPROTO_TCP, TCP_NODELAY, 0},
    {IPPROTO_TCP, TCP_KEEPIDLE, 7200},
    {IPPROTO_TCP, TCP_KEEPINTVL, 75},
    {IPPROTO_TCP, TCP_KEEPCNT, 9},
    {IPPROTO_TCP, TCP_QUICKACK, 1},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 0},
    {IPPROTO_TCP, TCP_FASTOPEN, 0},
    {IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0},
    {IPPROTO_IP, IP_TOS, 0},
    {IPPROTO_IPV6, IPV6_TCLASS, 0},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0},
};

const kept_option* find_kept(int level, int name) noexcept {
    const auto* const found = std::find_if(std::begin(kept_options), std::end(kept_options), [=](auto& each) {
        return each.level == level && each.name == name;
    });
    return found != std::end(kept_options) ? found : nullptr;
}

// What Linux makes of it, half of which is for the payload.
std::size_t buffer_size(int asked, std::size_t least) noexcept {
    return std::max(static_cast<std::size_t>(std::max(asked, 0)), least);
}

void set_buffer(simulated_socket& socket, int name, int size) {
    if (name == SO_SNDBUF) {
        socket.send_buffer = buffer_size(size, 2304);
    } else {
        socket.receive_buffer = buffer_size(size, 1152);
    }
    if (socket.state != phase::connected) {
        return;
    }
    if (name == SO_SNDBUF) {
        socket.link->set_send_buffer(socket.side, socket.send_buffer);
    } else {
        socket.link->set_receive_buffer(socket.side, socket.receive_buffer);
    }
}

int set_linger(simulated_socket& socket, std::span<const std::byte> value) {
    linger asked{};
    if (value.size() < sizeof asked) {
        return EINVAL;
    }
    std::memcpy(&asked, value.data(), sizeof asked);
    socket.reset_on_close = asked.l_onoff != 0 && asked.l_linger == 0;
    return 0;
}

int set_socket_option(simulated_socket& socket, int name, int value) {
    switch (name) {
        case SO_REUSEADDR:
            socket.reuse_address = value != 0;
            return 0;
        case SO_REUSEPORT:
            socket.reuse_port = value != 0;
            return 0;
        case SO_SNDBUF:
        case SO_RCVBUF:
            set_buffer(socket, name, value);
            return 0;
        default:
            return ENOPROTOOPT;
    }
}

int protocol_of(const simulated_socket& socket) noexcept {
    if (socket.family == AF_UNIX) {
        return 0;
    }
    return socket.type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
}

result<int> socket_option(simulated_socket& socket, int name) {
    const auto doubled = [](std::size_t size) {
        return static_cast<int>(std::min<std::size_t>(2 * size, std::numeric_limits<int>::max()));
    };
    switch (name) {
        case SO_ERROR:
            return socket.take_error();
        case SO_TYPE:
            return int{socket.type};
        case SO_DOMAIN:
            return int{socket.family};
        case SO_PROTOCOL:
            return protocol_of(socket);
        case SO_ACCEPTCONN:
            return int{socket.state == phase::listening};
        case SO_REUSEADDR:
            return int{socket.reuse_address};
        case SO_REUSEPORT:
            return int{socket.reuse_port};
        case SO_SNDBUF:
            return doubled(socket.send_buffer);
        case SO_RCVBUF:
            return doubled(socket.receive_buffer);
        default:
            return errno_code(ENOPROTOOPT);
    }
}

result<int> int_option(simulated_socket& socket, int level, int name) {
    if (const kept_option* const kept = find_kept(level, name)) {
        const auto set = socket.options.find({level, name});
        return set != socket.options.end() ? set->second : int{kept->initial};
    }
    if (level == SOL_SOCKET) {
        return socket_option(socket, name);
    }
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket.family == AF_INET6) {
        return int{socket.only_ipv6};
    }
    return errno_code(ENOPROTOOPT);
}

}  // namespace

int set_simulated_option(simulated_socket& socket, int level, int name, std::span<const std::byte> value) {
    if (level == SOL_SOCKET && name == SO_LINGER) {
        return set_linger(socket, value);
    }
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
        return ENOPROTOOPT;  // of which the value is a text
    }
    int number = 0;
    if (value.size() < sizeof number) {
        return EINVAL;
    }
    std::memcpy(&number, value.data(), sizeof number);
    if (find_kept(level, name) != nullptr) {
        socket.options[{level, name}] = number;
        return 0;
    }
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket.family == AF_INET6) {
        if (socket.bound) {
            return EINVAL;
        }
        socket.only_ipv6 = number != 0;
        return 0;
    }
    return level == SOL_SOCKET ? set_socket_option(socket, name, number) : ENOPROTOOPT;
}

result<std::size_t> simulated_option(simulated_socket& socket, int level, int name,
                                     std::span<std::byte> value) {
    const auto written = [&](const void* from, std::size_t size) {
        size = std::min(size, value.size());
        std::memcpy(value.data(), from, size);
        return size;
    };
    if (level == SOL_SOCKET && name == SO_LINGER) {
        const linger told{.l_onoff = socket.reset_on_close ? 1 : 0, .l_linger = 0};
        return written(&told, sizeof told);
    }
    const result<int> told = int_option(socket, level, name);
    if (!told) {
        return told.error();
    }
    return written(&*told, sizeof(int));
}

}  // namespace leat
