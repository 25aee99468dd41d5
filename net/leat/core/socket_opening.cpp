// SPDX-License-Identifier: MIT
#include <leat/core/socket_opening.hpp>

#include <span>
#include <string>

#include <fcntl.h>

namespace leat::detail {

void set_int_option(int fd, int level, int name, int value, const char* what) {
    current_sockets().set_option(fd, level, name, std::as_bytes(std::span(&value, 1))).value(what);
}

endpoint local_endpoint_of(int fd) {
    sockaddr_storage storage{};
    const socklen_t size = current_sockets().local_address(fd, storage).value("local_endpoint");
    return endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

endpoint remote_endpoint_of(int fd) {
    sockaddr_storage storage{};
    const result<socklen_t> size = current_sockets().remote_address(fd, storage);
    return size.ok() && (storage.ss_family == AF_INET || storage.ss_family == AF_INET6)
               ? endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), *size)
               : endpoint();
}

namespace {

int option_of(int fd, int name, const std::string& what) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0) {
        throw std::system_error(errno_code(errno), what);
    }
    return value;
}

}  // namespace

int family_of(int fd) {
    return option_of(fd, SO_DOMAIN, "family of a socket");
}

void take_over(int fd, const taken_over& wanted) {
    const std::string what = "from_fd of descriptor " + std::to_string(fd) + ", which is not " + wanted.what;
    const int family = option_of(fd, SO_DOMAIN, what);
    const bool is_ip = family == AF_INET || family == AF_INET6;
    if (option_of(fd, SO_TYPE, what) != wanted.type) {
        throw std::system_error(errno_code(EPROTOTYPE), what);
    }
    if (!(is_ip && wanted.of_ip) && !(family == AF_UNIX && wanted.of_unix)) {
        throw std::system_error(errno_code(EAFNOSUPPORT), what);
    }
    if ((option_of(fd, SO_ACCEPTCONN, what) != 0) != wanted.listens) {
        throw std::system_error(errno_code(EINVAL), what);
    }
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        throw std::system_error(errno_code(errno), "from_fd of descriptor " + std::to_string(fd));
    }
}

void shutdown_send(const socket_state& socket) {
    if (socket.descriptor < 0) {
        throw std::system_error(stream_errc::closed, "shutdown");
    }
    const result<void> done = current_sockets().shutdown(socket.descriptor, SHUT_WR);
    if (!done && done.error() != std::errc::not_connected) {  // the peer may be gone already: it has the end
        done.value("shutdown");
    }
}

bool is_connection_error(std::error_code error) noexcept {
    if (error.category() != std::system_category()) {
        return false;
    }
    switch (error.value()) {
        case ECONNABORTED:
        case ECONNRESET:
        case EPERM:
        case EPROTO:
        case ENOPROTOOPT:
        case ENETDOWN:
        case ENETUNREACH:
        case ENONET:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ETIMEDOUT:
            return true;
        default:
            return false;
    }
}

}  // namespace leat::detail
