// SPDX-License-Identifier: MIT
// What a simulation does in place of other parts of the kernel: threads that work offloaded, and what it has
// not at all, which it refuses.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/system/pipe.hpp>
#include <leat/system/process.hpp>
#include <leat/testing/simulation.hpp>
#include <leat/threads/offload.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using leat::simulation;
using leat::testing::run_simulated;

namespace {

// What `refused` throws in a simulation.
std::string refusal_of(const std::function<leat::task<>()>& refused) {
    std::string what = "it was not refused";
    run_simulated([&]() -> leat::task<> {
        try {
            co_await refused();
        } catch (const std::system_error& error) {
            CHECK(error.code() == std::errc::operation_not_supported);
            what = error.what();
        }
    });
    return what;
}

// When each of two pieces of work was done, and in which order.
std::string course_of_offloads(std::uint64_t seed) {
    std::string course;
    run_simulated(
        [&]() -> leat::task<> {
            const auto began = leat::now();
            const auto thread = std::this_thread::get_id();
            auto first = leat::spawn([&]() -> leat::task<> {
                const int answer = co_await leat::offload([&] {
                    CHECK(std::this_thread::get_id() == thread);
                    return 42;
                });
                CHECK(answer == 42);
                course += "first " + std::to_string((leat::now() - began).count()) + ";";
            });
            auto second = leat::spawn([&]() -> leat::task<> {
                try {
                    co_await leat::offload([] { throw std::runtime_error("second"); });
                } catch (const std::runtime_error& error) {
                    course += error.what() + std::to_string((leat::now() - began).count());
                }
            });
            co_await leat::join_all(first, second);
            CHECK(leat::now() > began);
            CHECK(leat::now() - began <= 2ms);
        },
        {.seed = seed});
    return course;
}

}  // namespace

TEST_CASE("offloaded work is done by the loop, after a time that the seed decides") {
    CHECK(course_of_offloads(1) == course_of_offloads(1));
    CHECK(course_of_offloads(1) != course_of_offloads(2));
}

TEST_CASE("offloaded work that is cancelled before its time is never done") {
    run_simulated([]() -> leat::task<> {
        bool done = false;
        auto cancelled = leat::spawn([&]() -> leat::task<> { co_await leat::offload([&] { done = true; }); });
        auto other = leat::spawn([]() -> leat::task<> { co_await leat::offload([] {}); });
        co_await leat::yield();
        cancelled.cancel();
        co_await leat::join_all(cancelled, other);
        CHECK_FALSE(done);
    });
}

TEST_CASE("detached work is done to its end, also when the run ends first") {
    int done = 0;
    run_simulated([&]() -> leat::task<> {
        for (int i = 0; i < 3; ++i) {
            leat::offload_detached([&done] { ++done; });
        }
        co_return;
    });
    CHECK(done == 3);
}

TEST_CASE("processes, signals, pipes and descriptors of the kernel are refused, with their name") {
    using leat::task;
    const std::string pipe = "a pipe in a simulation: Operation not supported";
    const std::string descriptor = "from_fd in a simulation: Operation not supported";
    const std::pair<std::function<task<>()>, std::string> refused[] = {
        {[]() -> task<> { co_return (void) leat::process::spawn({"true"}); },
         "a process in a simulation: Operation not supported"},
        {[]() -> task<> {
             leat::signal_set signals{SIGUSR1};
             (void)co_await signals.next();
         },
         "waiting for a signal in a simulation: Operation not supported"},
        {[]() -> task<> { co_return (void) leat::make_pipe(); }, pipe},
        {[]() -> task<> { co_return (void) leat::pipe_reader::from_shared_fd(0); }, pipe},
        {[]() -> task<> { co_return (void) leat::tcp_stream::from_fd(0); }, descriptor},
        {[]() -> task<> { co_return (void) leat::tcp_listener::from_fd(0); }, descriptor},
    };
    for (const auto& [ask, what] : refused) {
        CHECK(refusal_of(ask) == what);
    }
}

TEST_CASE("a stream that outlives its run closes its socket, in its own simulation") {
    simulation world;
    simulation other;
    std::optional<leat::tcp_stream> kept;
    std::optional<leat::tcp_stream> peer;
    const auto connect = [&](simulation& in, std::optional<leat::tcp_stream>& client) {
        run_simulated(in, [&]() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            client = co_await leat::tcp_stream::connect(listener.local_endpoint());
            peer = co_await listener.accept();
        });
    };
    std::optional<leat::tcp_stream> others;
    connect(other, others);
    peer.reset();
    connect(world, kept);
    CHECK(world.open_sockets() == 2);
    CHECK(other.open_sockets() == 1);
    kept.reset();
    CHECK(world.open_sockets() == 1);
    CHECK(other.open_sockets() == 1);
    run_simulated(world, [&]() -> leat::task<> {
        char byte = 0;
        const std::size_t ended = co_await peer->recv(std::span(&byte, 1));
        CHECK(ended == 0);
    });
    peer.reset();
    others.reset();
    CHECK(world.open_sockets() == 0);
    CHECK(other.open_sockets() == 0);
}
