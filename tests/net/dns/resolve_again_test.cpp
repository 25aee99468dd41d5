// SPDX-License-Identifier: MIT
// What is asked again, and what is remembered: for how long, and until what happens.
#include <leat/dns/resolve.hpp>

#include "../../support/folder.hpp"
#include "lookups.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/mount.h>

using namespace lookups;

namespace {

constexpr unsigned an_hour = 3600;

}  // namespace

LEAT_TEST("an answer is used again while it holds, also by another task", on(kernel)) {
    dns_server server;
    server.set("kept.test", {.addresses = {first, v6}, .holds = an_hour});
    const addresses asked = co_await leat::resolve("kept.test", patient(server));
    const addresses again = co_await leat::resolve("kept.test", patient(server));
    const addresses elsewhere = co_await leat::spawn(leat::resolve("KEPT.test", patient(server)));
    CHECK(asked.size() == 2);
    CHECK(again == asked);
    CHECK(elsewhere == asked);
    CHECK(server.asked() == 2);  // one for each family
}

LEAT_TEST("an answer that holds only now is asked for each time", on(kernel)) {
    dns_server server;
    server.set("now.test", {.addresses = {first}, .holds = 0});
    (void)co_await leat::resolve("now.test", only_ipv4(patient(server)));
    server.set("now.test", {.addresses = {second}, .holds = 0});
    const addresses again = co_await leat::resolve("now.test", only_ipv4(patient(server)));
    CHECK(again == addresses{second});
    CHECK(server.asked() == 2);
}

LEAT_TEST("the record that holds the shortest time decides, be it an alias or of the other family",
          on(kernel)) {
    dns_server server;
    server.set("both.test", dns_type::a, {.addresses = {first}, .holds = an_hour});
    server.set("both.test", dns_type::aaaa, {.addresses = {v6}, .holds = 0});
    (void)co_await leat::resolve("both.test", patient(server));
    (void)co_await leat::resolve("both.test", patient(server));
    CHECK(server.asked() == 4);
    server.set("alias.test",
               {.addresses = {first}, .alias = "target.test", .holds = an_hour, .alias_holds = 0});
    (void)co_await leat::resolve("alias.test", only_ipv4(patient(server)));
    (void)co_await leat::resolve("alias.test", only_ipv4(patient(server)));
    CHECK(server.asked() == 6);
}

LEAT_TEST("an answer that is older than wanted is asked for again, and who wants none is given none",
          on(kernel)) {
    dns_server server;
    server.set("old.test", {.addresses = {first}, .holds = an_hour});
    resolve_options young = only_ipv4(patient(server));
    young.cache_time = std::chrono::milliseconds(1);
    (void)co_await leat::resolve("old.test", young);
    co_await leat::sleep(std::chrono::milliseconds(2));
    (void)co_await leat::resolve("old.test", young);
    CHECK(server.asked() == 2);
    young.cache_time = leat::duration::zero();
    (void)co_await leat::resolve("old.test", young);
    CHECK(server.asked() == 3);
    (void)co_await leat::resolve("old.test", only_ipv4(patient(server)));
    CHECK(server.asked() == 3);  // what the last one learned is known
}

LEAT_TEST("that a name or its addresses are not there is remembered as long as its zone says", on(kernel)) {
    dns_server server;
    server.set_unknown(an_hour);
    server.set("bare.test", dns_type::a, {.holds = an_hour});
    for (int turn = 0; turn < 2; ++turn) {
        const failure unknown = co_await failure_of("unknown.test", only_ipv4(patient(server)));
        CHECK(unknown.code == dns_errc::no_such_host);
        CHECK(unknown.text == "resolve unknown.test: no such host");
        const failure bare = co_await failure_of("bare.test", only_ipv4(patient(server)));
        CHECK(bare.code == dns_errc::no_address);
    }
    CHECK(server.asked("unknown.test", dns_type::a) == 1);
    CHECK(server.asked("bare.test", dns_type::a) == 1);
}

LEAT_TEST("an answer without the addresses of a family that the server has failed to tell is not remembered",
          on(kernel)) {
    dns_server server;
    const dns_reply failed{.rcode = dns_rcode::server_failure};
    server.set("half.test", dns_type::a, {.addresses = {first}, .holds = an_hour});
    server.set("half.test", dns_type::aaaa, failed);
    server.set("none.test", dns_type::a, failed);
    server.set("none.test", dns_type::aaaa, {.holds = an_hour});
    const addresses half = co_await leat::resolve("half.test", patient(server));
    CHECK(half == addresses{first});
    const failure none = co_await failure_of("none.test", patient(server));
    CHECK(none.code);
    server.set("half.test", dns_type::aaaa, {.addresses = {v6}, .holds = an_hour});
    server.set("none.test", dns_type::a, {.addresses = {first}, .holds = an_hour});
    const addresses whole = co_await leat::resolve("half.test", patient(server));
    CHECK(same_set(whole, {first, v6}));
    const addresses found = co_await leat::resolve("none.test", patient(server));
    CHECK(found == addresses{first});
}

