// SPDX-License-Identifier: MIT
// Descriptors that go with messages and bytes of the Unix domain. That none is left open is what every
// LEAT_TEST checks in the end.
#include "../runtime/cancel_moments.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::fd;
using leat::unix_datagram;
using leat::unix_message;
using leat::unix_seqpacket;
using leat::unix_stream;

namespace {

// A pipe, of which one end is passed: what is written to it comes out of the other.
struct passed_pipe {
    passed_pipe() {
        int both[2];
        REQUIRE(::pipe2(both, O_CLOEXEC | O_NONBLOCK) == 0);
        reader.reset(both[0]);
        writer.reset(both[1]);
    }
    [[nodiscard]] bool leads_here(const fd& other) const {
        char byte = 0;
        return ::write(other.get(), "x", 1) == 1 && ::read(reader.get(), &byte, 1) == 1 && byte == 'x';
    }
    fd reader;
    fd writer;
};

bool is_close_on_exec(const fd& descriptor) {
    return (::fcntl(descriptor.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

template <typename Socket>
leat::task<> passes_descriptors() {
    auto [sender, receiver] = Socket::pair();
    const passed_pipe first;
    const passed_pipe second;
    const int passed[] = {first.writer.get(), second.writer.get()};
    const std::size_t sent = co_await sender.send_with("two ends", passed);
    CHECK(sent == 8);
    std::array<fd, 3> came;
    std::array<char, 100> buffer;
    const unix_message message = co_await receiver.recv_with(buffer, came);
    CHECK(std::string_view(buffer.data(), message.size) == "two ends");
    CHECK(message.descriptors == 2);
    CHECK_FALSE(message.descriptors_lost);
    CHECK_FALSE(came[2]);
    CHECK(first.leads_here(came[0]));
    CHECK(second.leads_here(came[1]));
    CHECK(came[0].get() != passed[0]);
    CHECK(is_close_on_exec(came[0]));
    CHECK(is_close_on_exec(came[1]));
    // None is a message without any; what was in the span stays.
    (void)co_await sender.send_with("none", {});
    const unix_message plain = co_await receiver.recv_with(buffer, came);
    CHECK(plain.size == 4);
    CHECK(plain.descriptors == 0);
    CHECK_FALSE(plain.descriptors_lost);
    CHECK(first.leads_here(came[0]));
}

template <typename Socket>
leat::task<> closes_what_has_no_room() {
    auto [sender, receiver] = Socket::pair();
    const passed_pipe end;
    std::vector<int> passed(5, end.writer.get());
    std::array<char, 100> buffer;
    std::array<fd, 2> came;
    const std::size_t before = leat::testing::open_descriptors();
    (void)co_await sender.send_with("five", passed);
    const unix_message cut = co_await receiver.recv_with(buffer, came);
    CHECK(cut.descriptors == 2);
    CHECK(cut.descriptors_lost);
    CHECK(leat::testing::open_descriptors() == before + 2);
    (void)co_await sender.send_with("five", passed);
    const unix_message unwanted = co_await receiver.recv_with(buffer, {});
    CHECK(unwanted.size == 4);
    CHECK(unwanted.descriptors == 0);
    CHECK(unwanted.descriptors_lost);
    CHECK(leat::testing::open_descriptors() == before + 2);
    (void)co_await sender.send_with("one", std::span(passed).first(1));
    const unix_message replaced = co_await receiver.recv_with(buffer, came);
    CHECK(replaced.descriptors == 1);
    CHECK(leat::testing::open_descriptors() == before + 2);
    CHECK(end.leads_here(came[0]));
}

}  // namespace

LEAT_TEST("descriptors go with bytes of a Unix stream", on(kernel)) {
    return passes_descriptors<unix_stream>();
}

LEAT_TEST("descriptors go with datagrams of the Unix domain", on(kernel)) {
    return passes_descriptors<unix_datagram>();
}

LEAT_TEST("descriptors go with messages of a connection", on(kernel)) {
    return passes_descriptors<unix_seqpacket>();
}

LEAT_TEST("descriptors for which there is no room are closed, of a Unix stream", on(kernel)) {
    return closes_what_has_no_room<unix_stream>();
}

LEAT_TEST("descriptors for which there is no room are closed, of a datagram", on(kernel)) {
    return closes_what_has_no_room<unix_datagram>();
}

LEAT_TEST("descriptors for which there is no room are closed, of a connection's message", on(kernel)) {
    return closes_what_has_no_room<unix_seqpacket>();
}

LEAT_TEST("descriptors that nobody asks for are closed, however the message is received", on(kernel)) {
    const passed_pipe end;
    const int passed[] = {end.writer.get()};
    const std::size_t before = leat::testing::open_descriptors();
    {
        auto [one, other] = unix_datagram::pair();
        (void)co_await one.send_with("datagram", passed);
        std::array<char, 100> buffer;
        const unix_message came = co_await other.recv_from(buffer);
        CHECK(came.descriptors_lost);
    }
    {
        auto [one, other] = unix_stream::pair();
        (void)co_await one.send_with("bytes", passed);
        const leat::chunk came = co_await other.recv_chunk();
        CHECK(came.text() == "bytes");
        (void)co_await one.send_with("never read", passed);
    }
    CHECK(leat::testing::open_descriptors() == before);
}

LEAT_TEST("as many descriptors as the kernel allows go with one message, and no more", on(kernel)) {
    auto [one, other] = unix_seqpacket::pair();
    const passed_pipe end;
    std::vector<int> passed(leat::passed_descriptors_max + 1, end.writer.get());
    const auto refused = co_await leat::as_result(one.send_with("too many", passed));
    CHECK(refused.error() == std::errc::invalid_argument);
    const auto by_name = co_await leat::as_result(
        unix_datagram::open().send_to("too many", leat::unix_endpoint::abstract("leat.nobody"), passed));
    CHECK(by_name.error() == std::errc::invalid_argument);
    (void)co_await one.send_with("many", std::span(passed).first(leat::passed_descriptors_max));
    std::vector<fd> came(leat::passed_descriptors_max);
    std::array<char, 100> buffer;
    const unix_message message = co_await other.recv_with(buffer, came);
    CHECK(message.descriptors == leat::passed_descriptors_max);
    CHECK(end.leads_here(came.back()));
    const int closed[] = {9999};
    const auto wrong = co_await leat::as_result(one.send_with("a number", closed));
    CHECK(wrong.error() == std::errc::bad_file_descriptor);
}

LEAT_TEST("descriptors beyond the limit of the process are lost, and said to be", on(kernel)) {
    auto [one, other] = unix_stream::pair();
    const passed_pipe end;
    const std::vector<int> passed(8, end.writer.get());
    std::array<fd, 8> came;
    std::array<char, 100> buffer;
    (void)co_await one.send_with("eight", passed);
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const fd lowest(::dup(end.writer.get()));
    rlimit tight = limit;
    tight.rlim_cur = static_cast<rlim_t>(lowest.get()) + 4;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    const auto message = co_await leat::as_result(other.recv_with(buffer, came));
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    REQUIRE(message.ok());
    CHECK(message->size == 5);
    CHECK(message->descriptors < 8);
    CHECK(message->descriptors_lost);
    for (std::size_t i = 0; i < message->descriptors; ++i) {
        CHECK(end.leads_here(came[i]));
    }
}

LEAT_TEST("descriptors go with datagrams to any name", on(kernel)) {
    auto server = unix_datagram::bind({});
    auto client = unix_datagram::bind({});
    const passed_pipe end;
    const int passed[] = {end.writer.get()};
    co_await client.send_to("here", server.local_endpoint(), passed);
    std::array<fd, 1> came;
    std::array<char, 100> buffer;
    const unix_message message = co_await server.recv_with(buffer, came);
    CHECK(message.from == client.local_endpoint());
    CHECK(message.descriptors == 1);
    CHECK(end.leads_here(came[0]));
}

LEAT_TEST("bytes that were given back come before those with descriptors", on(kernel)) {
    auto [one, other] = unix_stream::pair();
    const passed_pipe end;
    const int passed[] = {end.writer.get()};
    co_await one.send_all("before");
    leat::chunk before = co_await other.recv_chunk();
    other.unread(std::move(before));
    (void)co_await one.send_with("with", passed);
    CHECK(one.bytes_sent() == 10);
    std::array<fd, 1> came;
    std::array<char, 100> buffer;
    const unix_message first = co_await other.recv_with(buffer, came);
    CHECK(std::string_view(buffer.data(), first.size) == "before");
    CHECK(first.descriptors == 0);
    const unix_message second = co_await other.recv_with(buffer, came);
    CHECK(std::string_view(buffer.data(), second.size) == "with");
    CHECK(second.descriptors == 1);
    one.shutdown_send();
    const unix_message end_of_stream = co_await other.recv_with(buffer, came);
    CHECK(end_of_stream.size == 0);
    CHECK(end.leads_here(came[0]));
}

LEAT_TEST("a simulation passes no descriptors", on(simulated)) {
    auto listener = leat::unix_listener::bind({});
    auto client = co_await unix_stream::connect(listener.local_endpoint());
    std::array<fd, 1> came;
    std::array<char, 100> buffer;
    const int passed[] = {0};
    const auto sent = co_await leat::as_result(client.send_with("x", passed));
    CHECK(sent.error() == std::errc::operation_not_supported);
    const auto received = co_await leat::as_result(client.recv_with(buffer, came));
    CHECK(received.error() == std::errc::operation_not_supported);
}

namespace {

// Each message has a descriptor of its own; each must come with its text.
template <typename Socket>
class receive_descriptors_trial : public trial {
public:
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        std::array<fd, 2> came;
        const unix_message message = co_await both_.first.recv_with(buffer, came);
        CHECK(message.descriptors == 1);
        CHECK(std::string_view(buffer.data(), message.size) == std::to_string(received_));
        CHECK(end_.leads_here(came[0]));
        ++received_;
        delivered();
    }
    void enable() {
        const std::string text = std::to_string(sent_++);
        const int passed = end_.writer.get();
        alignas(cmsghdr) char room[CMSG_SPACE(sizeof passed)] = {};
        iovec bytes{const_cast<char*>(text.data()), text.size()};
        msghdr message{};
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        cmsghdr& part = *CMSG_FIRSTHDR(&message);
        part.cmsg_level = SOL_SOCKET;
        part.cmsg_type = SCM_RIGHTS;
        part.cmsg_len = CMSG_LEN(sizeof passed);
        std::memcpy(CMSG_DATA(&part), &passed, sizeof passed);
        CHECK(::sendmsg(both_.second.native_handle(), &message, 0) > 0);
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    std::pair<Socket, Socket> both_ = Socket::pair();
    passed_pipe end_;
    int sent_ = 0;
    int received_ = 0;
};

template <typename Socket>
class send_descriptors_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const int passed[] = {end_.writer.get()};
        (void)co_await both_.first.send_with(std::to_string(deliveries()), passed);
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        for (; arrived_ < deliveries(); ++arrived_) {
            std::array<char, 8> buffer;
            std::array<fd, 2> came;
            const unix_message message = co_await leat::timeout(20s, both_.second.recv_with(buffer, came));
            CHECK_MESSAGE(message.descriptors == 1, where);
            CHECK_MESSAGE(std::string_view(buffer.data(), message.size) == std::to_string(arrived_), where);
        }
        char byte = 0;
        CHECK_MESSAGE(::recv(both_.second.native_handle(), &byte, 1, MSG_DONTWAIT) == -1, where);
    }

private:
    std::pair<Socket, Socket> both_ = Socket::pair();
    passed_pipe end_;
    int arrived_ = 0;
};

}  // namespace

LEAT_TEST("a recv_with of a Unix stream is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<receive_descriptors_trial<unix_stream>>("a recv_with of a stream");
}

LEAT_TEST("a recv_with of a datagram is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<receive_descriptors_trial<unix_datagram>>("a recv_with of a datagram");
}

LEAT_TEST("a recv_with of a message is cancelled at any moment", on(kernel)) {
    return cancelled_at_any_moment<receive_descriptors_trial<unix_seqpacket>>("a recv_with of a message");
}

LEAT_TEST("a send_with is cancelled at any moment", on(kernel)) {
    co_await cancelled_at_any_moment<send_descriptors_trial<unix_stream>>("a send_with of a stream");
    co_await cancelled_at_any_moment<send_descriptors_trial<unix_seqpacket>>("a send_with of a message");
}
