// SPDX-License-Identifier: MIT
#include "sockets.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/socket.h>

namespace io_models {

accepted accept_client(int listener, bool non_blocking) {
    const int client =
        ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0));
    if (client >= 0) {
        return {leat::fd(client), false};
    }
    switch (errno) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
            return {};
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            tell_refusal(failed_call("accept"));
            return {leat::fd(), true};
        default:
            fail("accept");
    }
}

void make_non_blocking(int descriptor) {
    if (::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK) != 0) {
        fail("fcntl");
    }
}

void echo_until_end(int client) {
    char buffer[4096];
    for (;;) {
        const ssize_t received = ::recv(client, buffer, sizeof buffer, 0);
        if (received <= 0) {
            return;
        }
        for (ssize_t sent = 0; sent < received;) {
            const ssize_t count =
                ::send(client, buffer + sent, static_cast<std::size_t>(received - sent), MSG_NOSIGNAL);
            if (count < 0) {
                return;
            }
            sent += count;
        }
    }
}

void tell_refusal(const std::string& why) {
    static bool told = false;
    if (!told) {
        told = true;
        std::fprintf(stderr, "%s\n", why.c_str());
    }
}

std::string failed_call(const char* call) {
    return call + (": " + std::system_category().message(errno));
}

}  // namespace io_models
