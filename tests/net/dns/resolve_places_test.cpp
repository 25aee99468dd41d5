// SPDX-License-Identifier: MIT
// Many names at once: how many are asked for at the same time, who makes room for whom, and from where.
#include <leat/dns/core/channel.hpp>
#include <leat/dns/core/resolver.hpp>

#include "../../runtime/cancel_moments.hpp"
#include "lookups.hpp"

#include <string>
#include <vector>

using namespace lookups;

namespace {

constexpr int places = 50;

std::string nth_name(int i) {
    return "name" + std::to_string(i) + ".test";
}

// Asks for `count` names that nobody answers.
std::vector<leat::handle<addresses>> ask_in_vain(dns_server& server, int count) {
    std::vector<leat::handle<addresses>> lookups;
    for (int i = 0; i < count; ++i) {
        server.set(nth_name(i), {.how = dns_reply::manner::silent});
        lookups.push_back(leat::spawn(leat::resolve(nth_name(i), only_ipv4(patient(server)))));
    }
    return lookups;
}

void cancel(std::vector<leat::handle<addresses>>& lookups) {
    for (auto& each : lookups) {
        each.cancel();
    }
}

}  // namespace

LEAT_TEST("names that nobody waits for any more keep no place from another", on(kernel)) {
    dns_server server;
    server.set("good.test", {.addresses = {first}});
    auto abandoned = ask_in_vain(server, places);
    co_await server.has_been_asked(places);
    cancel(abandoned);
    co_await leat::join_all(abandoned);
    const addresses found = co_await leat::resolve("good.test", only_ipv4(patient(server)));
    CHECK(found == addresses{first});
    CHECK(server.asked() == places + 1);
}

LEAT_TEST("names that are waited for in vain keep no place from another for long", on(kernel)) {
    dns_server server;
    server.set("good.test", {.addresses = {first}});
    auto silent = ask_in_vain(server, places);
    co_await server.has_been_asked(places);
    const addresses found = co_await leat::resolve("good.test", only_ipv4(patient(server)));
    CHECK(found == addresses{first});
    CHECK(std::ranges::none_of(silent, [](const auto& each) { return each.done(); }));
    cancel(silent);
    co_await leat::join_all(silent);
}

LEAT_TEST("a name that waits for a place gets that of one that is cancelled meanwhile", on(kernel)) {
    dns_server server;
    server.set("good.test", {.addresses = {first}});
    constexpr int all_places = static_cast<int>(leat::detail::resolver::asked_max);
    auto silent = ask_in_vain(server, all_places);
    co_await server.has_been_asked(all_places);
    auto good = leat::spawn(leat::resolve("good.test", only_ipv4(patient(server))));
    co_await cancel_tests::let_the_loop_look();
    CHECK(server.asked() == all_places);
    silent.back().cancel();
    const addresses found = co_await leat::timeout(std::chrono::seconds(20), good);
    CHECK(found == addresses{first});
    cancel(silent);
    co_await leat::join_all(silent);
}

LEAT_TEST("a look-up that is cancelled before its name was asked for is forgotten", on(kernel)) {
    dns_server server;
    server.set("good.test", {.addresses = {first}});
    constexpr int most_asked = static_cast<int>(leat::detail::resolver::asked_max);
    auto lookups = ask_in_vain(server, 4 * most_asked);
    co_await server.has_been_asked(places);
    cancel(lookups);
    co_await leat::join_all(lookups);
    const addresses found = co_await leat::resolve("good.test", only_ipv4(patient(server)));
    CHECK(found == addresses{first});
    CHECK(server.asked() <= most_asked + 1);  // on a slow machine more than `places` were asked before
}

LEAT_TEST("a question that had to make room is asked again by the next who asks", on(kernel)) {
    dns_server server;
    server.set("good.test", {.addresses = {first}});
    auto abandoned = ask_in_vain(server, places);
    co_await server.has_been_asked(places);
    cancel(abandoned);
    co_await leat::join_all(abandoned);
    const addresses good = co_await leat::resolve("good.test", only_ipv4(patient(server)));
    CHECK(good == addresses{first});
    server.set(nth_name(0), {.addresses = {second}});  // the oldest
    const addresses found = co_await leat::resolve(nth_name(0), only_ipv4(patient(server)));
    CHECK(found == addresses{second});
    CHECK(server.asked(nth_name(0), dns_type::a) == 2);
}

LEAT_TEST("each question leaves from a port of its own, also the next to the same server", on(kernel)) {
    dns_server server;
    server.set("held.test", {.addresses = {first}, .how = dns_reply::manner::held});
    std::vector<leat::handle<addresses>> lookups;
    for (int i = 0; i < places; ++i) {
        server.set(nth_name(i), {.addresses = {first}, .how = dns_reply::manner::held});
        lookups.push_back(leat::spawn(leat::resolve(nth_name(i), only_ipv4(patient(server)))));
    }
    co_await server.has_been_asked(places);
    CHECK(server.ports_seen() == places);  // all are open
    server.release();
    co_await leat::join_all(lookups);
    CHECK(std::ranges::all_of(lookups, [](const auto& each) { return each.value() == addresses{first}; }));
}

LEAT_TEST("finding the best of many addresses takes no more than so many sockets", on(kernel)) {
    struct nobody final : leat::detail::channel::listener {
        void answered(leat::detail::channel&) noexcept override {}
    } told;
    leat::detail::channel asked(leat::current_scheduler(), told);
    const auto open_one = [&]() -> std::error_code {
        const auto opened = asked.open_socket(AF_INET, SOCK_DGRAM, 0);
        if (opened.ok()) {
            asked.close_socket(*opened);
        }
        return opened.error();
    };
    for (int i = 0; i < leat::detail::channel::compared_max; ++i) {
        CHECK(!open_one());
    }
    CHECK(open_one() == std::errc::address_family_not_supported);
    asked.sent();  // a question: the next are for another answer
    CHECK(!open_one());
    co_return;
}

LEAT_TEST("a thousand names of which most are silent are all given up or answered", on(kernel)) {
    dns_server server;
    std::vector<leat::handle<failure>> lookups;
    for (int i = 0; i < 1000; ++i) {
        const bool good = i % 8 == 7;
        server.set(nth_name(i), {.addresses = {first},
                                 .how = good ? dns_reply::manner::plain : dns_reply::manner::silent});
        lookups.push_back(leat::spawn(failure_of(nth_name(i), only_ipv4(hasty(server)))));
    }
    co_await leat::join_all(lookups);
    for (int i = 0; i < 1000; ++i) {
        if (i % 8 != 7) {
            CHECK(lookups[static_cast<std::size_t>(i)].value().code == dns_errc::timed_out);
        }
    }
}
