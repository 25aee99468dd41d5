// SPDX-License-Identifier: MIT
#include <leat/dns/resolve.hpp>

#include "lookups.hpp"

#include <leat/dns/core/host_name.hpp>

#include <atomic>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

using namespace lookups;

LEAT_TEST("an IP address is its own answer, and nobody is asked", on(kernel)) {
    dns_server server;
    const auto options = patient(server);
    const addresses v4_found = co_await leat::resolve("192.0.2.1", options);
    CHECK(v4_found == addresses{first});
    const addresses v6_found = co_await leat::resolve("[2001:db8::1]", options);
    CHECK(v6_found == addresses{v6});
    const auto other = co_await failure_of("192.0.2.1", {.families = address_families::ipv6});
    CHECK(other.code == dns_errc::no_address);
    CHECK(other.text == "resolve 192.0.2.1: the host has no such address");
    CHECK(server.asked() == 0);
}

LEAT_TEST("localhost is found without a server, in each of its spellings", on(kernel)) {
    dns_server server;
    const std::string spellings[] = {"localhost", "LOCALHOST", "localhost.", "app.localhost"};
    for (const std::string& name : spellings) {
        const addresses found = co_await leat::resolve(name, patient(server));
        CHECK(!found.empty());
        CHECK(std::ranges::all_of(found, &address::is_loopback));
    }
    resolve_options only = only_ipv4(patient(server));
    const addresses v4_found = co_await leat::resolve("localhost", only);
    CHECK(v4_found == addresses{address::loopback_ipv4()});
    only.families = address_families::ipv6;
    const addresses v6_found = co_await leat::resolve("localhost", only);
    CHECK(v6_found == addresses{address::loopback_ipv6()});
    CHECK(server.asked() == 0);
}

// A name in /etc/hosts other than localhost, with its address there.
std::optional<std::pair<std::string, address>> known_host() {
    std::ifstream hosts("/etc/hosts");
    for (std::string line; std::getline(hosts, line);) {
        std::istringstream words(line);
        std::string number;
        std::string name;
        words >> number >> name;
        const auto known = leat::detail::literal_address(number);
        const std::string asked = leat::detail::name_to_ask(name);
        if (known && !asked.empty() && asked != "localhost") {
            return std::pair(name, *known);
        }
    }
    return std::nullopt;
}

LEAT_TEST("a name in /etc/hosts is found without a server", on(kernel)) {
    const auto known = known_host();
    if (!known) {
        MESSAGE("skipped: there is no other name than localhost in /etc/hosts");
        co_return;
    }
    dns_server server;
    const addresses found = co_await leat::resolve(known->first, patient(server));
    CHECK(std::ranges::find(found, known->second) != found.end());
    CHECK(server.asked() == 0);
}

LEAT_TEST("addresses of both families are found, the better ones first", on(kernel)) {
    dns_server server;
    server.set("both.test", {.addresses = {address::loopback_ipv4(), address::loopback_ipv6()}});
    const addresses found = co_await leat::resolve("Both.Test", patient(server));
    CHECK(same_set(found, {address::loopback_ipv4(), address::loopback_ipv6()}));
    const auto v6_works = leat::current_scheduler().io().sockets().open(AF_INET6, SOCK_DGRAM, 0);
    if (v6_works.ok()) {
        const leat::fd probe(*v6_works);
        const leat::endpoint loopback("::1", 9);
        if (::connect(probe.get(), loopback.data(), loopback.size()) == 0) {
            CHECK(found.front().is_ipv6());  // RFC 6724 rule 6
        }
    }
    CHECK(server.asked("both.test", dns_type::a) == 1);
    CHECK(server.asked("both.test", dns_type::aaaa) == 1);
}

LEAT_TEST("of a family that is not wanted nothing is asked", on(kernel)) {
    dns_server server;
    server.set("both.test", {.addresses = {first, v6}});
    resolve_options only = only_ipv4(patient(server));
    const addresses v4_found = co_await leat::resolve("both.test", only);
    CHECK(v4_found == addresses{first});
    CHECK(server.asked("both.test", dns_type::aaaa) == 0);
    only.families = address_families::ipv6;
    const addresses v6_found = co_await leat::resolve("both.test", only);
    CHECK(v6_found == addresses{v6});
    CHECK(server.asked("both.test", dns_type::a) == 1);
}

LEAT_TEST("an alias is followed, and an address that comes twice is given once", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {first, second, first}, .alias = "real.test"});
    const addresses found = co_await leat::resolve("www.test.", patient(server));
    CHECK(same_set(found, {first, second}));
}

