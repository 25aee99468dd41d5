// SPDX-License-Identifier: MIT
// The hosts of a simulation: their addresses, the links between them, and what a crash leaves behind.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using leat::simulated_host;
using leat::simulation;
using leat::testing::on_host;
using leat::testing::run_simulated;

namespace {

// A server and a client; tests themselves are on the default host.
struct two_hosts {
    explicit two_hosts(const leat::simulation_options& how = {}) : world(how) {}

    [[nodiscard]] leat::endpoint at_server(int port = 80) const { return {"10.0.0.1", port}; }
    leat::task<leat::tcp_listener> listening() {
        co_return co_await on_host(server, [this]() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind(at_server());
        });
    }
    leat::task<leat::tcp_stream> connected() {
        co_return co_await on_host(client, leat::tcp_stream::connect(at_server(), {.timeout = 1h}));
    }

    simulation world;
    simulated_host& server = world.add_host("server", {"10.0.0.1", "fd00::1", "10.0.1.1"});
    simulated_host& client = world.add_host("client", {"10.0.0.2", "fd00::2"});
};

struct both_ends {
    leat::tcp_stream client;
    leat::tcp_stream server;
};

leat::task<both_ends> connected_pair(two_hosts& net) {
    auto listener = co_await net.listening();
    auto client = co_await net.connected();
    auto server = co_await listener.accept();
    both_ends made{std::move(client), std::move(server)};
    co_return made;
}

leat::task<std::error_code> error_of_connect(leat::endpoint where) {
    const auto tried = co_await leat::as_result(leat::tcp_stream::connect(where, {.timeout = 1h}));
    co_return tried.error();
}

leat::task<std::error_code> error_of_recv(leat::tcp_stream& from) {
    char byte = 0;
    const auto tried = co_await leat::as_result(from.recv(std::span(&byte, 1)));
    co_return tried.error();
}

leat::task<> echo_once(leat::tcp_stream& from, leat::tcp_stream& to) {
    co_await from.send_all("hello");
    char text[5];
    co_await to.recv_exactly(text);
    CHECK(std::string_view(text, 5) == "hello");
}

}  // namespace

TEST_CASE("a host has its own addresses, and a loopback for itself") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await net.listening();
        CHECK(listener.local_endpoint() == net.at_server());
        auto client = co_await net.connected();
        auto server = co_await listener.accept();
        CHECK(server.remote_endpoint() == client.local_endpoint());
        CHECK(client.local_endpoint().to_string().starts_with("10.0.0.2:"));
        co_await echo_once(client, server);
        co_await echo_once(server, client);

        auto local = co_await on_host(net.server, []() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({"127.0.0.1", 81});
        });
        const auto elsewhere = co_await on_host(net.client, error_of_connect({"127.0.0.1", 81}));
        CHECK(elsewhere == std::errc::connection_refused);
        const auto here = co_await on_host(net.server, error_of_connect({"127.0.0.1", 81}));
        CHECK_FALSE(here);
        const auto outside = co_await error_of_connect(net.at_server());  // the default host has no address
        CHECK(outside == std::errc::network_unreachable);
        const auto nobody = co_await on_host(net.client, error_of_connect({"10.0.0.77", 80}));
        CHECK(nobody == std::errc::network_unreachable);
    });
}

TEST_CASE("tasks that are spawned on a host are on it too, and each host has all ports") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto bind_there = []() -> leat::task<std::string> {
            auto spawned = leat::spawn([]() -> leat::task<std::string> {
                co_await leat::yield();
                auto bound = leat::tcp_listener::bind({"0.0.0.0", 80});
                auto client = co_await leat::tcp_stream::connect(leat::endpoint("10.0.0.1", 79));
                co_return client.local_endpoint().to_string();
            });
            co_return co_await spawned;
        };
        auto target = co_await on_host(net.server, []() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({"0.0.0.0", 79});
        });
        const std::string one = co_await on_host(net.server, bind_there);
        const std::string other = co_await on_host(net.client, bind_there);
        CHECK(one.starts_with("10.0.0.1:"));
        CHECK(other.starts_with("10.0.0.2:"));
    });
}

TEST_CASE("hosts and addresses are told apart by those who add them") {
    simulation world;
    const simulated_host& first = world.add_host("first");
    const simulated_host& second = world.add_host("second");
    REQUIRE(first.addresses().size() == 2);
    CHECK(first.addresses() != second.addresses());
    (void)world.add_host("placed", {"10.0.0.5"});
    CHECK(world.add_host("beside").addresses().size() == 2);  // 10.0.0.5 would be its own
    CHECK_THROWS_AS(world.add_host("first"), std::invalid_argument);
    CHECK_THROWS_AS(world.add_host("LOCALHOST"), std::invalid_argument);
    CHECK_THROWS_AS(world.add_host("third", {first.addresses()[0]}), std::invalid_argument);
    CHECK_THROWS_AS(world.add_host("third", {"127.0.0.1"}), std::invalid_argument);
    CHECK_THROWS_AS(world.add_host("third", {"ten.zero.zero.one"}), std::invalid_argument);
    CHECK(world.default_host().name() == "localhost");
}

