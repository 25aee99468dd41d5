// SPDX-License-Identifier: MIT
// Each allocation of a TLS stream fails in turn, but for those of OpenSSL: no byte is lost or repeated, and
// what cannot go on says so.
#include "endpoints.hpp"

#include "../../support/failing_memory.hpp"

#include <leat/net.hpp>
#include <leat/testing/stream_pair.hpp>
#include <leat/tls/stream.hpp>

#include <array>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using leat::task;
using leat::tcp_stream;
using leat::testing::check_each_allocation;
using leat::testing::failing_memory;
using leat::testing::kernel;

namespace {

using stream = leat::tls::stream<tcp_stream>;

const leat::testing::certificate_authority& authority() {
    static const leat::testing::certificate_authority made;
    return made;
}
const leat::tls::context& client_side() {
    static const leat::tls::context made = leat::tls::client_context(authority());
    return made;
}
const leat::tls::context& server_side() {
    static const leat::tls::context made = leat::tls::server_context(authority().issue({"a.example"}));
    return made;
}

struct both {
    stream client;
    stream server;
};

task<both> connected() {
    auto [near, far] = co_await leat::testing::stream_pair();
    co_return both{stream(std::move(near), client_side(), "a.example"),
                   stream(std::move(far), server_side())};
}

task<> shake_hands(both& ends) {
    co_await leat::gather(ends.client.handshake(), ends.server.handshake());
}

task<std::string> rest_of(stream& from) {
    std::string all;
    while (const leat::chunk piece = co_await from.recv_chunk()) {
        all += piece.text();
    }
    co_return all;
}

}  // namespace

TEST_CASE("a TLS handshake that finds no memory can go on later, or goes on saying that it had none") {
    check_each_allocation("handshake", kernel, [](failing_memory& memory) -> task<> {
        both ends = co_await connected();
        co_await memory.fails([&] { return shake_hands(ends); });
        try {
            co_await shake_hands(ends);
        } catch (const std::system_error& said) {  // OpenSSL could not write
            CHECK(said.code() == std::errc::not_enough_memory);
            CHECK(!memory.completed);
            co_return;
        }
        co_await ends.client.send_all("hello");
        co_await ends.client.shutdown_send();
        const std::string got = co_await rest_of(ends.server);
        CHECK(got == "hello");
    });
}

TEST_CASE("no byte of a TLS stream is lost when a receive finds no memory") {
    check_each_allocation("receive", kernel, [](failing_memory& memory) -> task<> {
        both ends = co_await connected();
        co_await shake_hands(ends);
        std::string got;
        got.reserve(64);
        co_await ends.client.send_all("0123456789");
        co_await memory.fails([&]() -> task<> {
            std::array<char, 4> four{};
            co_await ends.server.recv_exactly(four);
            got.append(four.data(), 4);
            const leat::chunk some = co_await ends.server.recv_chunk();
            got.append(some.text());
        });
        co_await ends.client.send_all("abc");
        co_await ends.client.shutdown_send();
        got += co_await rest_of(ends.server);
        CHECK(got == "0123456789abc");
    });
}

TEST_CASE("what a recv_exactly of TLS has got when it finds no memory is there for the next read") {
    check_each_allocation("recv_exactly", kernel, [](failing_memory& memory) -> task<> {
        both ends = co_await connected();
        co_await shake_hands(ends);
        co_await ends.client.send_all("01");
        std::array<char, 4> four{};
        // (Its waiting is what ends it when nothing fails.)
        co_await memory.fails(
            [&]() -> task<> { (void)co_await leat::move_on_after(5ms, ends.server.recv_exactly(four)); });
        co_await ends.client.send_all("23");
        co_await ends.client.shutdown_send();
        try {
            const std::string rest = co_await rest_of(ends.server);
            CHECK(rest == "0123");
        } catch (const std::system_error& said) {  // of giving back what a cancelled read had taken
            CHECK(said.code() == std::errc::not_enough_memory);
            CHECK(memory.reached);
            CHECK(memory.completed);
        }
    });
}

TEST_CASE("a TLS send that finds no memory has sent nothing, or has broken the stream") {
    check_each_allocation("send", kernel, [](failing_memory& memory) -> task<> {
        both ends = co_await connected();
        co_await shake_hands(ends);
        auto receives = leat::spawn([&]() -> task<std::string> { co_return co_await rest_of(ends.server); });
        co_await leat::yield();
        std::size_t whole = 0;
        co_await memory.fails([&]() -> task<> {
            co_await ends.client.send_all("0123");
            whole = 4;
        });
        // The receiver may be the one that had no memory.
        if (receives.done()) {
            co_return;
        }
        try {
            co_await ends.client.send_all("end");
            co_await ends.client.shutdown_send();
            const std::string got = co_await receives;
            CHECK(got == std::string("0123").substr(0, whole) + "end");
        } catch (const std::system_error& said) {
            CHECK(said.code() == leat::stream_errc::broken);
            CHECK(!memory.completed);
        } catch (const std::bad_alloc&) {  // of the receiver
        }
    });
}

TEST_CASE("a ticket that finds no memory is forgotten, and the stream goes on") {
    check_each_allocation("ticket", kernel, [](failing_memory& memory) -> task<> {
        const leat::tls::context own = leat::tls::client_context(authority());
        auto [near, far] = co_await leat::testing::stream_pair();
        both ends{stream(std::move(near), own, "a.example"), stream(std::move(far), server_side())};
        co_await shake_hands(ends);
        co_await ends.server.send_all("hello");  // behind the tickets
        co_await ends.server.shutdown_send();
        std::string got;
        got.reserve(64);
        co_await memory.fails([&]() -> task<> {
            const leat::chunk first = co_await ends.client.recv_chunk();
            got.append(first.text());
        });
        got += co_await rest_of(ends.client);
        CHECK(got == "hello");
    });
}
