// SPDX-License-Identifier: MIT
// ends: pairs of connected descriptors that block, for tests of the interposed calls, and what is done at the
// other end by the test itself, which never waits.
#pragma once

#include <leat/fd.hpp>
#include <leat/fibre/hooks/core/real_calls.hpp>
#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace hook_tests {

struct ends {
    leat::fd ours;
    leat::fd theirs;
};

inline ends socket_ends(int kind = SOCK_STREAM) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, both) == 0);
    return {leat::fd(both[0]), leat::fd(both[1])};
}

// Ours reads.
inline ends pipe_ends() {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
    return {leat::fd(both[0]), leat::fd(both[1])};
}

inline void put(const leat::fd& into, std::string_view text) {
    REQUIRE(::write(into.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// All that is there now.
inline std::string take_all(const leat::fd& from) {
    const int flags = ::fcntl(from.get(), F_GETFL);
    REQUIRE(::fcntl(from.get(), F_SETFL, flags | O_NONBLOCK) == 0);
    std::string all;
    char part[65536];
    for (ssize_t count = 0; (count = ::read(from.get(), part, sizeof part)) > 0;) {
        all.append(part, static_cast<std::size_t>(count));
    }
    REQUIRE(::fcntl(from.get(), F_SETFL, flags) == 0);
    return all;
}

// Until it takes no more.
inline std::size_t fill(const leat::fd& into) {
    const int flags = ::fcntl(into.get(), F_GETFL);
    REQUIRE(::fcntl(into.get(), F_SETFL, flags | O_NONBLOCK) == 0);
    const std::string part(65536, 'f');
    std::size_t all = 0;
    for (ssize_t count = 0; (count = ::write(into.get(), part.data(), part.size())) > 0;) {
        all += static_cast<std::size_t>(count);
    }
    while (::write(into.get(), part.data(), 1) == 1) {
        ++all;
    }
    REQUIRE(::fcntl(into.get(), F_SETFL, flags) == 0);
    return all;
}

// A listener on a Unix socket without a name in the file system, and its address.
struct unix_listener {
    explicit unix_listener(int backlog = 8) {
        descriptor = leat::fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        address.sun_family = AF_UNIX;  // and nothing else: the kernel chooses a name
        REQUIRE(::bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) ==
                0);
        REQUIRE(::listen(descriptor.get(), backlog) == 0);
        size = sizeof address;
        REQUIRE(::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    }
    [[nodiscard]] const sockaddr* name() const noexcept {
        return reinterpret_cast<const sockaddr*>(&address);
    }
    // A client, which does not wait; empty when the queue is full.
    [[nodiscard]] leat::fd connect() const {
        leat::fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (::connect(client.get(), name(), size) != 0) {
            client.reset();
        }
        return client;
    }
    // Clients, until there is no room for more.
    [[nodiscard]] std::vector<leat::fd> fill() const {
        std::vector<leat::fd> clients;
        while (leat::fd one = connect()) {
            clients.push_back(std::move(one));
        }
        return clients;
    }

    leat::fd descriptor;
    sockaddr_un address{};
    socklen_t size = 0;
};

// While it lives pipes cannot be asked for without waiting (RWF_NOWAIT), as before Linux 6.5.
class older_kernel {
public:
    older_kernel() noexcept {
        leat::detail::real.preadv2 = refuse;
        leat::detail::real.pwritev2 = refuse;
    }
    older_kernel(const older_kernel&) = delete;
    older_kernel& operator=(const older_kernel&) = delete;
    ~older_kernel() {
        leat::detail::real.preadv2 = ::preadv2;
        leat::detail::real.pwritev2 = ::pwritev2;
    }

private:
    static ssize_t refuse(int /*fd*/, const iovec* /*buffers*/, int /*count*/, off_t /*at*/, int /*flags*/) {
        errno = EOPNOTSUPP;
        return -1;
    }
};

// Lets every other task go on, and the loop ask the kernel, which it does once a turn, some times.
inline leat::task<> let_others_run() {
    leat::scheduler& loop = leat::current_scheduler();
    for (const std::uint64_t last = loop.counters().turns + 3; loop.counters().turns < last;) {
        co_await leat::sleep(std::chrono::nanoseconds(1));
    }
}

}  // namespace hook_tests