LEAT_TEST("the next server is asked when one fails, and when one is silent", on(kernel)) {
    dns_server failing;
    failing.set("www.test", {.rcode = dns_rcode::server_failure});
    dns_server silent;
    silent.set("www.test", {.how = dns_reply::manner::silent});
    dns_server good;
    good.set("www.test", {.addresses = {first}});
    const std::string servers = " " + failing.location() + ", " + silent.location() + "," + good.location();
    const addresses found = co_await leat::resolve(
        "www.test", {.servers = servers, .timeout = std::chrono::milliseconds(5), .tries = 100});
    CHECK(found == addresses{first});
    CHECK(failing.asked() > 0);
    CHECK(silent.asked() > 0);
}

LEAT_TEST("an answer that is too long for a datagram comes over TCP", on(kernel)) {
    dns_server server;
    addresses many;
    for (unsigned i = 0; i < 1000; ++i) {
        const auto low = static_cast<std::uint8_t>(i % 250 + 1);
        many.emplace_back(address::ipv4_bytes{10, 0, static_cast<std::uint8_t>(i / 250), low});
    }
    server.set("large.test", dns_type::a, {.addresses = many, .how = dns_reply::manner::truncated});
    const addresses found = co_await leat::resolve("large.test", patient(server));
    CHECK(same_set(found, many));
    CHECK(server.asked_over_tcp() == 1);
}

LEAT_TEST("of an answer without end the first 1024 addresses are taken, without duplicates", on(kernel)) {
    dns_server server;
    addresses many;
    for (unsigned i = 0; i < 4000; ++i) {  // as many as a message can hold
        const unsigned number = i % 2000;
        many.emplace_back(address::ipv4_bytes{10, 0, static_cast<std::uint8_t>(number >> 8),
                                              static_cast<std::uint8_t>(number)});
    }
    server.set("large.test", dns_type::a, {.addresses = many, .how = dns_reply::manner::truncated});
    const addresses found = co_await leat::resolve("large.test", only_ipv4(patient(server)));
    CHECK(found.size() == 1024);
    CHECK(same_set(found, addresses(many.begin(), many.begin() + 1024)));
}

LEAT_TEST("an answer to another question is passed over", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {first}, .how = dns_reply::manner::spoofed});
    const addresses found = co_await leat::resolve("www.test", only_ipv4(patient(server)));
    CHECK(found == addresses{first});
}

LEAT_TEST("a thousand look-ups of one name at the same time are one query", on(kernel)) {
    dns_server server;
    server.set("busy.test", {.addresses = {first}, .how = dns_reply::manner::held});
    std::vector<leat::handle<addresses>> lookups;
    for (int i = 0; i < 1000; ++i) {
        lookups.push_back(
            leat::spawn(leat::resolve(i % 2 == 0 ? "busy.test" : "Busy.TEST", patient(server))));
    }
    co_await server.has_been_asked(2);
    server.release();
    co_await leat::join_all(lookups);
    CHECK(std::ranges::all_of(lookups, [](const auto& each) { return each.value() == addresses{first}; }));
    CHECK(server.asked("busy.test", dns_type::a) == 1);
    CHECK(server.asked("busy.test", dns_type::aaaa) == 1);
}

