// SPDX-License-Identifier: MIT
// notify_socket: the end of NOTIFY_SOCKET that a service manager reads.
#pragma once

#include <leat/fd.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

namespace leat::testing {

// A service manager that listens at a path, or at a name in the abstract namespace for which it says "@NAME".
class notify_socket {
public:
    explicit notify_socket(const std::string& path = {})
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        std::memcpy(address.sun_path, path.data(), path.size());
        const std::size_t size =
            offsetof(sockaddr_un, sun_path) + path.size() + (path.empty() ? 0 : 1);  // empty: autobind
        socklen_t length = path.empty() ? sizeof(sa_family_t) : static_cast<socklen_t>(size);
        REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
        length = sizeof address;
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
        const std::size_t bound = length - offsetof(sockaddr_un, sun_path);
        where_ = path.empty() ? "@" + std::string(address.sun_path + 1, bound - 1) : path;
    }
    [[nodiscard]] const char* where() const { return where_.c_str(); }

    // The next datagram; empty if there is none.
    [[nodiscard]] std::string heard() const {
        std::string text(4096, ' ');
        const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), 0);
        text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return text;
    }

private:
    leat::fd socket_;
    std::string where_;
};

}  // namespace leat::testing
