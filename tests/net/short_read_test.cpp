// SPDX-License-Identifier: MIT
// Reads that end before what is there: at urgent data of TCP (tcp(7)), and at descriptors that come along a
// Unix socket (unix(7)). What is behind is received all the same, without waiting for more.
#include "conformance/connected.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>

using leat::detail::socket_stream;

namespace {

enum class way { some, all, chunks };
constexpr std::array ways{way::some, way::all, way::chunks};

// Six bytes, that come in however many pieces.
leat::task<std::string> receive_six(socket_stream& from, way how) {
    std::string all;
    std::array<char, 6> room;
    while (all.size() < room.size()) {
        switch (how) {
            case way::some: {
                const std::size_t size = co_await from.recv(room);
                all.append(room.data(), size);
                break;
            }
            case way::all:
                co_await from.recv_exactly(room);
                all.append(room.data(), room.size());
                break;
            case way::chunks: {
                const auto chunk = co_await from.recv_chunk();
                all += chunk.text();
                break;
            }
        }
    }
    co_return all;
}

// Sends "onetwo" while `to` is waited for; the "e" is sent by `send_middle`.
leat::task<> check_received(socket_stream& from, socket_stream& to, void (*send_middle)(int fd)) {
    for (const way how : ways) {
        for (int round = 0; round < 3; ++round) {  // the first ones are not waited for as the later ones are
            CAPTURE(static_cast<int>(how));
            CAPTURE(round);
            auto reader = leat::spawn([&] { return receive_six(to, how); });
            for (int i = 0; i < 10; ++i) {
                co_await leat::yield();
            }
            const int fd = from.native_handle();
            CHECK(::send(fd, "on", 2, MSG_NOSIGNAL) == 2);
            send_middle(fd);
            CHECK(::send(fd, "two", 3, MSG_NOSIGNAL) == 3);
            const std::string text = co_await leat::timeout(conformance::patience, reader);
            CHECK(text == "onetwo");
        }
    }
}

// A byte that is not received with the others comes behind it.
void send_before_urgent(int fd) {
    CHECK(::send(fd, "e", 1, MSG_NOSIGNAL) == 1);
    CHECK(::send(fd, "!", 1, MSG_NOSIGNAL | MSG_OOB) == 1);
}

// A copy of a descriptor comes along with it, which is closed when the byte is received.
void send_with_descriptor(int fd) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    char byte = 'e';
    iovec piece{&byte, 1};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK(::sendmsg(fd, &message, MSG_NOSIGNAL) == 1);
}

}  // namespace

LEAT_TEST("what is behind urgent data is received", on(kernel)) {
    conformance::connection both = co_await conformance::connected();
    co_await check_received(both.client, both.server, send_before_urgent);
}

LEAT_TEST("what is behind a descriptor that comes along a Unix socket is received", on(kernel)) {
    auto [one, other] = leat::unix_stream::pair();
    co_await check_received(one, other, send_with_descriptor);
}

LEAT_TEST("a socket of the Unix domain that was taken over as one of TCP is received from alike",
          on(kernel)) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    auto one = leat::tcp_stream::from_fd(both[0]);
    auto other = leat::tcp_stream::from_fd(both[1]);
    co_await check_received(one, other, send_with_descriptor);
}
