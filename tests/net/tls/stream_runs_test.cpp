// SPDX-License-Identifier: MIT
// A TLS stream that outlives its run, or goes to the run of another thread.
#include "../conformance/two_backends.hpp"
#include "../receive_ahead.hpp"
#include "stream_pair.hpp"

#include <leat/runtime.hpp>

#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>

using cancel_tests::let_the_loop_look;
using life_tests::arrive_unread;
using life_tests::receive_ahead;

namespace {

using pair = leat::tls::stream_pair<leat::tcp_stream>;

// Connected, and with "one " on the way to the server, which has received before.
leat::task<pair> with_bytes_unread() {
    pair both = co_await leat::tls::over_tcp();
    auto accepting = leat::spawn([&]() -> leat::task<> { co_await both.server.handshake(); });
    co_await both.client.handshake();
    co_await accepting;
    co_await receive_ahead(both.client, both.server);
    co_await arrive_unread(both.client, "one ");
    co_return both;
}

leat::task<> read_the_rest(leat::tls::stream<leat::tcp_stream>& from) {
    std::string got(7, ' ');
    co_await from.recv_exactly(got);
    CHECK(got == "one two");
    const auto end = co_await from.recv_chunk();
    CHECK(end.empty());
}

}  // namespace

TEST_CASE("a TLS stream that outlives its run is read to the end in the next one") {
    conformance::on_two_backends([](leat::run_options first, leat::run_options second) {
        std::optional<pair> both;
        leat::run([&]() -> leat::task<> { both.emplace(co_await with_bytes_unread()); }, first);
        leat::run(
            [&]() -> leat::task<> {
                co_await both->client.send_all("two");
                co_await both->client.shutdown_send();
                co_await read_the_rest(both->server);
            },
            second);
    });
}

TEST_CASE("a TLS stream that is detached is read to the end in the run of another thread") {
    leat::run([]() -> leat::task<> {
        pair both = co_await with_bytes_unread();
        co_await both.client.send_all("two");
        co_await both.client.shutdown_send();
        both.server.detach();
        std::thread([&] {
            leat::run([&]() -> leat::task<> {
                co_await read_the_rest(both.server);
                both.server.close();
            });
        }).join();
    });
}
