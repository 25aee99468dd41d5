// SPDX-License-Identifier: MIT
// Operations without tasks: what the tests of backends submit, and the sockets they submit them on.
#pragma once

#include <leat/backends/choose.hpp>
#include <leat/fd.hpp>
#include <leat/testing/backends.hpp>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>

namespace backend_tests {

using leat::operation_kind;

inline constexpr leat::wait_kind nobody{"nobody", nullptr};

struct bare_operation : leat::operation {
    bare_operation(operation_kind kind, int fd) noexcept : operation(nobody, kind, fd) {}
    bare_operation(operation_kind kind, int fd, std::string& bytes) noexcept : bare_operation(kind, fd) {
        buffer = reinterpret_cast<std::byte*>(bytes.data());
        length = bytes.size();
    }
    [[nodiscard]] bool ended() const noexcept { return end == leat::wait_end::finished; }
};

// Calls `body(backend&)` for each backend that can run here.
template <typename Body>
void on_every_backend(Body body) {
    for (const leat::testing::tried_backend& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        const std::size_t before = leat::testing::open_descriptors();
        {
            const std::unique_ptr<leat::backend> io = leat::make_backend(each.name);
            body(*io);
        }
        CHECK(leat::testing::open_descriptors() == before);
    }
}

inline void start(leat::backend& io, bare_operation& op) {
    if (io.submit(op)) {
        op.end = leat::wait_end::finished;
    }
}

inline void cancel(leat::backend& io, bare_operation& op) {
    op.cancel_requested = true;
    if (io.cancel(op)) {
        op.end = leat::wait_end::finished;
    }
}

// Collects until `deadline`; returns how many operations have ended.
inline std::size_t collect(leat::backend& io, leat::time_point deadline) {
    leat::list<leat::operation> done;
    io.collect(deadline, done);
    std::size_t count = 0;
    for (; !done.empty(); ++count) {
        leat::operation& op = done.pop_front();
        REQUIRE(op.end == leat::wait_end::pending);
        if (!std::exchange(op.its_turn, false) || io.submit(op)) {
            op.end = leat::wait_end::finished;
        }
    }
    return count;
}

inline void look(leat::backend& io) {
    collect(io, leat::long_ago);
}

inline constexpr auto patience = std::chrono::seconds(20);  // far longer than anything that works takes

template <typename Predicate>
void collect_until(leat::backend& io, Predicate over) {
    const leat::time_point deadline = leat::after(io.now(), patience);
    while (!over()) {
        REQUIRE(io.now() < deadline);
        collect(io, deadline);
    }
}

// The same for a predicate that the backend does not wait for, such as what a peer reads.
template <typename Predicate>
void look_until(leat::backend& io, Predicate over) {
    const leat::time_point deadline = leat::after(io.now(), patience);
    while (!over()) {
        REQUIRE(io.now() < deadline);
        look(io);
    }
}

inline void finish(leat::backend& io, bare_operation& op) {
    collect_until(io, [&] { return op.ended(); });
}

inline void finish_retiring(leat::backend& io) {
    collect_until(io, [&] { return io.pending() == 0; });
}

// A TCP socket on a free port of the loopback.
struct listener {
    listener() {
        socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket.get(), name(), size) == 0);
        REQUIRE(::listen(socket.get(), 64) == 0);
        REQUIRE(::getsockname(socket.get(), name(), &size) == 0);
    }
    // Waits for the next connection.
    [[nodiscard]] int accept() const {
        pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
        ::poll(&wait, 1, -1);
        return ::accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    sockaddr* name() noexcept { return reinterpret_cast<sockaddr*>(&address); }

    leat::fd socket;
    sockaddr_in address{};
};

// Two connected sockets: one for the backend, which closes it when it is retired, and its peer.
struct connection {
    connection() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours.reset(ends[0]);
        peer.reset(ends[1]);
    }
    explicit connection(listener& through) {
        peer.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(peer.get(), through.name(), sizeof through.address) == 0);
        REQUIRE(::fcntl(peer.get(), F_SETFL, O_NONBLOCK) == 0);
        ours.reset(through.accept());
        REQUIRE(ours);
    }
    void peer_sends(std::string_view text) const {
        REQUIRE(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    // What the peer can read at once.
    [[nodiscard]] std::string peer_reads() const {
        std::string all;
        char part[65536];
        ssize_t count = 0;
        while ((count = ::recv(peer.get(), part, sizeof part, 0)) > 0) {
            all.append(part, static_cast<std::size_t>(count));
        }
        return all;
    }
    // Whether the next that the peer sees is the end of the stream, or a reset.
    [[nodiscard]] bool peer_sees_end() const {
        pollfd wait{.fd = peer.get(), .events = POLLIN, .revents = 0};
        ::poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
        char byte = 0;
        const ssize_t count = ::recv(peer.get(), &byte, 1, 0);
        return count == 0 || (count < 0 && errno == ECONNRESET);
    }

    // Moves `ours` to the descriptor `number`, which is free, or the peer's.
    void take_number(int number) {
        if (peer.get() == number) {
            peer.reset(::dup(number));
        }
        if (ours.get() != number) {
            REQUIRE(::dup2(ours.get(), number) == number);
            ours.reset(number);
        }
    }

    leat::fd ours;
    leat::fd peer;
};

inline std::string text_of(const leat::chunk& received) {
    return std::string(received.text());
}

// So many descriptors may be open while it lives; those that are stay open.
class lowered_limit {
public:
    explicit lowered_limit(rlim_t count) {
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        const rlimit lowered{.rlim_cur = count, .rlim_max = before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
    }
    ~lowered_limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    lowered_limit(const lowered_limit&) = delete;
    lowered_limit& operator=(const lowered_limit&) = delete;

private:
    rlimit before_{};
};

// Whether this process may open `count` descriptors; raises its limit for that.
inline bool may_open(std::size_t count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max >= count + 64;
}

}  // namespace backend_tests
