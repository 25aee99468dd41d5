// SPDX-License-Identifier: MIT
// Requests of the client over HTTP/2, cancelled in each turn: the others get their answers, and no seat and
// no slot is lost.
#include "serving.hpp"

#include <leat/http.hpp>
#include <leat/testing/doctest.hpp>

#include <set>

using leat::http::fetched;
using leat::http::request;
using leat::http::request_body;
using leat::http::response;
using leat::testing::unattended;

namespace {

// One connection, and one request at a time: what is lost is missed at once.
constexpr leat::http::client_options narrow{.environment_proxies = false,
                                            .versions = leat::http::http_versions::prior_knowledge,
                                            .connections_per_host = 1};

leat::task<response> echo(const request& asked) {
    response made;
    made.body = asked.target == "/big" ? std::string(300'000, 'b') : asked.body;
    co_await leat::yield();
    co_return made;
}

leat::task<> wait_turns(int turns) {
    for (int turn = 0; turn < turns; ++turn) {
        co_await leat::yield();
    }
}

leat::async_generator<std::string> pieces() {
    for (int count = 0; count < 4; ++count) {
        co_await leat::yield();
        co_yield std::string(30'000, 'p');
    }
}

leat::task<fetched> ask(leat::http::client& client, const std::string& origin, int which) {
    switch (which) {
        case 0:
            return client.get(origin + "/big");
        case 1:
            return client.post(origin + "/", std::string(200'000, 'm'));
        default:
            return client.put(origin + "/", request_body::made_by(pieces));
    }
}

}  // namespace

LEAT_TEST("a request over HTTP/2 that is cancelled in any turn takes nothing from the others") {
    leat::http::serve_options options = unattended;
    options.limits.streams = 2;
    co_await leat::testing::serving(echo, options, [](leat::endpoint where) -> leat::task<> {
        const std::string origin = "http://" + where.to_string();
        for (int which = 0; which < 3; ++which) {
            for (int turns = 0; turns < 25; ++turns) {
                leat::http::client client(narrow);
                auto before = leat::spawn(ask(client, origin, 1));
                auto victim = leat::spawn(ask(client, origin, which));
                auto behind = leat::spawn(ask(client, origin, 2));
                co_await wait_turns(turns);
                victim.cancel();
                co_await victim.join();
                const fetched first = co_await before;
                CHECK(first.body.size() == 200'000);
                const fetched second = co_await behind;
                CHECK(second.body.size() == 120'000);
                const fetched last = co_await client.get(origin + "/big");
                CHECK(last.body.size() == 300'000);
                CHECK(client.idle_connections() == 1);
            }
        }
    });
}

LEAT_TEST("a first request that is cancelled in any turn leaves the place to the next one") {
    co_await leat::testing::serving(echo, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string origin = "http://" + where.to_string();
        for (int turns = 0; turns < 15; ++turns) {
            leat::http::client client(narrow);
            auto victim = leat::spawn(ask(client, origin, 0));
            auto other = leat::spawn(ask(client, origin, 1));
            co_await wait_turns(turns);
            victim.cancel();
            co_await victim.join();
            const fetched page = co_await other;
            CHECK(page.body.size() == 200'000);
            CHECK(client.idle_connections() == 1);
        }
    });
}
