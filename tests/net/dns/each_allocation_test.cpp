// SPDX-License-Identifier: MIT
// Each allocation of a look-up fails in turn: it throws at once, and the same name is found after that.
#include <leat/dns/resolve.hpp>

#include "../../support/dns_server.hpp"
#include "../../support/elsewhere.hpp"
#include "../../support/failing_memory.hpp"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::address;
using leat::task;
using leat::testing::check_each_allocation;
using leat::testing::dns_server;
using leat::testing::failing_memory;
using leat::testing::kernel;

TEST_CASE("a look-up that finds no memory fails alone, does not wait for it, and is asked anew after that") {
    const address known = address::parse("192.0.2.1");
    std::string location;
    support::elsewhere server([&](const auto& ready) -> task<> {
        dns_server names;
        names.set("a.example", {.addresses = {known}});
        location = names.location();
        ready();
        co_await leat::sleep_until(leat::never);
    });
    const auto looks_up = [&](failing_memory& memory) -> task<> {
        const leat::resolve_options patient{.servers = location, .timeout = 1h, .tries = 1};
        std::vector<address> found;
        co_await memory.fails([&]() -> task<> { found = co_await leat::resolve("a.example", patient); });
        CHECK(found == (memory.completed ? std::vector{known} : std::vector<address>()));
        found = co_await leat::resolve("a.example", patient);
        CHECK(found == std::vector{known});
    };
    check_each_allocation("resolve", kernel, looks_up, false);
}
