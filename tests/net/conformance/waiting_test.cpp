// SPDX-License-Identifier: MIT
// What a backend tells of a socket: which operations wait on it, and how much has not left.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>

namespace {

leat::backend& here() {
    return leat::current_scheduler().io();
}

}  // namespace

LEAT_TEST("a backend tells what waits on a socket, for as long as it does") {
    auto [client, server] = co_await leat::testing::stream_pair();
    const int fd = server.native_handle();
    CHECK(here().waiting_on(fd).reader == nullptr);
    CHECK(here().waiting_on(fd).writer == nullptr);
    auto receives = leat::spawn([&]() -> leat::task<> { (void)co_await server.recv_chunk(); });
    co_await leat::testing::wait_until_idle();
    const leat::operation* const waits = here().waiting_on(fd).reader;
    REQUIRE(waits != nullptr);
    CHECK(waits->task == &receives.state());
    CHECK(here().waiting_on(fd).writer == nullptr);
    CHECK(here().waiting_on(client.native_handle()).reader == nullptr);
    co_await client.send_all("x");
    co_await receives;
    CHECK(here().waiting_on(fd).reader == nullptr);

    auto given_up = leat::spawn([&]() -> leat::task<> { (void)co_await server.recv_chunk(); });
    co_await leat::testing::wait_until_idle();
    given_up.cancel();
    co_await given_up.join();
    CHECK(here().waiting_on(fd).reader == nullptr);
}

LEAT_TEST("a backend tells how much of what was sent has not left, until the peer has it") {
    auto [client, server] = co_await leat::testing::stream_pair();
    const int fd = server.native_handle();
    CHECK(here().sockets().unsent(fd) == 0);
    const std::string page(20'000'000, 'p');
    auto sends = leat::spawn([&]() -> leat::task<> { co_await server.send_all(page); });
    co_await leat::testing::wait_until_idle();
    const leat::operation* const waits = here().waiting_on(fd).writer;
    REQUIRE(waits != nullptr);
    CHECK(waits->task == &sends.state());
    CHECK(waits->transferred > 0);
    CHECK(here().sockets().unsent(fd) > 0);
    std::string part(1'000'000, ' ');
    for (std::size_t received = 0; received < page.size(); received += part.size()) {
        co_await client.recv_exactly(part);
    }
    co_await sends;
    // Every segment acknowledges what has come before it: an answer does so at once.
    co_await client.send_all("x");
    std::array<char, 1> answer{};
    co_await server.recv_exactly(answer);
    CHECK(here().sockets().unsent(fd) == 0);
    CHECK(here().sockets().unsent(-1) == 0);
}

LEAT_TEST("a backend tells how many bytes have come on a TCP stream, read or not, and not of other sockets") {
    auto [client, server] = co_await leat::testing::stream_pair();
    const int fd = server.native_handle();
    CHECK(here().sockets().received(fd) == 0);
    co_await client.send_all("water");
    std::array<char, 2> two{};
    co_await server.recv_exactly(two);
    CHECK(here().sockets().received(fd) == 5);
    co_await client.send_all("wheel");
    std::array<char, 8> rest{};
    co_await server.recv_exactly(rest);
    CHECK(here().sockets().received(fd) == 10);
    CHECK_FALSE(here().sockets().received(-1).has_value());
}
