// SPDX-License-Identifier: MIT
// Many datagrams with few calls: the same datagrams, in the same order, however they go through the kernel.
#include "../runtime/backends/interposed_kernel.hpp"
#include "../runtime/cancel_moments.hpp"
#include "../support/on_each_backend.hpp"
#include "../support/own_network.hpp"
#include "datagram_trial.hpp"
#include "datagrams.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/udp.h>
#include <sys/socket.h>

using namespace std::chrono_literals;
using namespace datagram_tests;
using backend_tests::disturbance;
using cancel_tests::trial;
using leat::outgoing_batch;
using leat::received_batch;
using leat::udp_socket;

namespace {

std::string text_of(const received_batch::entry& each) {
    return {reinterpret_cast<const char*>(each.bytes.data()), each.bytes.size()};
}

// The next `count` datagrams, which come in any number of batches.
leat::task<std::vector<std::string>> received_in_batches(udp_socket& socket, std::size_t count,
                                                         std::size_t room = 65'535) {
    received_batch batch(8, room);
    std::vector<std::string> texts;
    while (texts.size() < count) {
        const std::size_t size = co_await leat::timeout(patience, socket.recv_batch(batch));
        CHECK(size > 0);
        CHECK(size == batch.size());
        CHECK(static_cast<std::size_t>(std::ranges::distance(batch)) == size);
        for (const auto& each : batch) {
            CHECK_FALSE(each.truncated);
            texts.push_back(text_of(each));
        }
    }
    co_return texts;
}

std::string numbered(std::size_t number, std::size_t size) {
    std::string text = std::to_string(number) + ":";
    text.resize(size, static_cast<char>('a' + number % 26));
    return text;
}

// Sizes of all sorts, with runs of one size and shorter ends.
std::vector<std::string> texts_of_all_sizes() {
    std::vector<std::string> texts;
    for (const std::size_t size : {1200, 1200, 1200, 500, 500, 1200, 0, 0, 7, 1200, 1201, 1200, 9000, 9000}) {
        texts.push_back(size < 10 ? std::string(size, 'x') : numbered(texts.size(), size));
    }
    return texts;
}

leat::task<> exchanges_all_sizes(leat::udp_bind_options how) {
    auto server = udp_socket::bind({"127.0.0.1", 0}, how);
    auto client = on_loopback();
    const std::vector<std::string> texts = texts_of_all_sizes();
    outgoing_batch batch;
    for (int again = 0; again < 3; ++again) {
        for (const std::string& text : texts) {
            batch.add(text, server.local_endpoint());
        }
        CHECK(batch.size() == texts.size());
        co_await client.send_batch(batch);
        CHECK(batch.empty());
        const auto came = co_await received_in_batches(server, texts.size());
        CHECK(came == texts);
    }
}

}  // namespace

LEAT_TEST("datagrams of a batch come as they were, in order") {
    return exchanges_all_sizes({});
}

LEAT_TEST("datagrams of a batch come as they were, through a socket that coalesces") {
    return exchanges_all_sizes({.coalesce = true});
}

LEAT_TEST("a batch is answered with a batch, each sender its own") {
    auto server = on_loopback();
    std::vector<udp_socket> clients;
    for (int number = 0; number < 5; ++number) {
        clients.push_back(on_loopback());
        co_await clients.back().send_to("from " + std::to_string(number), server.local_endpoint());
    }
    received_batch questions;
    outgoing_batch answers;
    for (std::size_t answered = 0; answered < clients.size();) {
        answered += co_await leat::timeout(patience, server.recv_batch(questions));
        for (const auto& each : questions) {
            answers.add("to " + text_of(each), each.from);
        }
    }
    co_await server.send_batch(answers);
    for (int number = 0; number < 5; ++number) {
        const std::string answer = co_await received(clients[static_cast<std::size_t>(number)]);
        CHECK(answer == "to from " + std::to_string(number));
    }
}

