// SPDX-License-Identifier: MIT
// Each allocation of each operation on a socket fails in turn: it throws, no descriptor and no byte is lost,
// and the connection goes on.
#include "../support/failing_memory.hpp"

#include <leat/net.hpp>
#include <leat/testing/stream_pair.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <unistd.h>

using namespace std::chrono_literals;
using leat::task;
using leat::tcp_listener;
using leat::tcp_stream;
using leat::udp_socket;
using leat::unix_listener;
using leat::unix_stream;
using leat::testing::backend_set;
using leat::testing::check_each_allocation;
using leat::testing::check_operation;
using leat::testing::failing_memory;
using leat::testing::kernel;
using leat::testing::stream_pair;
using namespace leat::testing::counted_memory;

namespace {

// (A simulated kernel allocates what a kernel has.)
constexpr backend_set tried = kernel;
constexpr std::string_view sent = "0123456789abcdefghij";

// All that is sent until the end.
task<std::string> rest_of(tcp_stream& stream) {
    std::string all;
    std::array<char, 64> part{};
    while (const std::size_t size = co_await stream.recv(part)) {
        all.append(part.data(), size);
    }
    co_return all;
}

}  // namespace

TEST_CASE("a connection that finds no memory is not made, and the next one is") {
    check_operation(
        "connect and accept",
        []() -> task<> {
            auto listener = tcp_listener::bind({"127.0.0.1", 0});
            auto [connected, server] =
                co_await leat::gather(tcp_stream::connect(listener.local_endpoint()), listener.accept());
            co_await connected.send_all("x");
            std::array<char, 1> got{};
            co_await server.recv_exactly(got);
        },
        tried);
    check_operation(
        "connect to a host",
        []() -> task<> {
            auto listener = tcp_listener::bind({"127.0.0.1", 0});
            auto [connected, server] = co_await leat::gather(
                tcp_stream::connect("127.0.0.1", listener.local_endpoint().port()), listener.accept());
            co_await connected.send_all("x");
            std::array<char, 1> got{};
            co_await server.recv_exactly(got);
        },
        tried);
}

TEST_CASE("a simulated socket that finds no memory is not opened") {
    check_each_allocation("open", leat::testing::simulated, [](failing_memory& memory) -> task<> {
        std::optional<tcp_listener> first;
        std::optional<tcp_listener> second;
        co_await memory.fails([&]() -> task<> {
            first = tcp_listener::bind({"127.0.0.1", 0});
            second = tcp_listener::bind({"127.0.0.1", 0});
            co_return;
        });
        CHECK(second.has_value() == memory.completed);
        const auto third = tcp_listener::bind({"127.0.0.1", 0});
        CHECK(third.local_endpoint().port() > 0);
    });
}

TEST_CASE("no byte of a stream is lost when a receive finds no memory") {
    check_each_allocation("receive", tried, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        std::string got;
        got.reserve(64);
        co_await client.send_all(sent);
        client.shutdown_send();
        co_await memory.fails([&]() -> task<> {
            std::array<char, 4> four{};
            co_await server.recv_exactly(four);
            got.append(four.data(), 4);
            const leat::chunk some = co_await server.recv_chunk();
            got.append(some.text());
        });
        got += co_await rest_of(server);
        CHECK(got == sent);
    });
    check_each_allocation("a receive that waits", tried, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        std::string got;
        got.reserve(64);
        auto sends = leat::spawn([&]() -> task<> {
            co_await leat::sleep(1ms);
            co_await client.send_all(sent);
            client.shutdown_send();
        });
        co_await leat::yield();
        co_await memory.fails([&]() -> task<> {
            const leat::chunk some = co_await server.recv_chunk();
            got.append(some.text());
        });
        got += co_await rest_of(server);
        CHECK(got == sent);
        co_await sends.join();
    });
}