TEST_CASE("a link has its own latency and bandwidth, and others have theirs") {
    two_hosts net({.latency = 1ms});
    net.world.set_link(net.client, net.server, {.latency = 50ms, .bandwidth = 1'000'000});
    run_simulated(net.world, [&]() -> leat::task<> {
        auto began = leat::now();
        both_ends both = co_await connected_pair(net);
        CHECK(leat::now() - began == 150ms);
        began = leat::now();
        const std::string much(100'000, 'x');
        co_await both.client.send_all(much);
        std::string received(much.size(), ' ');
        co_await both.server.recv_exactly(received);
        CHECK(leat::now() - began == 150ms);  // 100 ms for 100,000 bytes, and the latency
        began = leat::now();
        auto local = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto beside = co_await leat::tcp_stream::connect(local.local_endpoint());
        CHECK(leat::now() - began == 2ms);
    });
}

TEST_CASE("what a cut link holds up is sent again, more and more seldom, and arrives in order") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        net.world.cut(net.client, net.server);
        const auto began = leat::now();
        co_await both.client.send_all("ab");
        co_await leat::sleep(1s);
        co_await both.client.send_all("cd");
        net.world.mend(net.client, net.server);
        char text[4];
        co_await both.server.recv_exactly(text);
        CHECK(std::string_view(text, 4) == "abcd");
        CHECK(leat::now() - began == 1400ms);  // tries: 0.2 s, 0.6 s and 1.4 s
        co_await echo_once(both.server, both.client);
    });
}

TEST_CASE("a link that is cut one way holds up that way only") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        net.world.cut_one_way(net.client, net.server);
        co_await echo_once(both.server, both.client);
        co_await both.client.send_all("hello");
        char text[5];
        const bool came = co_await leat::move_on_after(10s, both.server.recv_exactly(text));
        CHECK_FALSE(came);
        net.world.heal();
        co_await both.server.recv_exactly(text);
        CHECK(std::string_view(text, 5) == "hello");
    });
}

TEST_CASE("who sends into a link that stays cut fails after 924.6 s, and a connect after 127 s") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await net.listening();
        auto client = co_await net.connected();
        auto server = co_await listener.accept();
        net.world.cut(net.client, net.server);
        auto began = leat::now();
        co_await client.send_all("lost");
        const auto given_up = co_await error_of_recv(client);
        CHECK(given_up == std::errc::timed_out);
        CHECK(leat::now() - began == 924600ms);
        const auto late = co_await leat::as_result(client.send("x"));
        CHECK(late.error() == std::errc::broken_pipe);
        began = leat::now();
        const auto unanswered = co_await on_host(net.client, error_of_connect(net.at_server()));
        CHECK(unanswered == std::errc::timed_out);
        CHECK(leat::now() - began == 127s);
        // The server has heard nothing; what it sends is answered by a reset when it arrives.
        net.world.heal();
        co_await server.send_all("anybody there?");
        const auto reset = co_await error_of_recv(server);
        CHECK(reset == std::errc::connection_reset);
    });
}

TEST_CASE("a connect whose answer is lost asks again, and is accepted once") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await net.listening();
        net.world.cut_one_way(net.server, net.client);
        auto connecting = leat::spawn([&] { return net.connected(); });
        co_await leat::sleep(2s);
        CHECK_FALSE(connecting.done());
        const bool early = co_await leat::move_on_after(1ms, leat::readable(listener.native_handle()));
        CHECK_FALSE(early);  // nobody has answered to the server yet
        net.world.heal();
        auto client = co_await connecting;
        auto server = co_await listener.accept();
        co_await echo_once(client, server);
        const auto another = co_await leat::move_on_after(1h, leat::readable(listener.native_handle()));
        CHECK_FALSE(another);
    });
}

TEST_CASE("a client that gives up before it is accepted is never accepted") {
    two_hosts net({.latency = 10ms});
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await net.listening();
        const auto given_up = co_await leat::move_on_after(15ms, net.connected());
        CHECK_FALSE(given_up.has_value());
        const auto came = co_await leat::move_on_after(1h, listener.accept());
        CHECK_FALSE(came.has_value());
    });
}

