// SPDX-License-Identifier: MIT
// What HTTP/2 makes of the heads of answers.
#include "h2_server.hpp"

#include <leat/testing/doctest.hpp>

#include "../h2_client.hpp"

#include <stdexcept>
#include <string>

using leat::http::response;
using leat::http::detail::h2_stream;
using leat::testing::h2_client;
using leat::testing::h2_server;

namespace {

// Asks, and gives the status of the answer whose head has 65 fields, and `more` bytes in the last of them.
int status_of_head(h2_client& client, h2_server& server, std::size_t more, bool& is_error) {
    const auto asked = client.ask("/");
    server.receive(client.take_out());
    h2_stream* const next = server.session.take_request();
    REQUIRE(next != nullptr);
    response made;
    for (int i = 0; i < 64; ++i) {
        made.headers.add("x" + std::to_string(i + 100), std::string(900, 'v'));
    }
    made.headers.add("y", std::string(more, 'w'));
    is_error = false;
    try {
        server.session.answer(*next, made, server.now);
    } catch (const std::invalid_argument&) {
        is_error = true;
        server.session.fail(*next, 500);
    }
    server.session.handler_ended(*next);
    client.receive(server.take_out());
    return client.of(asked).status;
}

}  // namespace

LEAT_TEST("the head of an HTTP/2 answer leaves, or it is an error of the handler",
          on(leat::testing::simulated)) {
    h2_client client;
    h2_server server;
    bool is_error = false;
    int left = 0;
    constexpr std::size_t fields = 64 * (4 + 900 + 12);
    for (std::size_t more = 64 * 1024 - fields - 200; more < 64 * 1024 - fields; ++more) {
        const int status = status_of_head(client, server, more, is_error);
        CHECK(status == (is_error ? 500 : 200));
        left += is_error ? 0 : 1;
    }
    CHECK(left > 0);
    CHECK(left < 200);
    CHECK(server.session.idle());
    co_return;
}
