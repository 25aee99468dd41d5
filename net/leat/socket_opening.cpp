// SPDX-License-Identifier: MIT
#include <leat/socket_opening.hpp>

#include <span>

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

void make_non_blocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        throw std::system_error(errno_code(errno), "from_fd");
    }
}

bool of_the_connection(std::error_code error) noexcept {
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
