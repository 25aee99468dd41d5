// SPDX-License-Identifier: MIT
#include <leat/dns/core/channel.hpp>

// The older of the two tables of socket functions is all that c-ares 1.18 has.
#define CARES_NO_DEPRECATED
#include <ares.h>

#include <cerrno>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace leat::detail {

namespace {

channel& owner_of(void* data) noexcept {
    return *static_cast<channel*>(data);
}

ares_socket_t open_socket(int family, int type, int protocol, void* data) noexcept {
    const result<int> opened = owner_of(data).open_socket(family, type, protocol);
    if (!opened) {
        errno = opened.error().value();
        return ARES_SOCKET_BAD;
    }
    if (type == SOCK_STREAM) {
        const int on = 1;
        ::setsockopt(*opened, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return *opened;
}

int close_socket(ares_socket_t fd, void* data) noexcept {
    owner_of(data).close_socket(fd);
    return 0;
}

ares_ssize_t receive(ares_socket_t fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                     ares_socklen_t* from_size, void* data) noexcept {
    const ares_ssize_t count = ::recvfrom(fd, buffer, size, flags, from, from_size);
    const bool is_stream = from == nullptr;  // of datagrams c-ares asks from whom they are
    const int error = errno;
    if (count > 0) {
        const std::span bytes(static_cast<const std::byte*>(buffer), static_cast<std::size_t>(count));
        is_stream ? owner_of(data).received_stream(bytes) : owner_of(data).received_datagram(bytes);
    } else if (is_stream && (count == 0 || (error != EAGAIN && error != EINTR))) {
        owner_of(data).stream_ended(fd);
    }
    errno = error;
    return count;
}

#if ARES_VERSION >= 0x012200

int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, unsigned int, void*) noexcept {
    return ::connect(fd, to, size);
}

ares_ssize_t send(ares_socket_t fd, const void* bytes, std::size_t size, int flags, const sockaddr* to,
                  ares_socklen_t to_size, void* data) noexcept {
    owner_of(data).sent();
    return ::sendto(fd, bytes, size, flags | MSG_NOSIGNAL, to, to_size);
}

int set_option(ares_socket_t, ares_socket_opt_t, const void*, ares_socklen_t, void*) noexcept {
    errno = ENOSYS;
    return -1;
}

int local_name(ares_socket_t fd, sockaddr* name, ares_socklen_t* size, void*) noexcept {
    return ::getsockname(fd, name, size);
}

unsigned int interface_index(const char* name, void*) noexcept {
    return ::if_nametoindex(name);
}

const char* interface_name(unsigned int index, char* name, std::size_t size, void*) noexcept {
    return size < IF_NAMESIZE ? nullptr : ::if_indextoname(index, name);
}

constexpr ares_socket_functions_ex functions = {
    .version = 1,
    .flags = ARES_SOCKFUNC_FLAG_NONBLOCKING,
    .asocket = open_socket,
    .aclose = close_socket,
    .asetsockopt = set_option,
    .aconnect = connect_socket,
    .arecvfrom = receive,
    .asendto = send,
    .agetsockname = local_name,
    .abind = nullptr,
    .aif_nametoindex = interface_index,
    .aif_indextoname = interface_name,
};

#else

int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t size, void*) noexcept {
    return ::connect(fd, to, size);
}

ares_ssize_t send(ares_socket_t fd, const iovec* pieces, int count, void* data) noexcept {
    owner_of(data).sent();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces);
    message.msg_iovlen = static_cast<std::size_t>(count);
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

constexpr ares_socket_functions functions = {
    .asocket = open_socket,
    .aclose = close_socket,
    .aconnect = connect_socket,
    .arecvfrom = receive,
    .asendv = send,
};

#endif

}  // namespace

void use_backend_sockets(ares_channeldata* ares, channel& owner) noexcept {
#if ARES_VERSION >= 0x012200
    ares_set_socket_functions_ex(ares, &functions, &owner);
#else
    ares_set_socket_functions(ares, &functions, &owner);
#endif
}

}  // namespace leat::detail
