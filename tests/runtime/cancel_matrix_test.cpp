// SPDX-License-Identifier: MIT
// Each operation of the kernel, cancelled at each moment, on each backend: it did not happen, or its result
// is delivered, and the next one finds everything in order. No descriptor and no buffer stays behind.
#include "cancel_moments.hpp"

#include <leat/backends/slab_pool.hpp>
#include <leat/fd.hpp>
#include <leat/testing/doctest.hpp>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::operation_kind;

namespace {

// A descriptor that operations of the loop are made on: the backend closes it.
class watched_fd {
public:
    explicit watched_fd(int number) noexcept : number_(number) {}
    watched_fd(const watched_fd&) = delete;
    watched_fd& operator=(const watched_fd&) = delete;
    ~watched_fd() { leat::current_scheduler().io().retire(number_); }
    [[nodiscard]] int get() const noexcept { return number_; }

private:
    int number_;
};

// An operation with its arguments as the backend sees them; gives its result, an errno value negated.
class bare : public leat::io_awaiter {
public:
    bare(operation_kind asked, const watched_fd& on) noexcept
        : io_awaiter(leat::detail::recv_kind, asked, on.get()) {}
    bare(operation_kind asked, const watched_fd& on, std::string& bytes, bool all = false) noexcept
        : bare(asked, on) {
        buffer = reinterpret_cast<std::byte*>(bytes.data());
        length = bytes.size();
        whole = all;
    }
    bare(operation_kind asked, const watched_fd& on, sockaddr_in& peer) noexcept : bare(asked, on) {
        address = reinterpret_cast<sockaddr*>(&peer);
        length = sizeof peer;
    }
    bare(const watched_fd& on, iovec* pieces, std::size_t count) noexcept
        : bare(operation_kind::send_vectors, on) {
        vectors = pieces;
        length = count;
        whole = true;
    }
    std::int64_t await_resume() const noexcept { return operation::result; }
};

class bare_chunk : public leat::io_awaiter {
public:
    explicit bare_chunk(const watched_fd& from) noexcept
        : io_awaiter(leat::detail::recv_kind, operation_kind::recv_chunk, from.get()) {}
    leat::chunk await_resume() {
        lender = pool;
        return received();
    }
    leat::buffer_pool* lender = nullptr;
};

struct socket_pair {
    socket_pair() : socket_pair(new_pair()) {}
    watched_fd ours;
    leat::fd peer;

    void peer_sends(std::string_view text) const {
        REQUIRE(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    // What the peer can read at once.
    [[nodiscard]] std::string peer_reads() const {
        std::string all;
        char part[4096];
        for (ssize_t count = 0; (count = ::recv(peer.get(), part, sizeof part, 0)) > 0;) {
            all.append(part, static_cast<std::size_t>(count));
        }
        return all;
    }
    // Sends filling until not one byte more finds room.
    void fill() const {
        static const std::string filling(4096, '.');
        for (const std::size_t size : {filling.size(), std::size_t{1}}) {
            while (::send(ours.get(), filling.data(), size, MSG_NOSIGNAL) > 0) {
            }
        }
    }

private:
    struct ends {
        int pair[2];
    };
    explicit socket_pair(ends made) : ours(made.pair[0]), peer(made.pair[1]) {}
    static ends new_pair() {
        ends made{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, made.pair) == 0);
        return made;
    }
};

struct listening_socket {
    listening_socket() : ours(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(ours.get(), name(), size) == 0);
        REQUIRE(::listen(ours.get(), 64) == 0);
        REQUIRE(::getsockname(ours.get(), name(), &size) == 0);
    }
    [[nodiscard]] sockaddr* name() noexcept { return reinterpret_cast<sockaddr*>(&address); }
    [[nodiscard]] leat::fd new_client() {
        leat::fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(client.get(), name(), sizeof address) == 0);
        return client;
    }

    watched_fd ours;
    sockaddr_in address{};
};

[[nodiscard]] in_port_t port_of(const leat::fd& socket, int (*ask)(int, sockaddr*, socklen_t*)) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    REQUIRE(ask(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    return name.sin_port;
}

class accept_trial : public trial {
public:
    leat::task<> attempt() {
        const std::int64_t got = co_await bare(operation_kind::accept, listener_.ours);
        REQUIRE(got >= 0);
        accepted_.emplace_back(static_cast<int>(got));
        delivered();
    }
    void enable() { clients_.push_back(listener_.new_client()); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(port_of(accepted_.back(), ::getpeername) == port_of(clients_.back(), ::getsockname),
                      where);
        CHECK_MESSAGE(accepted_.size() == clients_.size(), where);
        co_return;
    }

private:
    listening_socket listener_;
    std::vector<leat::fd> clients_;
    std::vector<leat::fd> accepted_;
};

// To a listener that answers at once: it may have succeeded at any moment. A cancelled one leaves a socket
// that is closed by the unwinding.
class connect_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const watched_fd client(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        const std::int64_t result = co_await bare(operation_kind::connect, client, listener_.address);
        CHECK(result == 0);
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string&) { co_return; }

private:
    listening_socket listener_;
};