LEAT_TEST("that there are no addresses of a family is remembered with the others, as long as it holds",
          on(kernel)) {
    dns_server server;
    server.set("four.test", dns_type::a, {.addresses = {first}, .holds = an_hour});
    server.set("four.test", dns_type::aaaa, {.holds = an_hour});
    server.set("soon.test", dns_type::a, {.addresses = {first}, .holds = an_hour});
    server.set("soon.test", dns_type::aaaa, {.holds = 0});
    for (int turn = 0; turn < 2; ++turn) {
        (void)co_await leat::resolve("four.test", patient(server));
        (void)co_await leat::resolve("soon.test", patient(server));
    }
    CHECK(server.asked("four.test", dns_type::a) == 1);
    CHECK(server.asked("soon.test", dns_type::a) == 2);
}

LEAT_TEST("without a record that says how long, it is not remembered that a name is not there", on(kernel)) {
    dns_server server;
    const dns_reply reply{.rcode = dns_rcode::name_error, .holds = an_hour, .has_soa = false};
    server.set("unsaid.test", reply);
    (void)co_await failure_of("unsaid.test", only_ipv4(patient(server)));
    (void)co_await failure_of("unsaid.test", only_ipv4(patient(server)));
    CHECK(server.asked() == 2);
}

LEAT_TEST("an answer of one server is not that of another, nor that of another family", on(kernel)) {
    dns_server server;
    dns_server other;
    server.set("split.test", {.addresses = {first, v6}, .holds = an_hour});
    other.set("split.test", {.addresses = {second}, .holds = an_hour});
    const addresses inside = co_await leat::resolve("split.test", only_ipv4(patient(server)));
    const addresses outside = co_await leat::resolve("split.test", only_ipv4(patient(other)));
    CHECK(inside == addresses{first});
    CHECK(outside == addresses{second});
    resolve_options only = patient(server);
    only.families = address_families::ipv6;
    const addresses of_other_family = co_await leat::resolve("split.test", only);
    CHECK(of_other_family == addresses{v6});
}

namespace {

// Runs `body`, which may give this other /etc/hosts to a thread whose mounts are its own. False: it may not.
template <typename Body>
bool with_hosts(const char* text, Body body) {
    const leat::testing::folder scratch;
    const std::string other = scratch.file("hosts", text);
    int refused = 0;
    std::thread([&] {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
            refused = errno;
            return;
        }
        leat::run([&]() -> leat::task<> {
            co_await body([&] {
                const int outcome = ::mount(other.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr);
                refused = outcome != 0 ? errno : 0;
            });
        });
    }).join();
    if (refused != 0) {
        MESSAGE("skipped: no mounts of its own: " << std::strerror(refused));
    }
    return refused == 0;
}

}  // namespace

TEST_CASE("a change of /etc/hosts ends what is remembered") {
    addresses before;
    addresses after;
    const bool done = with_hosts("192.0.2.2 moved.test\n", [&](auto change) -> leat::task<> {
        dns_server server;
        server.set("moved.test", {.addresses = {first}, .holds = an_hour});
        before = co_await leat::resolve("moved.test", only_ipv4(patient(server)));
        change();
        after = co_await leat::resolve("moved.test", only_ipv4(patient(server)));
    });
    if (done) {
        CHECK(before == addresses{first});
        CHECK(after == addresses{second});
    }
}

TEST_CASE("an answer that was asked for before a change of /etc/hosts is none to who asks after it") {
    addresses before;
    addresses meanwhile;
    addresses after;
    const bool done = with_hosts("192.0.2.2 moved.test\n", [&](auto change) -> leat::task<> {
        dns_server server;
        server.set("moved.test", {.addresses = {first}, .how = dns_reply::manner::held, .holds = an_hour});
        auto early = leat::spawn(leat::resolve("moved.test", only_ipv4(patient(server))));
        co_await server.has_been_asked(1);
        change();
        auto late = leat::spawn(leat::resolve("moved.test", only_ipv4(patient(server))));
        co_await leat::yield();
        server.release();
        before = co_await early;
        meanwhile = co_await late;
        after = co_await leat::resolve("moved.test", only_ipv4(patient(server)));
    });
    if (done) {
        CHECK(before == addresses{first});
        CHECK(meanwhile == addresses{second});
        CHECK(after == addresses{second});
    }
}

TEST_CASE("what one run has learned is not known to the next") {
    int asked = 0;
    for (int turn = 0; turn < 2; ++turn) {
        leat::run([&]() -> leat::task<> {
            dns_server server;
            server.set("run.test", {.addresses = {first}, .holds = an_hour});
            (void)co_await leat::resolve("run.test", only_ipv4(patient(server)));
            asked += server.asked();
        });
    }
    CHECK(asked == 2);
}
