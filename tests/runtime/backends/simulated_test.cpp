// SPDX-License-Identifier: MIT
// The simulation itself: its time, its chance, and what it refuses.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <system_error>
#include <thread>

#include <netinet/in.h>

using namespace std::chrono_literals;
using leat::simulation;
using leat::simulation_options;
using leat::testing::run_simulated;

namespace {

leat::task<> echo(leat::tcp_listener& listener) {
    leat::tcp_stream peer = co_await listener.accept();
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

// Sends a text to an echo server in pieces and takes it back, giving up each receive after a while.
leat::task<> exchange_impatiently() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto server = leat::spawn(echo, std::ref(listener));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    std::string sent;
    for (int i = 0; i < 2000; ++i) {
        sent += std::to_string(i) + ",";
    }
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (std::size_t at = 0; at < sent.size(); at += 1000) {
            co_await client.send_all(std::string_view(sent).substr(at, 1000));
            co_await leat::sleep(100us);
        }
        client.shutdown_send();
    });
    std::string received;
    for (bool ended = false; !ended;) {
        char part[300];
        const auto count = co_await leat::move_on_after(200us, client.recv(part));
        ended = count == std::size_t{0};
        received.append(part, count.value_or(0));
        char exactly[50];
        if (received.size() + sizeof exactly <= sent.size()) {
            const bool whole = co_await leat::move_on_after(50us, client.recv_exactly(exactly));
            received.append(exactly, whole ? sizeof exactly : 0);
        }
    }
    CHECK(received == sent);
    co_await leat::join_all(server, sender);
}

std::uint64_t hash_of(const simulation_options& how) {
    simulation world(how);
    run_simulated(world, exchange_impatiently);
    CHECK(world.open_sockets() == 0);
    CHECK(world.events() > 100);
    return world.event_hash();
}

}  // namespace

TEST_CASE("a seed decides what happens, and another seed decides otherwise") {
    const std::uint64_t first = hash_of({.seed = 7, .chaos = true});
    CHECK(hash_of({.seed = 7, .chaos = true}) == first);
    CHECK(hash_of({.seed = 8, .chaos = true}) != first);
    CHECK(hash_of({.seed = 7}) == hash_of({.seed = 8}));  // nothing was left to chance
}

TEST_CASE("no byte is lost, whatever is short, late or cancelled too late") {
    std::set<std::uint64_t> courses;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        INFO("seed ", seed);
        courses.insert(hash_of({.seed = seed, .chaos = true}));
    }
    CHECK(courses.size() == 100);
}

TEST_CASE("what is done may be told after a cancel, and is delivered then") {
    const simulation_options how{.faults = {.late_completion = 1, .delay = 1ms}};
    run_simulated(
        []() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
            auto server = co_await listener.accept();
            co_await client.send_all("x");
            char byte = 0;
            auto reader =
                leat::spawn([&]() -> leat::task<> { (void)co_await server.recv(std::span(&byte, 1)); });
            co_await leat::yield();
            reader.cancel();
            co_await reader.join();
            CHECK(byte == 'x');
        },
        how);
}

TEST_CASE("what is cancelled may end later, with what came by then or without") {
    const simulation_options how{.faults = {.late_cancel = 1, .delay = 1s}};
    int delivered = 0;
    for (int round = 0; round < 20; ++round) {
        simulation_options seeded = how;
        seeded.seed = static_cast<std::uint64_t>(round);
        run_simulated(
            [&]() -> leat::task<> {
                auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
                auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
                auto server = co_await listener.accept();
                char byte = 0;
                auto reader =
                    leat::spawn([&]() -> leat::task<> { (void)co_await server.recv(std::span(&byte, 1)); });
                co_await leat::yield();
                reader.cancel();
                co_await leat::sleep(500ms);
                co_await client.send_all("x");
                co_await reader.join();
                if (byte == 'x') {
                    ++delivered;
                } else {
                    (void)co_await server.recv(std::span(&byte, 1));
                    CHECK(byte == 'x');
                }
            },
            seeded);
    }
    CHECK(delivered > 0);
    CHECK(delivered < 20);
}

TEST_CASE("a day passes at once, for the clock on the wall too") {
    run_simulated([]() -> leat::task<> {
        leat::backend& io = leat::current_scheduler().io();
        const auto before = leat::now();
        const auto wall_before = io.wall_now();
        co_await leat::sleep(24h);
        CHECK(leat::now() - before == 24h);
        CHECK(io.wall_now() - wall_before == 24h);
    });
}

