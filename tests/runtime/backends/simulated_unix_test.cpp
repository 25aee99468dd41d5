// SPDX-License-Identifier: MIT
// Stream sockets of the Unix family as the simulation has them: each host has its own names.
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/simulation.hpp>

#include "simulated_calls.hpp"

#include <string>
#include <string_view>

using namespace simulated_tests;
using namespace std::string_view_literals;
using leat::simulation;
using leat::testing::on_host;
using leat::testing::run_simulated;

namespace {

void listen_at(const open_socket& one, std::string_view path) {
    const path_name name(path);
    calls().bind(one.number(), name.data(), name.size).value("bind");
    calls().listen(one.number(), 10).value("listen");
}

std::string path_of(leat::result<socklen_t> size, const sockaddr_storage& storage) {
    sockaddr_un name{};
    std::memcpy(&name, &storage, sizeof name);
    return {name.sun_path, size.value("the name of a socket") - offsetof(sockaddr_un, sun_path)};
}

leat::task<> talk_over(std::string_view path) {
    const open_socket listener(AF_UNIX, SOCK_STREAM);
    listen_at(listener, path);
    const open_socket client(AF_UNIX, SOCK_STREAM);
    const std::int64_t connected = co_await connect(client, path_name(path));
    REQUIRE(connected == 0);
    const open_socket server(co_await accept(listener));
    REQUIRE(server.number() >= 0);
    sockaddr_storage name{};
    CHECK(path_of(calls().remote_address(client.number(), name), name).substr(0, path.size()) == path);
    CHECK(path_of(calls().remote_address(server.number(), name), name).empty());
    (void)co_await send(client, "hello");
    const std::string there = co_await received(server);
    CHECK(there == "hello");
    (void)co_await send(server, "and back");
    const std::string back = co_await received(client);
    CHECK(back == "and back");
    CHECK(calls().shutdown(client.number(), SHUT_WR).ok());
    const std::string end = co_await received(server);
    CHECK(end.empty());
}

}  // namespace

LEAT_TEST("an abstract name leads to its listener") {
    co_await talk_over("\0leat.simulated_unix_test"sv);
}

TEST_CASE("a path leads to its listener, and is free again when that has closed") {
    run_simulated([]() -> leat::task<> {
        co_await talk_over("/run/service.socket");
        co_await talk_over("/run/service.socket");
        const open_socket first(AF_UNIX, SOCK_STREAM);
        const open_socket second(AF_UNIX, SOCK_STREAM);
        listen_at(first, "/run/service.socket");
        const path_name same("/run/service.socket");
        CHECK(calls().bind(second.number(), same.data(), same.size).error() == std::errc::address_in_use);
    });
}

LEAT_TEST("a name where nobody listens is refused, and a path that is not there is unknown") {
    const open_socket bound_only(AF_UNIX, SOCK_STREAM);
    const path_name name("\0leat.simulated_unix_test.bound"sv);
    CHECK(calls().bind(bound_only.number(), name.data(), name.size).ok());
    const open_socket client(AF_UNIX, SOCK_STREAM);
    const std::int64_t refused = co_await connect(client, name);
    CHECK(refused == -ECONNREFUSED);
    const open_socket other(AF_UNIX, SOCK_STREAM);
    const std::int64_t nobody = co_await connect(other, path_name("\0leat.simulated_unix_test.none"sv));
    CHECK(nobody == -ECONNREFUSED);
    const open_socket third(AF_UNIX, SOCK_STREAM);
    const std::int64_t unknown = co_await connect(third, path_name("/nowhere/leat.socket"));
    CHECK(unknown == -ENOENT);
}

LEAT_TEST("writing to a Unix peer that has closed fails at once") {
    const open_socket listener(AF_UNIX, SOCK_STREAM);
    listen_at(listener, "\0leat.simulated_unix_test.closes"sv);
    const open_socket client(AF_UNIX, SOCK_STREAM);
    (void)co_await connect(client, path_name("\0leat.simulated_unix_test.closes"sv));
    {
        const open_socket server(co_await accept(listener));
    }
    const std::int64_t late = co_await send(client, "x");
    CHECK(late == -EPIPE);
    const std::string end = co_await received(client);
    CHECK(end.empty());
}

LEAT_TEST("a socket without a path is given an abstract name") {
    const open_socket unnamed(AF_UNIX, SOCK_STREAM);
    const path_name none(""sv);
    CHECK(calls().bind(unnamed.number(), none.data(), sizeof(sa_family_t)).ok());
    sockaddr_storage name{};
    const std::string given = path_of(calls().local_address(unnamed.number(), name), name);
    CHECK(given.size() == 6);
    CHECK(given.front() == '\0');
    co_return;
}

TEST_CASE("hosts have their own names of the Unix family") {
    simulation world;
    leat::simulated_host& other = world.add_host("other");
    run_simulated(world, [&]() -> leat::task<> {
        const open_socket listener(AF_UNIX, SOCK_STREAM);
        listen_at(listener, "/run/service.socket");
        co_await on_host(other, []() -> leat::task<> {
            const open_socket client(AF_UNIX, SOCK_STREAM);
            const std::int64_t unknown = co_await connect(client, path_name("/run/service.socket"));
            CHECK(unknown == -ENOENT);
            co_await talk_over("/run/service.socket");
        });
    });
}