LEAT_TEST("a connected socket sends a batch to its peer") {
    auto server = on_loopback();
    auto client = on_loopback();
    outgoing_batch batch;
    batch.add("to nobody");
    std::string what;
    try {
        co_await client.send_batch(batch);
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::destination_address_required);
        what = error.what();
    }
    CHECK(what == "send: Destination address required");
    CHECK(batch.size() == 1);
    co_await client.connect(server.local_endpoint());
    for (std::size_t number = 0; number < 200; ++number) {
        batch.add(numbered(number, 20));
    }
    batch.drop_first();
    co_await client.send_batch(batch);
    const auto came = co_await received_in_batches(server, 200);
    for (std::size_t number = 0; number < came.size(); ++number) {
        CHECK(came[number] == numbered(number, 20));
    }
}

LEAT_TEST("a datagram that does not fit into its room says so, and the next ones come whole") {
    auto server = on_loopback();
    auto client = on_loopback();
    outgoing_batch batch;
    batch.add("a long one", server.local_endpoint());
    batch.add("next", server.local_endpoint());
    co_await client.send_batch(batch);
    received_batch small(1, 4);
    co_await leat::timeout(patience, server.recv_batch(small));
    CHECK((*small.begin()).truncated);
    CHECK(text_of(*small.begin()) == "a lo");
    CHECK((*small.begin()).from == client.local_endpoint());
    co_await leat::timeout(patience, server.recv_batch(small));
    CHECK_FALSE((*small.begin()).truncated);
    CHECK(text_of(*small.begin()) == "next");
    CHECK(small.size() == 1);
}

LEAT_TEST("a datagram that cannot be sent stays first in its batch, and the ones before have gone") {
    auto server = on_loopback();
    auto client = on_loopback();
    const leat::endpoint there = server.local_endpoint();
    outgoing_batch batch;
    batch.add("first", there);
    batch.add(std::string(70'000, 'x'), there);
    batch.add("last", there);
    std::string what;
    try {
        co_await client.send_batch(batch);
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::message_size);
        what = error.what();
    }
    CHECK(what == "send to " + there.to_string() + ": Message too long");
    CHECK(batch.size() == 2);
    batch.drop_first();
    co_await client.send_batch(batch);
    const auto came = co_await received_in_batches(server, 2);
    CHECK(came == std::vector<std::string>{"first", "last"});
    client.close();
    batch.add("late", there);
    const auto late = co_await leat::as_result(client.send_batch(batch));
    CHECK(late.error() == leat::stream_errc::closed);
    received_batch none;
    const auto closed = co_await leat::as_result(client.recv_batch(none));
    CHECK(closed.error() == leat::stream_errc::closed);
    CHECK(none.empty());
}

LEAT_TEST("a refusal is told once by a recv_batch, and closing ends one that waits") {
    auto client = on_loopback();
    {
        auto gone = on_loopback();
        co_await client.connect(gone.local_endpoint());
    }
    co_await client.send("hello?");
    received_batch batch;
    const auto refused = co_await leat::as_result(leat::timeout(patience, client.recv_batch(batch)));
    CHECK(refused.error() == std::errc::connection_refused);
    auto waiting = leat::spawn([&]() -> leat::task<> { co_await client.recv_batch(batch); });
    co_await leat::testing::wait_until_idle();
    CHECK_FALSE(waiting.done());
    client.close();
    const auto ended = co_await leat::as_result(waiting);
    CHECK(ended.error() == std::errc::operation_canceled);
}

namespace {

int messages = 0;

int send_counted(int fd, mmsghdr* given, unsigned count, int flags) {
    messages += static_cast<int>(count);
    return ::sendmmsg(fd, given, count, flags);
}

// A device that cannot take a message apart.
int send_without_segments(int fd, mmsghdr* given, unsigned /*count*/, int flags) {
    if (given->msg_hdr.msg_control != nullptr) {
        ++messages;
        errno = EIO;
        return -1;
    }
    return ::sendmmsg(fd, given, 1, flags);  // the rest is another call's
}

bool has_segments(const udp_socket& socket) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket.native_handle(), SOL_UDP, UDP_SEGMENT, &value, &size) == 0;
}

