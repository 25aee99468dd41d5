// SPDX-License-Identifier: MIT
// Names in a simulation, which has no servers: those that it was given, and those of its hosts.
#include <leat/connect.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using leat::address;
using leat::dns_errc;
using leat::simulation;
using leat::testing::on_host;
using leat::testing::run_simulated;
using addresses = std::vector<address>;

namespace {

leat::task<leat::result<addresses>> look_up(std::string name, leat::resolve_options options = {}) {
    co_return co_await leat::as_result(leat::resolve(std::move(name), options));
}

const address four = address::parse("10.0.0.1");
const address six = address::parse("fd00::1");

}  // namespace

TEST_CASE("names have the addresses that they were given, and hosts their own") {
    simulation world;
    (void)world.add_host("server", {"10.0.0.1", "fd00::1"});
    world.add_name("DB.example", {"fd00::1", "10.0.0.1"});
    run_simulated(world, [&]() -> leat::task<> {
        const auto host = co_await look_up("server");
        REQUIRE(host.ok());
        CHECK(*host == addresses{four, six});
        const auto given = co_await look_up("db.EXAMPLE.");
        REQUIRE(given.ok());
        CHECK(*given == addresses{six, four});
        const auto only = co_await look_up("db.example", {.families = leat::address_families::ipv4});
        REQUIRE(only.ok());
        CHECK(*only == addresses{four});
        const auto local = co_await look_up("localhost", {.families = leat::address_families::ipv4});
        REQUIRE(local.ok());
        CHECK(*local == addresses{address::loopback_ipv4()});
        world.add_name("db.example", {"10.0.0.7"});
        const auto moved = co_await look_up("db.example");
        REQUIRE(moved.ok());
        CHECK(*moved == addresses{address::parse("10.0.0.7")});
        const auto none = co_await look_up("db.example", {.families = leat::address_families::ipv6});
        CHECK(none.error() == dns_errc::no_address);
        world.add_name("db.example", {});
        const auto removed = co_await look_up("db.example");
        CHECK(removed.error() == dns_errc::no_such_host);
        const auto literal = co_await look_up("192.0.2.1");
        CHECK(literal.ok());
        const auto malformed = co_await look_up("not a name");
        CHECK(malformed.error() == dns_errc::malformed_name);
    });
}

TEST_CASE("a connection is made by the name of a host") {
    simulation world;
    leat::simulated_host& server = world.add_host("server");
    leat::simulated_host& client = world.add_host("client");
    run_simulated(world, [&]() -> leat::task<> {
        auto listener = co_await on_host(server, []() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({"0.0.0.0", 80});
        });
        auto stream = co_await on_host(client, leat::tcp_stream::connect("server", 80));
        auto accepted = co_await listener.accept();
        CHECK(accepted.remote_endpoint() == stream.local_endpoint());
    });
}

TEST_CASE("a connection goes to the next address of a name when one is silent, and at once when it refuses") {
    simulation world;
    const leat::simulated_host& silent = world.add_host("silent", {"10.0.0.1"});
    (void)world.add_host("refusing", {"10.0.0.2"});
    leat::simulated_host& serving = world.add_host("serving", {"10.0.0.3"});
    leat::simulated_host& client = world.add_host("client");
    world.add_name("db.example", {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
    world.cut(client, silent);
    run_simulated(world, [&]() -> leat::task<> {
        auto listener = co_await on_host(serving, []() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({"10.0.0.3", 80});
        });
        const auto began = leat::now();
        auto connecting = leat::connect_to_host("db.example", 80, {.attempt_delay = 300ms});
        auto stream = co_await on_host(client, std::move(connecting));
        CHECK(stream.remote_endpoint() == listener.local_endpoint());
        CHECK(leat::now() - began >= 300ms);
        CHECK(leat::now() - began < 301ms);  // turns in which tasks are ready take a little
    });
}

TEST_CASE("a look-up takes the time of its way, and none when it is cancelled") {
    simulation world({.latency = 10ms});
    world.add_name("db.example", {"10.0.0.1"});
    run_simulated(world, []() -> leat::task<> {
        auto began = leat::now();
        (void)co_await look_up("db.example");
        CHECK(leat::now() - began == 20ms);
        began = leat::now();
        const auto given_up = co_await leat::move_on_after(5ms, look_up("db.example"));
        CHECK_FALSE(given_up.has_value());
        CHECK(leat::now() - began == 5ms);
    });
}

TEST_CASE("a look-up is tried again when its failure is temporary, and not when the name is unknown") {
    simulation world({.faults = {.failed_name = 1}});
    world.add_name("db.example", {"10.0.0.1"});
    run_simulated(world, [&]() -> leat::task<> {
        auto healer = leat::spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            world.heal();
        });
        int tries = 0;
        const addresses found = co_await leat::retry({.tries = 50, .first = 100ms, .jitter = false}, [&] {
            ++tries;
            return leat::resolve("db.example");
        });
        CHECK(found == addresses{four});
        CHECK(tries == 5);  // after 0, 100, 300, 700 and 1500 ms
        co_await healer;
    });
    CHECK(leat::is_transient(dns_errc::temporary_failure));
    CHECK(leat::is_transient(dns_errc::timed_out));
    CHECK_FALSE(leat::is_transient(dns_errc::no_such_host));
    CHECK_FALSE(leat::is_transient(dns_errc::malformed_name));
}

TEST_CASE("a look-up fails as the faults say") {
    struct expectation {
        leat::simulated_faults faults;
        dns_errc error;
    };
    for (const expectation& each : {expectation{{.no_such_name = 1}, dns_errc::no_such_host},
                                    expectation{{.failed_name = 1}, dns_errc::temporary_failure},
                                    expectation{{.silent_name = 1}, dns_errc::timed_out}}) {
        simulation world({.faults = each.faults});
        world.add_name("db.example", {"10.0.0.1"});
        run_simulated(world, [&]() -> leat::task<> {
            const auto failed = co_await look_up("db.example", {.timeout = 2s, .tries = 3});
            CHECK(failed.error() == each.error);
            world.heal();
            const auto found = co_await look_up("db.example");
            CHECK(found.ok());
        });
        CHECK(world.faults_injected().size() == 1);
    }
}
