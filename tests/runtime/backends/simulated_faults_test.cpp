// SPDX-License-Identifier: MIT
// The faults of a simulation: each is seen when its rate is 1, none after heal(), and all are counted.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <netinet/in.h>

using namespace std::chrono_literals;
using leat::simulation;
using leat::simulation_options;
using leat::testing::on_host;
using leat::testing::run_simulated;

namespace {

std::uint64_t count_of(const simulation& world, std::string_view name) {
    const std::vector<leat::injected_fault> all = world.faults_injected();
    const auto found = std::find_if(all.begin(), all.end(), [=](auto& each) { return each.name == name; });
    return found != all.end() ? found->count : 0;
}

leat::task<std::error_code> connect_failure(leat::endpoint where) {
    const auto tried = co_await leat::as_result(leat::tcp_stream::connect(where, {.timeout = 1h}));
    co_return tried.error();
}

// Serves until it is cancelled, whatever goes wrong with a client.
leat::task<> serve_echo(leat::tcp_listener& listener) {
    for (;;) {
        auto peer = co_await leat::as_result(listener.accept());
        if (!peer.ok()) {
            co_await leat::sleep(10ms);
            continue;
        }
        leat::spawn([stream = std::move(*peer)]() mutable -> leat::task<> {
            for (;;) {
                auto chunk = co_await leat::as_result(stream.recv_chunk());
                if (!chunk.ok() || chunk->empty()) {
                    co_return;
                }
                const auto sent = co_await leat::as_result(stream.send_all(*chunk));
                if (!sent.ok()) {
                    co_return;
                }
            }
        });
    }
}

// One exchange with a fresh connection: the empty string when it failed.
leat::task<std::string> ask(leat::endpoint where, std::string_view question) {
    auto stream = co_await leat::as_result(leat::tcp_stream::connect(where, {.timeout = 1h}));
    if (!stream.ok()) {
        co_return "";
    }
    const auto sent = co_await leat::as_result(stream->send_all(question));
    std::string answer(question.size(), ' ');
    const auto got = co_await leat::as_result(stream->recv_exactly(answer));
    co_return sent.ok() && got.ok() ? answer : "";
}

// How often a client was answered while there were faults; and after them it must be.
std::pair<int, std::uint64_t> answered_under_failures(std::uint64_t seed) {
    simulation world({.seed = seed, .chaos = true, .failures = true, .latency = 1ms});
    leat::simulated_host& there = world.add_host("server", {"10.0.0.1"});
    leat::simulated_host& here = world.add_host("client", {"10.0.0.2"});
    int answered = 0;
    run_simulated(world, [&]() -> leat::task<> {
        auto bind = []() -> leat::task<leat::result<leat::tcp_listener>> {
            try {
                co_return leat::tcp_listener::bind({"10.0.0.1", 80});
            } catch (const std::system_error& error) {
                co_return error.code();
            }
        };
        auto listener = co_await on_host(there, bind);
        while (!listener.ok()) {
            listener = co_await on_host(there, bind);
        }
        auto server = leat::spawn([&] { return serve_echo(*listener); });
        const std::string question(3000, 'q');
        for (int round = 0; round < 20; ++round) {
            if (round == 5) {
                world.cut(there, here);
            } else if (round == 7) {
                world.mend(there, here);
            }
            const std::string answer = co_await on_host(here, ask({"10.0.0.1", 80}, question));
            answered += answer == question ? 1 : 0;
            CHECK((answer.empty() || answer == question));
        }
        world.heal();
        const std::uint64_t injected = world.faults_injected().size();
        const std::string answer = co_await on_host(here, ask({"10.0.0.1", 80}, question));
        CHECK(answer == question);
        CHECK(world.faults_injected().size() == injected);
        server.cancel();
        co_await server.join();
    });
    return {answered, world.event_hash()};
}

}  // namespace

TEST_CASE("a connect is refused, or hangs, although somebody listens") {
    simulation refusing({.faults = {.refused = 1}});
    run_simulated(refusing, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const std::error_code error = co_await connect_failure(listener.local_endpoint());
        CHECK(error == std::errc::connection_refused);
    });
    CHECK(count_of(refusing, "refused connect") == 1);
    simulation hanging({.faults = {.hanging_connect = 1}});
    run_simulated(hanging, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const auto began = leat::now();
        const std::error_code error = co_await connect_failure(listener.local_endpoint());
        CHECK(error == std::errc::timed_out);
        CHECK(leat::now() - began == 127s);
    });
    CHECK(count_of(hanging, "hanging connect") == 1);
}

TEST_CASE("after a quiet start no fault happens until the test says so, and again after heal()") {
    simulation world({.faults = {.refused = 1, .no_descriptors = 0.5}, .quiet_start = true});
    run_simulated(world, [&]() -> leat::task<> {
        std::vector<leat::tcp_listener> listeners;
        for (int bound = 0; bound < 100; ++bound) {
            listeners.push_back(leat::tcp_listener::bind({"127.0.0.1", 0}));
        }
        const leat::endpoint place = listeners.front().local_endpoint();
        const std::error_code quiet = co_await connect_failure(place);
        CHECK(quiet == std::error_code());
        CHECK(world.faults_injected().empty());
        world.begin_faults();
        int failed = 0;
        for (int tried = 0; tried < 20; ++tried) {
            const std::error_code error = co_await connect_failure(place);
            failed += error ? 1 : 0;
        }
        CHECK(failed == 20);
        CHECK(count_of(world, "refused connect") > 0);
        CHECK(count_of(world, "no descriptors") > 0);
        world.heal();
        const std::error_code healed = co_await connect_failure(place);
        CHECK(healed == std::error_code());
        world.begin_faults();
        const std::error_code again = co_await connect_failure(place);
        CHECK(again != std::error_code());
    });
}