TEST_CASE("a stream that finds no memory for larger buffers goes on with what there is") {
    check_each_allocation("receive much", tried, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        const std::string much(400'000, 'x');
        auto sends = leat::spawn([&]() -> task<> {
            co_await client.send_all(much);
            client.shutdown_send();
        });
        co_await leat::sleep(1ms);  // it waits now, and needs no more memory
        std::size_t got = 0;
        co_await memory.fails([&]() -> task<> {
            while (const leat::chunk some = co_await server.recv_chunk()) {
                got += some.size();
            }
        });
        while (const leat::chunk some = co_await server.recv_chunk()) {
            got += some.size();
        }
        CHECK(got == much.size());
        co_await sends.join();
    });
}

TEST_CASE("what a send did not send for want of memory can be sent later") {
    check_each_allocation("send", tried, [](failing_memory& memory) -> task<> {
        auto [client, server] = co_await stream_pair();
        std::size_t done = 0;
        co_await memory.fails([&]() -> task<> {
            done += co_await client.send("0123");
            co_await client.send_all("45", "67");
            done += 4;
        });
        CHECK(client.bytes_sent() == done);
        co_await client.send_all("end");
        client.shutdown_send();
        const std::string got = co_await rest_of(server);
        CHECK(got == std::string("01234567").substr(0, done) + "end");
    });
}

namespace {

// A receive of ten bytes, of which three come, is cancelled, with memory or without.
task<> cancel_midway(bool has_memory) {
    auto [client, server] = co_await stream_pair();
    std::array<char, 10> ten{};
    auto reads = leat::spawn([&]() -> task<> { co_await server.recv_exactly(ten); });
    co_await leat::yield();
    co_await client.send_all("012");
    co_await leat::sleep(5ms);
    leat::detail::frame_pool::trim();
    fails_at = has_memory ? 1000 : 0;
    may_fail = true;
    reads.cancel();
    const leat::outcome<void>& ended = co_await reads.join();
    may_fail = false;
    co_await client.send_all("345");
    client.shutdown_send();
    const std::string rest = co_await rest_of(server);
    if (has_memory) {
        CHECK(ended.cancelled());
        CHECK(rest == "012345");
    } else {
        CHECK(fails_at == -1);
        REQUIRE(ended.error() != nullptr);
        try {
            std::rethrow_exception(ended.error());
        } catch (const std::system_error& error) {
            CHECK(error.code() == std::errc::not_enough_memory);
        }
        CHECK(std::string_view(ten.data(), 3) == "012");
        CHECK(rest == "345");
    }
}

}  // namespace

TEST_CASE("a recv_exactly that is cancelled midway without memory fails, and has its bytes") {
    for (const auto& each : leat::testing::backends(leat::testing::every_backend)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        leat::testing::run_on(each, [] { return cancel_midway(true); });
        leat::testing::run_on(each, [] { return cancel_midway(false); });
    }
}

TEST_CASE("datagrams are sent and received, or not, when there is no memory") {
    check_operation(
        "udp",
        []() -> task<> {
            auto one = udp_socket::bind({"127.0.0.1", 0});
            auto two = udp_socket::bind({"127.0.0.1", 0});
            co_await one.send_to("hello", two.local_endpoint());
            std::array<char, 16> got{};
            const leat::datagram came = co_await leat::timeout(1s, two.recv_from(got));
            CHECK(came.size == 5);
        },
        tried);
}

TEST_CASE("a pair of Unix streams without memory leaves no descriptor") {
    check_operation(
        "unix",
        []() -> task<> {
            auto [one, two] = unix_stream::pair();
            co_await one.send_all("hello");
            std::array<char, 5> got{};
            co_await two.recv_exactly(got);
        },
        tried);
}