LEAT_TEST("a thousand names at the same time each have their own answer", on(kernel)) {
    dns_server server;
    std::vector<leat::handle<addresses>> lookups;
    const auto nth = [](unsigned i) {
        return address(
            address::ipv4_bytes{10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    };
    for (unsigned i = 0; i < 1000; ++i) {
        const std::string name = "host" + std::to_string(i) + ".test";
        server.set(name, dns_type::a, {.addresses = {nth(i)}});
        lookups.push_back(leat::spawn(leat::resolve(name, patient(server))));
    }
    co_await leat::join_all(lookups);
    for (unsigned i = 0; i < 1000; ++i) {
        CHECK(lookups[i].value() == addresses{nth(i)});
    }
}

LEAT_TEST("a look-up that is cancelled ends at once, and its late answer hurts nobody", on(kernel)) {
    dns_server server;
    server.set("late.test", {.addresses = {first}, .how = dns_reply::manner::held});
    auto cancelled = leat::spawn(leat::resolve("late.test", patient(server)));
    auto patient_one = leat::spawn(leat::resolve("late.test", patient(server)));
    co_await server.has_been_asked(2);
    cancelled.cancel();
    const auto& outcome = co_await cancelled.join();
    CHECK(outcome.how() == leat::ending::cancelled);
    CHECK(!patient_one.done());
    server.release();
    const addresses found = co_await patient_one;
    CHECK(found == addresses{first});
}

LEAT_TEST("a question that nobody waits for any more is taken up by the next who asks", on(kernel)) {
    dns_server server;
    server.set("late.test", {.addresses = {first}, .how = dns_reply::manner::held});
    auto abandoned = leat::spawn(leat::resolve("late.test", patient(server)));
    co_await server.has_been_asked(2);
    abandoned.cancel();
    co_await leat::join_all(abandoned);
    auto next = leat::spawn(leat::resolve("late.test", patient(server)));
    co_await leat::yield();
    server.release();
    const addresses found = co_await next;
    CHECK(found == addresses{first});
    CHECK(server.asked("late.test", dns_type::a) == 1);
}

LEAT_TEST("an answer that comes after everybody was cancelled hurts nobody", on(kernel)) {
    dns_server server;
    server.set("late.test", {.addresses = {first}, .how = dns_reply::manner::held});
    server.set("other.test", {.addresses = {second}});
    auto abandoned = leat::spawn(leat::resolve("late.test", patient(server)));
    co_await server.has_been_asked(2);
    abandoned.cancel();
    co_await leat::join_all(abandoned);
    server.release();
    const addresses found = co_await leat::resolve("other.test", patient(server));
    CHECK(found == addresses{second});
}

LEAT_TEST("run() ends while a query is under way, and leaves nothing open", on(kernel)) {
    dns_server server;
    server.set("late.test", {.addresses = {first}, .how = dns_reply::manner::held});
    server.set("large.test", {.addresses = {first}, .how = dns_reply::manner::truncated});
    (void)leat::spawn(leat::resolve("late.test", patient(server)));
    (void)leat::spawn(leat::resolve("large.test", patient(server)));
    co_await server.has_been_asked(4);
}

LEAT_TEST("a deadline of a caller ends the look-up", on(kernel)) {
    dns_server server;
    server.set("slow.test", {.how = dns_reply::manner::silent});
    bool expired = false;
    try {
        (void)co_await leat::timeout(std::chrono::milliseconds(1),
                                     leat::resolve("slow.test", patient(server)));
    } catch (const leat::timed_out&) {
        expired = true;
    }
    CHECK(expired);
}

LEAT_TEST("other options are another question, also while the first is asked", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {first}, .how = dns_reply::manner::held});
    const auto with_tries = [&](int tries) {
        resolve_options some = patient(server);
        some.tries = tries;
        some.families = address_families::ipv4;
        return leat::spawn(leat::resolve("www.test", some));
    };
    auto once = with_tries(1);
    auto once_too = with_tries(1);
    auto twice = with_tries(2);
    co_await server.has_been_asked(2);
    server.release();
    co_await leat::join_all(once, once_too, twice);
    CHECK(once.value() == addresses{first});
    CHECK(once_too.value() == addresses{first});
    CHECK(twice.value() == addresses{first});
    CHECK(server.asked() == 2);
}

LEAT_TEST("many sets of options work one after another", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {first}});
    for (int tries = 1; tries <= 20; ++tries) {
        const addresses found = co_await leat::resolve(
            "www.test", {.servers = server.location(), .timeout = std::chrono::hours(1), .tries = tries});
        CHECK(found == addresses{first});
    }
    CHECK(server.asked("www.test", dns_type::a) == 20);
}

TEST_CASE("a deadlock after a look-up is still found") {
    CHECK_THROWS_AS(leat::run([]() -> leat::task<> {
                        (void)co_await leat::resolve("localhost");
                        co_await leat::sleep_until(leat::never);
                    }),
                    leat::deadlock);
    CHECK_THROWS_AS(leat::run([]() -> leat::task<> {
                        // Nobody is there to answer: the tries are over before the wait begins.
                        const resolve_options nobody{
                            .families = address_families::ipv4, .servers = "127.0.0.1:1", .tries = 1};
                        (void)co_await failure_of("www.test", nobody);
                        co_await leat::sleep_until(leat::never);
                    }),
                    leat::deadlock);
}

TEST_CASE("threads resolve independently") {
    std::vector<std::thread> threads;
    std::atomic<int> found = 0;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            found += leat::run([]() -> leat::task<int> {
                dns_server server;
                server.set("www.test", {.addresses = {first}});
                const addresses answer = co_await leat::resolve("www.test", patient(server));
                co_return answer == addresses{first} ? 1 : 0;
            });
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    CHECK(found == 4);
}