TEST_CASE("a clogged link delivers what was sent meanwhile after its time") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        net.world.clog(net.client, net.server, 5s);
        const auto began = leat::now();
        co_await echo_once(both.client, both.server);
        CHECK(leat::now() - began == 5s);
        co_await echo_once(both.client, both.server);
        CHECK(leat::now() - began == 5s);
    });
}

TEST_CASE("a partition separates its sides, and heal() joins them") {
    simulation world;
    simulated_host& a = world.add_host("a");
    simulated_host& b = world.add_host("b");
    simulated_host& c = world.add_host("c");
    run_simulated(world, [&]() -> leat::task<> {
        auto listener = co_await on_host(c, [&]() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({c.addresses()[0], 80});
        });
        const leat::endpoint there(c.addresses()[0], 80);
        world.partition({a}, {b, c});
        const auto cut_off = co_await on_host(a, error_of_connect(there));
        CHECK(cut_off == std::errc::timed_out);
        const auto inside = co_await on_host(b, error_of_connect(there));
        CHECK_FALSE(inside);
        world.heal();
        const auto joined = co_await on_host(a, error_of_connect(there));
        CHECK_FALSE(joined);
    });
}

TEST_CASE("of a crashed host nobody hears; once it is up, what is sent there is reset") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        co_await both.server.send_all("last");
        net.world.crash(net.server);
        CHECK_FALSE(net.server.is_up());
        char text[4];
        co_await both.client.recv_exactly(text);  // had arrived
        auto waiting = leat::spawn([&] { return error_of_recv(both.client); });
        const auto heard = co_await leat::move_on_after(24h, waiting.join());
        CHECK_FALSE(heard.has_value());
        co_await both.client.send_all("anybody there?");
        co_await leat::sleep(10s);
        CHECK_FALSE(waiting.done());
        net.world.restart(net.server);
        const std::error_code reset = co_await waiting;
        CHECK(reset == std::errc::connection_reset);
        const auto refused = co_await on_host(net.client, error_of_connect(net.at_server()));
        CHECK(refused == std::errc::connection_refused);
        auto again = co_await connected_pair(net);
        co_await echo_once(again.client, again.server);
    });
}

TEST_CASE("the tasks of a crashed host lose their sockets, whatever they do with them") {
    two_hosts net;
    const auto gone = std::error_code(ESHUTDOWN, std::system_category());
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await net.listening();
        auto client = co_await net.connected();
        auto server = co_await listener.accept();
        auto receiving = leat::spawn([&] { return error_of_recv(server); });
        auto accepting = leat::spawn([&]() -> leat::task<std::error_code> {
            const auto tried = co_await leat::as_result(listener.accept());
            co_return tried.error();
        });
        co_await leat::yield();
        net.world.crash(net.server);
        const std::error_code received = co_await receiving;
        CHECK(received == gone);
        const std::error_code accepted = co_await accepting;
        CHECK(accepted == gone);
        net.world.restart(net.server);
        const auto late = co_await leat::as_result(server.send("x"));
        CHECK(late.error() == gone);
        net.world.crash(net.server);
        const auto opened = co_await leat::as_result(net.listening());
        CHECK(opened.error() == std::errc::network_down);
    });
    CHECK(net.world.open_sockets() == 0);
}

TEST_CASE("who sends to a host that stays down fails in the end") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        net.world.crash(net.server);
        co_await both.client.send_all("anybody there?");
        const auto given_up = co_await error_of_recv(both.client);
        CHECK(given_up == std::errc::timed_out);
        const auto unanswered = co_await on_host(net.client, error_of_connect(net.at_server()));
        CHECK(unanswered == std::errc::timed_out);
    });
}

TEST_CASE("a simulation ends while bytes and ends wait for a link that is cut") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        both_ends both = co_await connected_pair(net);
        net.world.cut(net.client, net.server);
        co_await both.client.send_all("never arrives");
        both.server.close();
    });
    CHECK(net.world.open_sockets() == 0);
}

TEST_CASE("hosts reach each other by both families") {
    two_hosts net;
    run_simulated(net.world, [&]() -> leat::task<> {
        auto listener = co_await on_host(net.server, []() -> leat::task<leat::tcp_listener> {
            co_return leat::tcp_listener::bind({"::", 80}, {.dual_stack = true});
        });
        for (const char* to : {"fd00::1", "10.0.1.1"}) {
            auto client = co_await on_host(net.client, leat::tcp_stream::connect(leat::endpoint(to, 80)));
            auto server = co_await listener.accept();
            co_await echo_once(client, server);
            CHECK(client.remote_endpoint() == leat::endpoint(to, 80));
        }
    });
}
