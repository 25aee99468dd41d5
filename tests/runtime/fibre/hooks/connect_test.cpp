// SPDX-License-Identifier: MIT
// connect and accept in a fibre: results, errors, time limits, and flags that are as before.
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
#include <chrono>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

struct tcp_place {
    tcp_place() {
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
        socklen_t size = sizeof name;
        REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    }

    leat::fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in name{};
};

struct attempt {
    int result = -7;
    int error = 0;
    bool flags_as_before = false;
};

leat::task<attempt> connect_to(const sockaddr* place, socklen_t size, timeval limit = {}) {
    return leat::blocking([=] {
        const leat::fd client(::socket(place->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
        const int flags = ::fcntl(client.get(), F_GETFL);
        errno = 0;
        const int result = ::connect(client.get(), place, size);
        return attempt{result, errno, ::fcntl(client.get(), F_GETFL) == flags};
    });
}

}  // namespace

LEAT_TEST("a fibre connects to another that accepts", backends::kernel) {
    const tcp_place place;
    REQUIRE(::listen(place.listener.get(), 8) == 0);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto server = leat::spawn(leat::blocking(
        [&] { return leat::fd(::accept(place.listener.get(), reinterpret_cast<sockaddr*>(&from), &size)); }));
    co_await let_others_run();
    const attempt made =
        co_await connect_to(reinterpret_cast<const sockaddr*>(&place.name), sizeof place.name);
    CHECK(made.result == 0);
    CHECK(made.error == 0);
    CHECK(made.flags_as_before);
    const leat::fd accepted = co_await server;
    CHECK(static_cast<bool>(accepted));
    CHECK(size == sizeof from);
    CHECK(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
}

LEAT_TEST("a connect that is refused by its peer says so", backends::kernel) {
    const tcp_place place;  // nobody listens
    const attempt made =
        co_await connect_to(reinterpret_cast<const sockaddr*>(&place.name), sizeof place.name);
    CHECK(made.result == -1);
    CHECK(made.error == ECONNREFUSED);
    CHECK(made.flags_as_before);
}

LEAT_TEST("data that is sent with the beginning of a connection is sent whole", backends::kernel) {
    const tcp_place place;
    REQUIRE(::listen(place.listener.get(), 8) == 0);
    const auto* const name = reinterpret_cast<const sockaddr*>(&place.name);
    const std::string text(100'000, 'a');
    for (const bool by_option : {false, true}) {
        ssize_t sent = -7;
        int error = 0;
        auto client = leat::spawn(leat::blocking([&] {
            const leat::fd peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            errno = 0;
            if (by_option) {
                const int on = 1;
                CHECK(::setsockopt(peer.get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0);
                CHECK(::connect(peer.get(), name, sizeof place.name) == 0);
                sent = ::write(peer.get(), text.data(), text.size());
            } else {
                sent = ::sendto(peer.get(), text.data(), text.size(), MSG_FASTOPEN, name, sizeof place.name);
            }
            error = errno;
        }));
        std::string got;
        co_await leat::blocking([&] {
            const leat::fd peer(::accept(place.listener.get(), nullptr, nullptr));
            char part[65536];
            for (ssize_t count = 0; (count = ::read(peer.get(), part, sizeof part)) > 0;) {
                got.append(part, static_cast<std::size_t>(count));
            }
        });
        co_await client;
        CHECK(sent == static_cast<ssize_t>(text.size()));
        CHECK(error == 0);
        CHECK((got == text));
    }
}

LEAT_TEST("on a socket that does not block, data sent with the beginning of a connection gives EINPROGRESS",
          backends::kernel) {
    const tcp_place place;
    REQUIRE(::listen(place.listener.get(), 8) == 0);
    const int error = co_await leat::blocking([&] {
        const leat::fd peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const auto* const name = reinterpret_cast<const sockaddr*>(&place.name);
        return ::sendto(peer.get(), "a", 1, MSG_FASTOPEN, name, sizeof place.name) == -1 ? errno : 0;
    });
    CHECK(error == EINPROGRESS);
}

LEAT_TEST("a connect to a listener whose queue is full ends at its time limit", backends::kernel) {
    const unix_listener place(0);
    const auto others = place.fill();
    const attempt made = co_await connect_to(place.name(), place.size, {.tv_sec = 0, .tv_usec = 5000});
    CHECK(made.result == -1);
    CHECK(made.error == EAGAIN);
    CHECK(made.flags_as_before);
}

LEAT_TEST("two fibres accept on one listener, and each gets its client", backends::kernel) {
    const unix_listener place;
    const auto accept = [&] {
        return leat::blocking(
            [&] { return leat::fd(::accept4(place.descriptor.get(), nullptr, nullptr, SOCK_CLOEXEC)); });
    };
    auto one = leat::spawn(accept);
    auto other = leat::spawn(accept);
    co_await let_others_run();
    const leat::fd first = place.connect();
    co_await let_others_run();
    CHECK(one.done() != other.done());
    const leat::fd second = place.connect();
    const leat::fd of_one = co_await one;
    const leat::fd of_other = co_await other;
    CHECK(static_cast<bool>(of_one));
    CHECK(static_cast<bool>(of_other));
}

LEAT_TEST("a listener that does not block gives EAGAIN", backends::kernel) {
    const unix_listener place;
    REQUIRE(::fcntl(place.descriptor.get(), F_SETFL, O_NONBLOCK) == 0);
    const int error = co_await leat::blocking(
        [&] { return ::accept(place.descriptor.get(), nullptr, nullptr) == -1 ? errno : 0; });
    CHECK(error == EAGAIN);
}

// While it lives the first look whether a descriptor is ready is interrupted by a signal, and an accept that
// would block says so.
class interrupted_look {
public:
    static inline bool blocked = false;

    interrupted_look() noexcept {
        blocked = false;
        leat::detail::real.poll = interrupted;
        leat::detail::real.accept = tells_if_it_blocks;
    }
    interrupted_look(const interrupted_look&) = delete;
    interrupted_look& operator=(const interrupted_look&) = delete;
    ~interrupted_look() { leat::detail::real = before_; }

private:
    static int interrupted(pollfd* /*asked*/, nfds_t /*count*/, int /*timeout*/) {
        leat::detail::real.poll = before_.poll;
        errno = EINTR;
        return -1;
    }
    static int tells_if_it_blocks(int fd, sockaddr* from, socklen_t* size) {
        pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
        if (before_.poll(&asked, 1, 0) == 0) {
            blocked = true;
            errno = EINVAL;
            return -1;
        }
        return before_.accept(fd, from, size);
    }

    static inline const leat::detail::real_calls before_ = leat::detail::real;
};

LEAT_TEST("a signal in the moment of a look does not make accept block the thread", backends::kernel) {
    const unix_listener listener;
    const interrupted_look interrupted;
    auto accepts = leat::spawn(
        leat::blocking([&] { return leat::fd(::accept(listener.descriptor.get(), nullptr, nullptr)); }));
    co_await let_others_run();
    const leat::fd client = listener.connect();
    const leat::fd accepted = co_await accepts;
    CHECK(accepted);
    CHECK(!interrupted.blocked);
}
