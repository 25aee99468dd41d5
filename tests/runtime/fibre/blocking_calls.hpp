// SPDX-License-Identifier: MIT
// blocking_calls: what an interposed call of the C library does in a fibre, in its simplest form, for tests
// of what waits below it; and a pair of sockets.
#pragma once

#include <leat/fd.hpp>
#include <leat/fibre/core/fibre_wait.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fibre_tests {

struct socket_pair {
    explicit socket_pair(int kind = SOCK_STREAM) {
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, both) == 0);
        near = leat::fd(both[0]);
        far = leat::fd(both[1]);
    }
    leat::fd near;
    leat::fd far;
};

// -1 and errno, as for how a wait ended.
inline int failed(leat::detail::fibre_wait_end how) noexcept {
    using enum leat::detail::fibre_wait_end;
    switch (how) {
        case ready:
            return 0;
        case timed_out:
            errno = EAGAIN;
            break;
        case refused:
            errno = ECANCELED;
            break;
        case closed:
            errno = EBADF;
            break;
    }
    return -1;
}

// read(2) of a blocking socket. The number of bytes, or -1 and errno. What has come while it waited is read.
inline ssize_t blocking_read(int fd, std::byte* to, std::size_t size,
                             leat::time_point deadline = leat::never) noexcept {
    if (leat::detail::refuse_call()) {
        return failed(leat::detail::fibre_wait_end::refused);
    }
    for (;;) {
        const ssize_t count = ::recv(fd, to, size, MSG_DONTWAIT);
        if (count >= 0 || errno != EAGAIN) {
            return count;
        }
        if (failed(leat::detail::wait_to_try(fd, POLLIN, deadline)) != 0) {
            return -1;
        }
    }
}

// One byte, or what errno says: '!' for ECANCELED, '#' for EBADF, '?' for EAGAIN, '.' at the end.
inline char blocking_get(int fd, leat::time_point deadline = leat::never) noexcept {
    std::byte got{};
    const ssize_t count = blocking_read(fd, &got, 1, deadline);
    if (count > 0) {
        return static_cast<char>(got);
    }
    return count == 0 ? '.' : errno == ECANCELED ? '!' : errno == EBADF ? '#' : errno == EAGAIN ? '?' : 'E';
}

inline void put(int fd, std::string_view text) {
    CHECK(::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

}  // namespace fibre_tests