leat::task<> sends_ten(udp_socket& client, udp_socket& server, std::size_t size) {
    outgoing_batch batch;
    std::vector<std::string> texts;
    for (std::size_t number = 0; number < 10; ++number) {
        texts.push_back(numbered(number, size));
        batch.add(texts.back(), server.local_endpoint());
    }
    co_await client.send_batch(batch);
    const auto came = co_await received_in_batches(server, 10);
    CHECK(came == texts);
}

}  // namespace

LEAT_TEST("datagrams of one size to one receiver go as one message, where the kernel takes them",
          on(kernel)) {
    auto server = on_loopback();
    auto client = on_loopback();
    const disturbance counting(leat::system_call::sendmmsg, &send_counted);
    messages = 0;
    co_await sends_ten(client, server, 1000);
    CHECK(messages == (has_segments(client) ? 1 : 10));
}

LEAT_TEST("datagrams go one by one where a device does not take them apart", on(kernel)) {
    auto server = on_loopback();
    auto client = on_loopback();
    const disturbance failing(leat::system_call::sendmmsg, &send_without_segments);
    messages = 0;
    co_await sends_ten(client, server, 1000);
    CHECK(messages == (has_segments(client) ? 1 : 0));  // which was tried in vain once
}

namespace {

leat::task<> larger_than_a_packet() {
    auto server = udp_socket::bind({"127.0.0.1", 0}, {.coalesce = true});
    auto client = on_loopback();
    co_await sends_ten(client, server, 1000);
    co_await sends_ten(client, server, 5000);
    co_await sends_ten(client, server, 1000);
}

}  // namespace

TEST_CASE("datagrams larger than a packet of the way go one by one") {
    support::on_each_backend([](const auto& backend) {
        support::in_own_network([&] {
            support::own_network::limit_loopback_packets(1500);
            leat::run(larger_than_a_packet, {.backend = backend});
        });
    });
}

namespace {

struct receive_batch_trial : receive_trial {
    leat::task<> attempt() {
        received_batch batch(4, 100);
        co_await socket().recv_batch(batch);
        std::string all;
        for (const auto& each : batch) {
            all += text_of(each);
        }
        received(all);
    }
};

// There is room for some of a batch only, until somebody receives: of a pair of the Unix family, as UDP
// itself drops what finds none.
class send_batch_trial : public trial {
public:
    // What has ended may be the wait of a part of it.
    static constexpr auto delivers_from = cancel_tests::moment::after_the_task_ended;
    send_batch_trial() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours_ = udp_socket::from_fd(ends[0]);
        peer_ = udp_socket::from_fd(ends[1]);
    }
    leat::task<> attempt() {
        if (batch_.empty()) {
            for (int number = 0; number < all; ++number) {
                batch_.add(numbered(added_++, size));
            }
        }
        co_await ours_.send_batch(batch_);
        CHECK(batch_.empty());
        delivered();
    }
    void enable() {
        draining_ = leat::spawn([this]() -> leat::task<> {
            for (int number = 0; number < all; ++number) {
                std::string text(size, ' ');
                co_await peer_.recv(text);
                CHECK(text == numbered(arrived_++, size));
            }
        });
    }
    leat::task<> verify(const std::string& where) {
        co_await leat::timeout(patience, std::move(draining_));
        CHECK_MESSAGE(arrived_ == added_, where);
        char byte = 0;
        CHECK_MESSAGE(::recv(peer_.native_handle(), &byte, 1, MSG_DONTWAIT) == -1, where);
    }

private:
    static constexpr std::size_t size = 10'000;
    static constexpr int all = 100;  // several times what there is room for

    udp_socket ours_;
    udp_socket peer_;
    outgoing_batch batch_;
    std::size_t added_ = 0;
    std::size_t arrived_ = 0;
    leat::handle<> draining_;
};

}  // namespace

CANCEL_TESTS("a recv_batch", receive_batch_trial)

LEAT_TEST("a send_batch that waits for room is cancelled at any moment, and goes on where it was",
          on(kernel)) {
    return cancel_tests::cancelled_at_any_moment<send_batch_trial>("a send_batch");
}
