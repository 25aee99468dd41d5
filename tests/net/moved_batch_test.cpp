// SPDX-License-Identifier: MIT
// Batches of datagrams as objects: one that is moved takes along what is in it, and one may be too large.
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "datagrams.hpp"

using namespace datagram_tests;
using leat::outgoing_batch;
using leat::received_batch;

LEAT_TEST("what is in a batch that is to be sent goes along when it is moved, and nothing stays") {
    auto server = on_loopback();
    auto client = on_loopback();
    const leat::endpoint there = server.local_endpoint();
    outgoing_batch batch;
    for (const std::string& text : {std::string("gone"), std::string(70'000, 'x'), std::string("left")}) {
        batch.add(text, there);
    }
    const auto failed = co_await leat::as_result(client.send_batch(batch));
    CHECK(failed.error() == std::errc::message_size);
    outgoing_batch taken(std::move(batch));
    CHECK(batch.empty());
    CHECK(taken.size() == 2);
    batch = std::move(taken);
    CHECK(taken.empty());
    batch.drop_first();
    co_await client.send_batch(batch);
    const std::string first = co_await received(server);
    const std::string second = co_await received(server);
    CHECK(first == "gone");
    CHECK(second == "left");
}

LEAT_TEST("what is in a batch that has been received goes along when it is moved, and nothing stays") {
    auto server = on_loopback();
    auto client = on_loopback();
    co_await client.send_to("text", server.local_endpoint());
    received_batch batch;
    co_await leat::timeout(patience, server.recv_batch(batch));
    received_batch taken(std::move(batch));
    CHECK(batch.empty());
    CHECK(batch.begin() == batch.end());
    batch = std::move(taken);
    CHECK(taken.begin() == taken.end());
    REQUIRE(batch.size() == 1);
    const received_batch::entry only = *batch.begin();
    CHECK(std::ranges::equal(only.bytes, std::as_bytes(std::span("text", 4))));
    CHECK(only.from == client.local_endpoint());
}

TEST_CASE("a batch of more bytes than can be counted is refused") {
    const auto make = [](std::size_t datagrams, std::size_t bytes_of_each) {
        const received_batch batch(datagrams, bytes_of_each);
    };
    CHECK_THROWS_AS(make(32, SIZE_MAX / 32 + 2), std::bad_alloc);
}