TEST_CASE("a quiet start spares what a test sets up, whatever faults are drawn") {
    std::size_t kinds = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simulation world({.seed = seed, .chaos = true, .failures = true, .quiet_start = true});
        run_simulated(world, [&]() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            auto server = leat::spawn([&] { return serve_echo(listener); });
            const std::string answer = co_await ask(listener.local_endpoint(), "question");
            CHECK(answer == "question");
            CHECK(world.faults_injected().empty());
            world.begin_faults();
            for (int round = 0; round < 20; ++round) {
                (void)co_await ask(listener.local_endpoint(), "question");
            }
            server.cancel();
            co_await server.join();
        });
        kinds += world.faults_injected().size();
    }
    CHECK(kinds > 20);
}

TEST_CASE("a live connection is reset on both sides, behind what has arrived") {
    simulation world({.faults = {.reset = 1}});
    run_simulated(world, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
        auto server = co_await listener.accept();
        (void)co_await client.send("x");
        char byte = 0;
        const auto here = co_await leat::as_result(client.recv(std::span(&byte, 1)));
        const auto there = co_await leat::as_result(server.recv(std::span(&byte, 1)));
        CHECK(here.error() == std::errc::connection_reset);
        CHECK(there.error() == std::errc::connection_reset);
        const auto late = co_await leat::as_result(client.send("x"));
        CHECK(late.error() == std::errc::broken_pipe);
    });
    CHECK(count_of(world, "reset") == 1);
}

TEST_CASE("descriptors and memory run out, in each of the ways in which they do") {
    simulation world({.faults = {.no_descriptors = 1}});
    std::set<int> seen;
    run_simulated(world, [&]() -> leat::task<> {
        for (int tried = 0; tried < 100; ++tried) {
            const auto opened = leat::current_scheduler().io().sockets().open(AF_INET, SOCK_STREAM, 0);
            seen.insert(opened.error().value());
        }
        co_return;
    });
    CHECK(seen == std::set<int>{EMFILE, ENFILE, ENOBUFS, ENOMEM});
    CHECK(count_of(world, "no descriptors") == 100);
}

TEST_CASE("an accept fails with the error of its connection, and the listener goes on") {
    simulation world({.seed = 3, .faults = {.accept_error = 0.5}});
    run_simulated(world, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto server = leat::spawn([&] { return serve_echo(listener); });
        int answered = 0;
        for (int round = 0; round < 20; ++round) {
            const std::string answer = co_await ask(listener.local_endpoint(), "question");
            answered += answer == "question" ? 1 : 0;
        }
        CHECK(answered > 2);
        CHECK(answered < 18);
        server.cancel();
        co_await server.join();
    });
    CHECK(count_of(world, "accept error") > 2);
}

TEST_CASE("chunks are small and on the heap when buffers are scarce, and nothing is lost") {
    simulation world({.faults = {.scarce_buffers = 1}});
    run_simulated(world, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
        auto server = co_await listener.accept();
        std::string sent;
        for (int i = 0; i < 5000; ++i) {
            sent += std::to_string(i) + ",";
        }
        co_await client.send_all(sent);
        client.shutdown_send();
        std::string received;
        while (auto chunk = co_await server.recv_chunk()) {
            CHECK(chunk.size() <= 512);
            received += chunk.text();
        }
        CHECK(received == sent);
    });
    CHECK(count_of(world, "scarce buffers") > 40);
}

TEST_CASE("what is cancelled may have been interrupted, which is no error") {
    simulation world({.faults = {.late_cancel = 1, .interrupted = 1, .delay = 1ms}});
    run_simulated(world, []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const auto nobody = co_await leat::move_on_after(1s, listener.accept());
        CHECK_FALSE(nobody.has_value());
    });
    CHECK(count_of(world, "interrupted") == 1);
}

TEST_CASE("programs recover when all faults end, and the same seed gives the same course") {
    int answered = 0;
    std::set<std::uint64_t> courses;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed ", seed);
        const auto [count, course] = answered_under_failures(seed);
        answered += count;
        courses.insert(course);
        if (seed <= 10) {
            CHECK(answered_under_failures(seed).second == course);
        }
    }
    CHECK(answered > 200);
    CHECK(answered < 800);
    CHECK(courses.size() == 40);
}

TEST_CASE("chaos draws failures only when they are asked for") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        leat::chance luck(seed);
        const leat::simulated_faults gentle = leat::fault_source::drawn(luck, false);
        CHECK(gentle.reset + gentle.refused + gentle.hanging_connect + gentle.no_descriptors +
                  gentle.accept_error + gentle.lost_datagram + gentle.failed_name ==
              0);
    }
}
