// SPDX-License-Identifier: MIT
// TLS in a simulation: certificates and tickets grow old by its clock, not by the system's.
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include "endpoints.hpp"

namespace leat::tls {
namespace {

using namespace std::chrono_literals;
using testing::run_simulated;

const simulation_options from_now{.wall_start = std::chrono::system_clock::now()};

// What the client says in the end: "" when it is content.
std::string verdict_of(const context& client_side, const context& server_side) {
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    return shake_hands(client, server).done() ? "" : client.tls.error_text();
}

TEST_CASE("a certificate expires by the clock of the simulation") {
    const testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const context server_side =
        server_context(authority.issue({"a.example"}, {.not_before = -1h, .not_after = 48h}));
    run_simulated(
        [&]() -> task<> {
            CHECK(verdict_of(client_side, server_side).empty());
            co_await sleep(47h);
            CHECK(verdict_of(client_side, server_side).empty());
            co_await sleep(2h);
            const std::string expired = verdict_of(client_side, server_side);
            CHECK(expired.find("expired") != expired.npos);
        },
        from_now);
    CHECK(verdict_of(client_side, server_side).empty());  // outside, no time has passed
    run_simulated(
        [&]() -> task<> {
            const std::string early = verdict_of(client_side, server_side);
            CHECK(early.find("not yet valid") != early.npos);
            co_return;
        },
        {.wall_start = std::chrono::system_clock::now() - 24h});
}

TEST_CASE("a certificate is valid now and when a simulation begins, unless other times are asked for") {
    const testing::certificate_authority root;
    const testing::certificate_authority between = root.intermediate("between");
    const context client_side = client_context(root);
    const context server_side = server_context(between.issue({"a.example"}));
    CHECK(verdict_of(client_side, server_side).empty());
    run_simulated([&]() -> task<> {
        CHECK(verdict_of(client_side, server_side).empty());
        co_await sleep(24h);
        CHECK(verdict_of(client_side, server_side).empty());
    });
}

bool resumes(const context& client_side, const context& server_side) {
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    REQUIRE(server.write(client, "hello").done());
    REQUIRE(client.read(server) == "hello");
    return client.tls.resumed();
}

TEST_CASE("a ticket expires by the clock of the simulation") {
    const testing::certificate_authority authority;
    const context client_side = client_context(authority);
    const context server_side = server_context(authority.issue({"a.example"}, {.not_after = 480h}));
    run_simulated(
        [&]() -> task<> {
            CHECK_FALSE(resumes(client_side, server_side));
            co_await sleep(1h);
            CHECK(resumes(client_side, server_side));
            co_await sleep(240h);
            CHECK_FALSE(resumes(client_side, server_side));
            CHECK(resumes(client_side, server_side));
        },
        from_now);
}

}  // namespace
}  // namespace leat::tls
