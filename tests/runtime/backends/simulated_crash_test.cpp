// SPDX-License-Identifier: MIT
// A host of a simulation that crashes ends its tasks; what its peers see is in simulated_hosts_test.cpp.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::on_host;
using leat::testing::run_simulated;

namespace {

struct crash_world {
    leat::simulation world;
    leat::simulated_host& server = world.add_host("server", {"10.0.0.1"});
    leat::simulated_host& client = world.add_host("client", {"10.0.0.2"});
};

// Notes its end in a list.
struct named {
    std::vector<std::string>& ended;
    std::string name;
    ~named() { ended.push_back(leat::unwinding() ? name + " unwound" : name); }
};

leat::task<> wait_as(std::string name, std::vector<std::string>& ended) {
    const named end{ended, name};
    co_await leat::sleep(1h);
}

}  // namespace

TEST_CASE("a crash cancels what on_host runs and the tasks that were spawned there, and nobody else") {
    crash_world net;
    std::vector<std::string> ended;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto program = leat::spawn(on_host(net.server, [&]() -> leat::task<> {
            leat::spawn([&] { return wait_as("spawned there", ended); });
            co_await wait_as("program", ended);
        }));
        auto client = leat::spawn(on_host(net.client, [&] { return wait_as("client", ended); }));
        auto elsewhere = leat::spawn([&] { return wait_as("elsewhere", ended); });
        co_await leat::sleep(1s);
        net.world.crash(net.server);
        const auto& crashed = co_await program.join();
        CHECK_THROWS_WITH_AS((void)crashed.value(),
                             "the awaited task was cancelled because its host crashed: Operation canceled",
                             leat::task_cancelled);
        co_await leat::yield();
        CHECK(ended == std::vector<std::string>{"program unwound", "spawned there unwound"});
        co_await leat::join_all(client, elsewhere);
        CHECK(client.ok());
        CHECK(elsewhere.ok());
    });
    CHECK(ended.size() == 4);
}

TEST_CASE("who awaits on_host goes on behind a crash, on the host that it is on itself") {
    crash_world net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto outer = leat::spawn(on_host(net.client, [&]() -> leat::task<std::string> {
            const auto inner = co_await leat::as_result(on_host(net.server, leat::sleep(1h)));
            auto listener = leat::tcp_listener::bind({"10.0.0.2", 80});
            co_return inner.error_text();
        }));
        co_await leat::sleep(1s);
        net.world.crash(net.server);
        const std::string text = co_await outer;
        CHECK(text == "the awaited task was cancelled because its host crashed: Operation canceled");
    });
}

TEST_CASE("the crash of the outer of two hosts ends what the inner one does for it") {
    crash_world net;
    std::vector<std::string> ended;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto outer = leat::spawn(on_host(net.client, [&]() -> leat::task<> {
            co_await on_host(net.server, [&] { return wait_as("inner", ended); });
            ended.push_back("it went on");
        }));
        co_await leat::sleep(1s);
        net.world.crash(net.client);
        (void)co_await outer.join();
    });
    CHECK(ended == std::vector<std::string>{"inner unwound"});
}

TEST_CASE("the cleanup of a task whose host has crashed does not reach the network") {
    crash_world net;
    std::vector<std::error_code> errors;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto program = leat::spawn(on_host(net.server, [&]() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"10.0.0.1", 80});
            auto peer = co_await listener.accept();
            co_await leat::finally(leat::sleep(1h), [&]() -> leat::task<> {
                const auto sent = co_await leat::as_result(peer.send("goodbye"));
                errors.push_back(sent.error());
                const auto made = co_await leat::as_result(leat::tcp_stream::connect({"10.0.0.2", 80}));
                errors.push_back(made.error());
            });
        }));
        co_await leat::yield();
        auto client = co_await on_host(net.client, leat::tcp_stream::connect({"10.0.0.1", 80}));
        co_await leat::sleep(1s);
        net.world.crash(net.server);
        (void)co_await program.join();
        const auto heard = co_await leat::move_on_after(1min, client.recv_chunk());
        CHECK_FALSE(heard.has_value());
    });
    CHECK(errors == std::vector<std::error_code>{leat::errno_code(ESHUTDOWN), leat::errno_code(ENETDOWN)});
}

TEST_CASE("a task that crashes its own host ends at its next wait") {
    crash_world net;
    std::string done;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto suicidal = leat::spawn(on_host(net.server, [&]() -> leat::task<> {
            net.world.crash(net.server);
            done += "crashed";
            co_await leat::yield();
            done += ", and went on";
        }));
        (void)co_await suicidal.join();
        net.world.restart(net.server);
        CHECK(net.server.is_up());
    });
    CHECK(done == "crashed");
}
