// SPDX-License-Identifier: MIT
// Handlers that read bodies, and write answers, as clients of HTTP/2 see them.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <string>

using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::testing::h2_peer;
using leat::testing::said;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<response> read_ten(const request&, request_body_reader& body) {
    response made;
    made.body = co_await body.read_all(10);
    co_return made;
}

leat::http::serve_options counting_errors() {
    said.clear();
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) { said.emplace_back("error"); };
    return options;
}

}  // namespace

LEAT_TEST("a body of HTTP/2 that is too long for its handler is answered with 413, and not reported") {
    co_await serving(read_ten, counting_errors(), [](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
        h2_peer peer{leat::any_stream(std::move(made))};
        const auto fits = peer.ask("/", "POST", "ten bytes!");
        const auto longer = peer.ask("/", "POST", "eleven byte");
        const bool all = co_await peer.finish({fits, longer});
        CHECK(all);
        CHECK(peer.of(fits).body == "ten bytes!");
        CHECK(peer.of(longer).status == 413);
        CHECK(said.empty());
    });
}
