// SPDX-License-Identifier: MIT
// Lengths that 31 or 32 bits do not count, on every backend: what is sent or received of them is a part, and
// never nothing, too much, or an endless loop; and all of them can be sent.
#include "../../support/mapped_memory.hpp"
#include "connected.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <array>
#include <cstring>

using namespace std::chrono_literals;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;
using test_support::four_gigabytes;
using test_support::long_lengths;
using test_support::mapped_memory;

namespace {

constexpr std::size_t little = 1'000;

leat::task<> send_whole(leat::tcp_stream& to, std::span<const std::byte> bytes) {
    co_await to.send_all(bytes);
}

leat::task<> send_halves(leat::tcp_stream& to, std::span<const std::byte> bytes) {
    const std::size_t half = bytes.size() / 2;
    co_await to.send_all(bytes.first(half), std::span<const std::byte>(), bytes.subspan(half));
}

leat::task<> send_little_first(leat::tcp_stream& to, std::span<const std::byte> bytes) {
    co_await to.send_all(bytes.first(little), bytes);
}

constexpr leat::task<> (*ways_to_send[])(leat::tcp_stream&, std::span<const std::byte>) = {
    send_whole, send_halves, send_little_first};

leat::task<std::uint64_t> size_up_to_the_end(leat::tcp_stream& from) {
    std::uint64_t size = 0;
    while (const auto chunk = co_await from.recv_chunk()) {
        size += chunk.size();
    }
    co_return size;
}

}  // namespace

LEAT_TEST("a send of a length beyond 31 and 32 bits takes a part of it") {
    const mapped_memory memory(four_gigabytes + 7);
    for (const std::size_t length : long_lengths) {
        connection both = co_await connected();
        const std::size_t taken =
            co_await leat::timeout(patience, both.client.send(memory.bytes().first(length)));
        CHECK(taken > 0);
        CHECK(taken < length);
        CHECK(both.client.bytes_sent() == taken);
        both.client.shutdown_send();
        const std::uint64_t arrived = co_await leat::timeout(patience, size_up_to_the_end(both.server));
        CHECK(arrived == taken);
    }
}

LEAT_TEST("a send_all of a length beyond 31 and 32 bits, whose peer reads a little and goes, fails") {
    const mapped_memory memory(four_gigabytes + 7);
    for (const auto way : ways_to_send) {
        for (const std::size_t length : long_lengths) {
            connection both = co_await connected();
            auto sender = leat::spawn(error_of, way(both.client, memory.bytes().first(length)));
            std::array<std::byte, little> some;
            co_await leat::timeout(patience, both.server.recv_exactly(some));
            both.server.close();
            const std::error_code code = co_await leat::timeout(patience, sender);
            CHECK((code == std::errc::connection_reset || code == std::errc::broken_pipe));
            CHECK(both.client.bytes_sent() >= little);
            CHECK(both.client.bytes_sent() < length);
        }
    }
}

LEAT_TEST("a send_all of a length beyond 31 and 32 bits that is cancelled tells how much has gone") {
    const mapped_memory memory(four_gigabytes + 7);
    for (const auto way : ways_to_send) {
        for (const std::size_t length : long_lengths) {
            connection both = co_await connected();
            auto sender = leat::spawn(way(both.client, memory.bytes().first(length)));
            std::array<std::byte, little> some;
            co_await leat::timeout(patience, both.server.recv_exactly(some));
            sender.cancel();
            const auto& how = co_await sender.join();
            CHECK(how.cancelled());
            const std::uint64_t sent = both.client.bytes_sent();
            CHECK(sent >= little);
            CHECK(sent < length);
            const std::error_code code = co_await error_of(way(both.client, memory.bytes().first(length)));
            CHECK(code == leat::stream_errc::broken);
            both.client.close();
            const std::uint64_t arrived = co_await leat::timeout(patience, size_up_to_the_end(both.server));
            CHECK(little + arrived == sent);
        }
    }
}

LEAT_TEST("a recv into a length beyond 31 and 32 bits gives what there is") {
    const mapped_memory memory(four_gigabytes + 7);
    connection both = co_await connected();
    for (const std::size_t length : long_lengths) {
        auto receiver = leat::spawn([&]() -> leat::task<std::size_t> {
            co_return co_await both.server.recv(memory.bytes().first(length));
        });
        co_await leat::yield();
        co_await both.client.send_all("waited for");
        const std::size_t waited = co_await leat::timeout(patience, receiver);
        CHECK(waited == 10);
        co_await both.client.send_all("here");
        const std::size_t count = co_await both.server.recv(memory.bytes().first(length));
        CHECK(count == 4);
        CHECK(std::memcmp(memory.bytes().data(), "hereed for", 10) == 0);
    }
}

LEAT_TEST("a recv_exactly of a length beyond 31 and 32 bits gives back what it has, or says how much came") {
    const mapped_memory memory(four_gigabytes + 7);
    for (const std::size_t length : long_lengths) {
        connection both = co_await connected();
        co_await both.client.send_all("few");
        const bool finished =
            co_await leat::move_on_after(1ms, both.server.recv_exactly(memory.bytes().first(length)));
        CHECK_FALSE(finished);
        co_await both.client.send_all(" bytes");
        both.client.shutdown_send();
        std::string said;
        try {
            co_await leat::timeout(patience, both.server.recv_exactly(memory.bytes().first(length)));
        } catch (const std::system_error& error) {
            CHECK(error.code() == leat::stream_errc::end_of_stream);
            said = error.what();
        }
        CHECK(said.find("9 of " + std::to_string(length) + " bytes arrived") != std::string::npos);
        CHECK(std::memcmp(memory.bytes().data(), "few bytes", 9) == 0);
        const bool works = co_await carries(both.server, both.client);
        CHECK(works);
    }
}

LEAT_TEST("a great length is sent whole by one send_all") {
    const mapped_memory memory(conformance::asked_volume());
    const std::span<std::byte> sent = memory.bytes();
    for (std::size_t at = 0; at < sent.size(); at += 1'000'003) {
        sent[at] = static_cast<std::byte>(1 + at % 251);
    }
    connection both = co_await connected();
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await both.client.send_all(sent);
        both.client.shutdown_send();
    });
    std::size_t received = 0;
    bool same = true;
    while (const auto chunk = co_await both.server.recv_chunk()) {
        const std::size_t count = std::min(chunk.size(), sent.size() - received);
        same = same && count == chunk.size() && std::memcmp(chunk.data(), sent.data() + received, count) == 0;
        received += count;
    }
    CHECK(same);
    CHECK(received == sent.size());
    co_await sender;
    CHECK(both.client.bytes_sent() == sent.size());
}