TEST_CASE("time stands still for those who only yield") {
    run_simulated([]() -> leat::task<> {
        const auto before = leat::now();
        for (int i = 0; i < 1000; ++i) {
            co_await leat::yield();
        }
        CHECK(leat::now() == before);
    });
}

TEST_CASE("who only yields gets what is under way all the same") {
    run_simulated(
        []() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            auto connecting = leat::spawn(leat::tcp_stream::connect(listener.local_endpoint()));
            while (!connecting.done()) {
                co_await leat::yield();
            }
        },
        {.latency = 1ms});
}

TEST_CASE("latency is there in both directions, and keeps the order of bytes") {
    run_simulated(
        []() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            const auto began = leat::now();
            auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
            CHECK(leat::now() - began == 20ms);
            auto server = co_await listener.accept();
            CHECK(leat::now() - began == 30ms);  // until the server hears that its answer has come
            co_await client.send_all("ab");
            co_await client.send_all("cd");
            char text[4];
            co_await server.recv_exactly(text);
            CHECK(leat::now() - began == 40ms);
            CHECK(std::string_view(text, 4) == "abcd");
        },
        {.latency = 10ms});
}

TEST_CASE("what is under way and wakes nobody does not hide a deadlock") {
    const auto body = []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
        auto server = co_await listener.accept();
        co_await client.send_all("x");  // nobody receives it
        (void)co_await client.recv_chunk();
    };
    CHECK_THROWS_AS(run_simulated(body, {.latency = 1ms}), leat::deadlock);
    CHECK_THROWS_AS(run_simulated(body, {.faults = {.late_start = 1, .delay = 1ns}}), leat::deadlock);
}

TEST_CASE("tasks that wait for sockets which nobody will use are a deadlock, with the list of them") {
    std::string what;
    try {
        run_simulated([]() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            co_await listener.accept();
        });
    } catch (const leat::deadlock& error) {
        what = error.what();
    }
    CHECK(what.find("accept") != what.npos);
}

TEST_CASE("another thread wakes a simulation that waits") {
    run_simulated([]() -> leat::task<> {
        leat::event told;
        std::thread other(
            [&told, door = leat::current_scheduler().remote()] { door.post([&told] { told.set(); }); });
        co_await told.wait();
        other.join();
    });
}

TEST_CASE("what has no simulation is refused") {
    run_simulated([]() -> leat::task<> {
        leat::socket_calls& sockets = leat::current_scheduler().io().sockets();
        for (const auto& [family, type] : {std::pair(AF_INET, SOCK_RAW), std::pair(AF_UNIX, SOCK_DGRAM)}) {
            CHECK(sockets.open(family, type, 0).error() ==
                  std::error_code(ESOCKTNOSUPPORT, std::system_category()));
        }
        CHECK(sockets.open(AF_PACKET, SOCK_STREAM, 0).error() ==
              std::error_code(EAFNOSUPPORT, std::system_category()));
        const auto input = co_await leat::as_result(leat::readable(0));
        CHECK(input.error() == std::errc::operation_not_supported);
        CHECK(sockets.listen(0, 1).error() == std::errc::operation_not_supported);
        const auto closed = co_await leat::as_result(leat::readable(leat::simulated_descriptors + 77));
        CHECK(closed.error() == std::errc::bad_file_descriptor);
    });
}

TEST_CASE("a simulation can be run on again, later") {
    simulation world;
    for (int hour = 1; hour <= 3; ++hour) {
        run_simulated(world, []() -> leat::task<> { co_await leat::sleep(1h); });
    }
    CHECK(world.now().time_since_epoch() == 4h);
}

TEST_CASE("sockets that are left open are counted") {
    const std::size_t before = leat::open_simulated_sockets();
    {
        simulation world;
        run_simulated(world, []() -> leat::task<> {
            (void)leat::current_scheduler().io().sockets().open(AF_INET, SOCK_STREAM, 0);
            co_return;
        });
        CHECK(world.open_sockets() == 1);
        CHECK(leat::open_simulated_sockets() == before + 1);
    }
    CHECK(leat::open_simulated_sockets() == before);
}
