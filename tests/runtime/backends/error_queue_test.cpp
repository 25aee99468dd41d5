// SPDX-License-Identifier: MIT
// A socket whose queue of errors nobody empties, on every backend: who waits on it sleeps, and hears of what
// comes all the same.
#include "bare_operations.hpp"
#include "interposed_kernel.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

using namespace backend_tests;
namespace call = leat::system_call;

namespace {

// Counts the system calls by which backends wait and receive.
int calls = 0;

template <auto& Place, typename Function = std::remove_reference_t<decltype(Place)>>
struct counting;
template <auto& Place, typename Result, typename... Arguments>
struct counting<Place, Result (*)(Arguments...)> {
    static inline Result (*real)(Arguments...) = Place;
    static Result call(Arguments... arguments) {
        ++calls;
        return real(arguments...);
    }
};
template <auto& Place>
struct counted : disturbance<std::remove_reference_t<decltype(Place)>> {
    counted() noexcept
        : disturbance<std::remove_reference_t<decltype(Place)>>(Place, counting<Place>::call) {}
};
struct counted_calls {
    counted<call::recv> recv;
    counted<call::recvmsg> recvmsg;
    counted<call::ppoll> ppoll;
    counted<call::epoll_wait> epoll_wait;
    counted<call::epoll_pwait2> epoll_pwait2;
    counted<call::io_uring_enter> io_uring_enter;
};

// As a seccomp filter refuses it.
int refuse_epoll(int) noexcept {
    errno = EPERM;
    return -1;
}

// Waits for some time, in which nothing comes. Whatever the backend does at first, it then sleeps.
void sleeps(leat::backend& io, const bare_operation& waiting, int most = 4) {
    const auto wait = [&] {
        const leat::time_point end = leat::after(io.now(), std::chrono::milliseconds(20));
        while (io.now() < end) {
            collect(io, end);
        }
    };
    wait();
    calls = 0;
    wait();
    CHECK(calls <= most);
    CHECK_FALSE(waiting.ended());
}

bool has_errors(int fd) {
    pollfd now{.fd = fd, .events = 0, .revents = 0};
    return ::poll(&now, 1, 1'000) == 1 && (now.revents & POLLERR) != 0;
}

// A UDP socket that remembers what its peer has refused.
struct remembering_socket {
    remembering_socket() {
        ours.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        peer_is_there();
        const int yes = 1;
        REQUIRE(::setsockopt(ours.get(), IPPROTO_IP, IP_RECVERR, &yes, sizeof yes) == 0);
        REQUIRE(::connect(ours.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        part.iov_base = text;
        part.iov_len = sizeof text;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
    }
    void peer_is_there() {
        peer.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        socklen_t size = sizeof address;
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(peer.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::getsockname(peer.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    }
    void is_refused() {
        peer.reset();
        REQUIRE(::send(ours.get(), "x", 1, 0) == 1);
        REQUIRE(has_errors(ours.get()));
    }
    void peer_sends() {
        sockaddr_in us{};
        socklen_t size = sizeof us;
        REQUIRE(::getsockname(ours.get(), reinterpret_cast<sockaddr*>(&us), &size) == 0);
        REQUIRE(::sendto(peer.get(), "abc", 3, 0, reinterpret_cast<sockaddr*>(&us), size) == 3);
    }

    leat::fd ours;
    leat::fd peer;
    sockaddr_in address{};
    char text[8] = {};
    iovec part{};
    msghdr message{};
};

}  // namespace

TEST_CASE("a datagram is waited for asleep while the socket has errors that nobody takes") {
    const counted_calls counting_all;
    on_every_backend([](leat::backend& io) {
        remembering_socket socket;
        socket.is_refused();
        bare_operation refused(operation_kind::recv_datagram, socket.ours.get());
        refused.message = &socket.message;
        start(io, refused);
        finish(io, refused);
        CHECK(refused.result == -ECONNREFUSED);
        REQUIRE(has_errors(socket.ours.get()));  // the queue is another thing

        for (int round = 0; round < 2; ++round) {
            bare_operation recv(operation_kind::recv_datagram, socket.ours.get());
            recv.message = &socket.message;
            start(io, recv);
            sleeps(io, recv);
            socket.peer_is_there();
            socket.peer_sends();
            finish(io, recv);
            CHECK(recv.result == 3);

            bare_operation again(operation_kind::recv_datagram, socket.ours.get());
            again.message = &socket.message;
            start(io, again);
            sleeps(io, again);
            socket.is_refused();
            finish(io, again);
            CHECK(again.result == -ECONNREFUSED);
        }
        bare_operation last(operation_kind::recv_datagram, socket.ours.get());
        last.message = &socket.message;
        start(io, last);
        look(io);
        cancel(io, last);
        finish(io, last);
        CHECK(last.result == -ECANCELED);
        io.retire(socket.ours.release());
        finish_retiring(io);
    });
}

TEST_CASE("who waits on a socket with errors is tried again now and then where no edges can be watched") {
    const disturbance<decltype(call::epoll_create1)> refusing(call::epoll_create1, refuse_epoll);
    const counted_calls counting_all;
    on_every_backend([](leat::backend& io) {
        remembering_socket socket;
        socket.is_refused();
        bare_operation first(operation_kind::recv_datagram, socket.ours.get());
        first.message = &socket.message;
        start(io, first);
        finish(io, first);
        REQUIRE(has_errors(socket.ours.get()));
        for (int round = 0; round < 2; ++round) {
            bare_operation recv(operation_kind::recv_datagram, socket.ours.get());
            recv.message = &socket.message;
            start(io, recv);
            sleeps(io, recv, 24);  // some for each of a few tries; it was thousands
            socket.peer_is_there();
            socket.peer_sends();
            finish(io, recv);
            CHECK(recv.result == 3);
        }
        bare_operation last(operation_kind::recv_datagram, socket.ours.get());
        last.message = &socket.message;
        start(io, last);
        sleeps(io, last, 24);
        cancel(io, last);
        finish(io, last);
        CHECK(last.result == -ECANCELED);
        bare_operation retired(operation_kind::recv_datagram, socket.ours.get());
        retired.message = &socket.message;
        start(io, retired);
        sleeps(io, retired, 24);
        io.retire(socket.ours.release());
        finish(io, retired);
        CHECK(retired.result == -ECANCELED);
        finish_retiring(io);
    });
}

TEST_CASE("room for bytes is waited for asleep while the socket has time stamps that nobody takes") {
    for (const bool has_edges : {true, false}) {
        const disturbance<decltype(call::epoll_create1)> refusing(
            call::epoll_create1, has_edges ? call::epoll_create1 : refuse_epoll);
        const counted_calls counting_all;
        on_every_backend([&](leat::backend& io) {
            listener through;
            connection both(through);
            const int asked =
                SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
            REQUIRE(::setsockopt(both.ours.get(), SOL_SOCKET, SO_TIMESTAMPING, &asked, sizeof asked) == 0);
            REQUIRE(::send(both.ours.get(), "x", 1, MSG_NOSIGNAL) == 1);
            if (!has_errors(both.ours.get())) {
                MESSAGE("skipped: no time stamps on the loopback");
                return;
            }
            std::string much(16'000'000, 'x');
            bare_operation send(operation_kind::send, both.ours.get(), much);
            send.whole = true;
            start(io, send);
            for (int i = 0; i < 100; ++i) {  // as much as there is room for
                look(io);
            }
            sleeps(io, send, has_edges ? 4 : 24);
            std::size_t arrived = 0;
            look_until(io, [&] {
                arrived += both.peer_reads().size();
                return send.ended();
            });
            CHECK(send.result == 16'000'000);
            look_until(io, [&] {
                arrived += both.peer_reads().size();
                return arrived == 16'000'001;
            });
            io.retire(both.ours.release());
            finish_retiring(io);
        });
    }
}

TEST_CASE("bytes are waited for asleep while the socket has time stamps that nobody takes") {
    const counted_calls counting_all;
    on_every_backend([](leat::backend& io) {
        for (const operation_kind kind : {operation_kind::recv, operation_kind::recv_chunk}) {
            listener through;
            connection both(through);
            const int asked =
                SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
            REQUIRE(::setsockopt(both.ours.get(), SOL_SOCKET, SO_TIMESTAMPING, &asked, sizeof asked) == 0);
            REQUIRE(::send(both.ours.get(), "x", 1, MSG_NOSIGNAL) == 1);
            if (!has_errors(both.ours.get())) {
                MESSAGE("skipped: no time stamps on the loopback");
                return;
            }
            std::string bytes(8, ' ');
            for (const char* const text : {"abc", "def", "ghi"}) {
                bare_operation recv = kind == operation_kind::recv
                                          ? bare_operation(kind, both.ours.get(), bytes)
                                          : bare_operation(kind, both.ours.get());
                start(io, recv);
                sleeps(io, recv);
                both.peer_sends(text);
                finish(io, recv);
                CHECK(recv.result == 3);
                CHECK((kind == operation_kind::recv ? bytes.substr(0, 3) : text_of(recv.received())) == text);
            }
            (void)both.peer_reads();
            both.peer.reset();
            bare_operation end = kind == operation_kind::recv ? bare_operation(kind, both.ours.get(), bytes)
                                                              : bare_operation(kind, both.ours.get());
            start(io, end);
            finish(io, end);
            CHECK(end.result == 0);
            io.retire(both.ours.release());
            finish_retiring(io);
        }
    });
}