TEST_CASE("a Unix listener that finds no memory leaves no file") {
    const std::string directory = "/tmp/leat_each_allocation_" + std::to_string(::getpid());
    std::filesystem::create_directory(directory);
    check_each_allocation("listen and connect", tried, [&](failing_memory& memory) -> task<> {
        const std::string path = directory + "/a_socket_with_a_name_that_is_not_short";
        const leat::unix_endpoint at(path);
        const auto operation = [&]() -> task<> {
            auto listener = unix_listener::bind(at);
            auto [connected, server] = co_await leat::gather(unix_stream::connect(at), listener.accept());
            co_await connected.send_all("x");
            std::array<char, 1> got{};
            co_await server.recv_exactly(got);
        };
        co_await memory.fails(operation);
        CHECK_FALSE(std::filesystem::exists(path));
        co_await operation();
    });
    std::filesystem::remove_all(directory);
}

namespace {

task<> echo_byte(tcp_stream stream) {
    std::array<char, 1> one{};
    co_await stream.recv_exactly(one);
    co_await stream.send_all(one);
}

// Whether the server has answered; it may have had no memory for it.
task<bool> ask(leat::endpoint at) {
    auto client = co_await tcp_stream::connect(at);
    co_await client.send_all("x");
    std::array<char, 1> one{};
    const auto got = co_await leat::as_result(client.recv(one));
    co_return got.ok() && *got == 1 && one[0] == 'x';
}

}  // namespace

TEST_CASE("a server that finds no memory for a connection serves the next one") {
    check_each_allocation("serve", tried, [](failing_memory& memory) -> task<> {
        auto listener = tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint at = listener.local_endpoint();
        auto serving = leat::spawn(leat::serve(std::move(listener), echo_byte, {.stop_on = {}}));
        co_await leat::yield();
        co_await leat::yield();
        co_await memory.fails([&]() -> task<> { (void)co_await ask(at); });
        const bool answered = co_await ask(at);
        CHECK(answered);
        CHECK_FALSE(serving.done());
        serving.cancel();
        (void)co_await serving.join();
    });
}

TEST_CASE("a server that is told to stop while there is no memory lets its connections end, and stops") {
    check_each_allocation("stop", tried, [](failing_memory& memory) -> task<> {
        auto listener = tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint at = listener.local_endpoint();
        auto serving =
            leat::spawn(leat::serve(std::move(listener), echo_byte, {.grace = 1h, .stop_on = {SIGUSR2}}));
        auto client = co_await tcp_stream::connect(at);
        while (leat::dump_tasks().find("echo_byte") == std::string::npos) {
            co_await leat::yield();
        }
        ::kill(::getpid(), SIGUSR2);
        co_await memory.fails([&]() -> task<> {
            for (int turn = 0; turn < 100; ++turn) {  // without a wait of its own that needs memory
                co_await leat::yield();
            }
        });
        CHECK_FALSE(serving.done());
        co_await client.send_all("x");
        std::array<char, 1> one{};
        co_await client.recv_exactly(one);
        const auto& ended = co_await serving.join();
        CHECK(ended.ok());
    });
}

TEST_CASE("no byte that was given back to a stream is lost when the next run finds no memory to read it") {
    for (const leat::testing::tried_backend& each : leat::testing::backends(tried)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        bool over = false;
        for (long round = 0; !over; ++round) {
            INFO("backend: ", each.name, ", allocation: ", round);
            tcp_stream client;
            tcp_stream server;
            leat::run(
                [&]() -> task<> {
                    std::tie(client, server) = co_await stream_pair();
                    std::array<char, 10> ten{};
                    auto reads = leat::spawn([&]() -> task<> { co_await server.recv_exactly(ten); });
                    co_await leat::yield();
                    co_await client.send_all("012");
                    co_await leat::sleep(1ms);
                    reads.cancel();
                    co_await reads.join();
                    co_await client.send_all("345");
                    client.shutdown_send();
                },
                {.backend = each.name});
            leat::run(
                [&]() -> task<> {
                    failing_memory memory(round);
                    std::array<char, 4> four{};
                    std::string got;
                    got.reserve(64);
                    co_await memory.fails([&]() -> task<> {
                        co_await server.recv_exactly(four);
                        got.append(four.data(), 4);
                    });
                    got += co_await rest_of(server);
                    CHECK(got == "012345");
                    over = !memory.reached;
                },
                {.backend = each.name});
        }
    }
}
