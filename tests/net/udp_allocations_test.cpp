// SPDX-License-Identifier: MIT
// In the program that counts operator new.
#include "../support/on_each_backend.hpp"
#include "../support/sanitizers.hpp"

#include <leat/net.hpp>
#include <leat/testing/counted_memory.hpp>

#include <doctest/doctest.h>

#include <array>

using leat::datagram;
using leat::udp_socket;
using leat::testing::counted_memory::allocations;

namespace {

leat::task<> echo(udp_socket& socket) {
    std::array<char, 100> buffer;
    for (;;) {
        const datagram got = co_await socket.recv_from(buffer);
        co_await socket.send_to(std::string_view(buffer.data(), got.size), got.from);
    }
}

// Of a thousand questions, after a hundred to warm up.
leat::task<long> allocations_of_questions() {
    auto server = udp_socket::bind({"127.0.0.1", 0});
    auto client = udp_socket::bind({"127.0.0.1", 0});
    const leat::endpoint there = server.local_endpoint();
    co_await client.connect(there);
    auto echoing = leat::spawn(echo, std::ref(server));
    long before = 0;
    for (int number = 0; number < 1100; ++number) {
        if (number == 100) {
            before = allocations;
        }
        std::array<char, 100> buffer;
        co_await client.send("question");
        (void)co_await client.recv(buffer);
    }
    const long counted = allocations - before;
    echoing.cancel();
    co_await echoing.join();
    co_return counted;
}

leat::task<> echo_batches(udp_socket& socket) {
    leat::received_batch received(16, 100);
    leat::outgoing_batch answers;
    for (;;) {
        co_await socket.recv_batch(received);
        for (const auto& each : received) {
            answers.add(each.bytes, each.from);
        }
        co_await socket.send_batch(answers);
    }
}

// The same in batches of ten.
leat::task<long> allocations_of_batches() {
    auto server = udp_socket::bind({"127.0.0.1", 0});
    auto client = udp_socket::bind({"127.0.0.1", 0});
    auto echoing = leat::spawn(echo_batches, std::ref(server));
    leat::outgoing_batch questions;
    leat::received_batch answers(16, 100);
    long before = 0;
    for (int round = 0; round < 110; ++round) {
        if (round == 10) {
            before = allocations;
        }
        for (int number = 0; number < 10; ++number) {
            questions.add("question", server.local_endpoint());
        }
        co_await client.send_batch(questions);
        for (std::size_t answered = 0; answered < 10;) {
            answered += co_await client.recv_batch(answers);
        }
    }
    const long counted = allocations - before;
    echoing.cancel();
    co_await echoing.join();
    co_return counted;
}

}  // namespace

// Those are coroutines, whose frames are recycled but under the address sanitizer.
TEST_CASE("batches of datagrams come and go without an allocation" *
          doctest::skip(leat::testing::address_sanitized)) {
    support::on_each_backend([](const auto& backend) {
        const long counted = leat::run(allocations_of_batches, {.backend = backend});
        CHECK(counted == 0);
    });
}

TEST_CASE("datagrams come and go without an allocation") {
    support::on_each_backend([](const auto& backend) {
        const long counted = leat::run(allocations_of_questions, {.backend = backend});
        CHECK(counted == 0);
    });
}