class recv_trial : public trial {
public:
    explicit recv_trial(bool whole = false) : whole_(whole) {}
    leat::task<> attempt() {
        std::string buffer(whole_ ? 4 : 8, ' ');
        const std::int64_t got = co_await bare(operation_kind::recv, both_.ours, buffer, whole_);
        REQUIRE(got > 0);
        received_.append(buffer, 0, static_cast<std::size_t>(got));
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        both_.peer_sends(next);
        sent_ += next;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    bool whole_;
    socket_pair both_;
    std::string sent_;
    std::string received_;
};

struct recv_whole_trial : recv_trial {
    recv_whole_trial() : recv_trial(true) {}
};

class recv_chunk_trial : public trial {
public:
    leat::task<> attempt() {
        bare_chunk recv(both_.ours);
        const leat::chunk got = co_await recv;
        lender_ = recv.lender;
        received_ += got.text();
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        both_.peer_sends(next);
        sent_ += next;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        // The kernel, which takes new buffers when it is asked for something, has as many as before, and
        // nobody else has one.
        const socket_pair other;
        other.peer_sends("x");
        (void)co_await bare(operation_kind::readable, other.ours);
        const auto* const pool = dynamic_cast<leat::slab_pool*>(lender_);
        REQUIRE(pool != nullptr);
        if (leased_ == never_asked) {
            leased_ = pool->leased();
        }
        CHECK_MESSAGE(pool->leased() == leased_, where);
    }

private:
    static constexpr std::size_t never_asked = SIZE_MAX;
    socket_pair both_;
    std::string sent_;
    std::string received_;
    leat::buffer_pool* lender_ = nullptr;
    std::size_t leased_ = never_asked;
};

// Sends into a socket that is full until it is enabled, when the peer reads everything.
class send_trial : public trial {
public:
    enum class how { some, whole, pieces };
    explicit send_trial(how sends = how::some) : sends_(sends) { both_.fill(); }
    leat::task<> attempt() {
        std::string text = "abc";
        iovec pieces[2] = {{text.data(), 1}, {text.data() + 1, 2}};
        std::int64_t sent = 0;
        if (sends_ == how::pieces) {
            sent = co_await bare(both_.ours, pieces, 2);
        } else {
            sent = co_await bare(operation_kind::send, both_.ours, text, sends_ == how::whole);
        }
        CHECK(sent == 3);
        delivered();
    }
    void enable() { arrived_ += both_.peer_reads(); }
    leat::task<> verify(const std::string& where) {
        arrived_ += both_.peer_reads();
        std::erase(arrived_, '.');
        CHECK_MESSAGE(arrived_ == "abc", where);
        arrived_.clear();
        both_.fill();
        co_return;
    }

private:
    how sends_;
    socket_pair both_;
    std::string arrived_;
};

struct send_whole_trial : send_trial {
    send_whole_trial() : send_trial(how::whole) {}
};
struct send_pieces_trial : send_trial {
    send_pieces_trial() : send_trial(how::pieces) {}
};

class readable_trial : public trial {
public:
    leat::task<> attempt() {
        const std::int64_t result = co_await bare(operation_kind::readable, both_.ours);
        CHECK(result == 0);
        delivered();
    }
    void enable() { both_.peer_sends("x"); }
    leat::task<> verify(const std::string& where) {
        char bytes[8];
        CHECK_MESSAGE(::recv(both_.ours.get(), bytes, sizeof bytes, 0) == 1, where);
        co_return;
    }

private:
    socket_pair both_;
};

class writable_trial : public trial {
public:
    writable_trial() { both_.fill(); }
    leat::task<> attempt() {
        const std::int64_t result = co_await bare(operation_kind::writable, both_.ours);
        CHECK(result == 0);
        delivered();
    }
    void enable() { (void)both_.peer_reads(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(::send(both_.ours.get(), "x", 1, MSG_NOSIGNAL) == 1, where);
        both_.fill();
        co_return;
    }

private:
    socket_pair both_;
};

}  // namespace

LEAT_TEST("during a wait means that the kernel has been asked, and has answered what it could", on(kernel)) {
    const socket_pair both;
    both.peer_sends("x");
    auto waiting =
        leat::spawn([&]() -> leat::task<> { (void)co_await bare(operation_kind::readable, both.ours); });
    co_await leat::yield();
    CHECK_FALSE(waiting.done());
    co_await cancel_tests::let_the_loop_look();
    CHECK(waiting.done());
}

LEAT_TEST("an accept that is cancelled at any moment takes no connection, or gives it", on(kernel)) {
    co_await cancelled_at_any_moment<accept_trial>("accept");
}

LEAT_TEST("a connect that is cancelled at any moment leaves no socket behind", on(kernel)) {
    co_await cancelled_at_any_moment<connect_trial>("connect");
}

LEAT_TEST("a recv that is cancelled at any moment takes no byte, or gives it", on(kernel)) {
    co_await cancelled_at_any_moment<recv_trial>("recv");
}

LEAT_TEST("a recv of a whole buffer that is cancelled at any moment takes no byte, or gives all",
          on(kernel)) {
    co_await cancelled_at_any_moment<recv_whole_trial>("recv of a whole buffer");
}

LEAT_TEST("a recv_chunk that is cancelled at any moment takes no byte and no buffer, or gives them",
          on(kernel)) {
    co_await cancelled_at_any_moment<recv_chunk_trial>("recv_chunk");
}

LEAT_TEST("a send that is cancelled at any moment sends no byte, or says how many", on(kernel)) {
    co_await cancelled_at_any_moment<send_trial>("send");
}

LEAT_TEST("a send of everything that is cancelled at any moment finds no room, or sends all", on(kernel)) {
    co_await cancelled_at_any_moment<send_whole_trial>("send of everything");
}

LEAT_TEST("a send of several pieces that is cancelled at any moment finds no room, or sends all",
          on(kernel)) {
    co_await cancelled_at_any_moment<send_pieces_trial>("send of pieces");
}

LEAT_TEST("a wait for a readable descriptor that is cancelled at any moment leaves it as it was",
          on(kernel)) {
    co_await cancelled_at_any_moment<readable_trial>("readable");
}

LEAT_TEST("a wait for a writable descriptor that is cancelled at any moment leaves it as it was",
          on(kernel)) {
    co_await cancelled_at_any_moment<writable_trial>("writable");
}
