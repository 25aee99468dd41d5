// SPDX-License-Identifier: MIT
// Handlers that read bodies, and write answers, as clients of HTTP/2 see them.
#include "h2_client.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using leat::http::answered;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
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

leat::task<> write_much(const request& asked, response_writer& writer) {
    bool refused = false;
    try {
        co_await writer.send_interim(101);
    } catch (const std::invalid_argument&) {
        refused = true;
    }
    CHECK(refused);
    co_await writer.send_interim(103, {{"Link", "</style.css>; rel=preload"}});
    co_await writer.write(std::string(asked.target == "/much" ? 100'000 : 10, 'x'));
}

struct sets_at_end {
    explicit sets_at_end(leat::event& told) noexcept : end(told) {}
    sets_at_end(const sets_at_end&) = delete;
    sets_at_end& operator=(const sets_at_end&) = delete;
    ~sets_at_end() { end.set(); }
    leat::event& end;
};

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

LEAT_TEST("an HTTP/2 answer whose client resets it is told of as cut") {
    said.clear();
    leat::http::serve_options options = unattended;
    options.on_answer = [](const answered& done) {
        said.push_back(done.asked.target + " " + std::to_string(done.status) + " " +
                       std::to_string(done.body_bytes) + (done.cut ? " cut" : ""));
    };
    co_await serving(write_much, options, [](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
        h2_peer peer{leat::any_stream(std::move(made))};
        const auto head = peer.ask("/head", "HEAD");
        const bool one = co_await peer.finish(head);
        CHECK(one);
        const auto much = peer.ask("/much");
        const bool begun = co_await peer.talk_until([&] { return peer.of(much).status == 200; });
        CHECK(begun);
        peer.reset(much);
        const auto little = peer.ask("/little");
        const bool all = co_await peer.finish(little);
        CHECK(all);
    });
    std::ranges::sort(said);
    CHECK(said == std::vector<std::string>{"/head 200 0", "/little 200 10", "/much 200 100000 cut"});
}

LEAT_TEST("the handlers of an HTTP/2 connection are cancelled when its client takes no more") {
    leat::event began;
    leat::event ended;
    const auto handler = [&](const request& asked, response_writer& writer) -> leat::task<> {
        if (asked.target == "/much") {
            co_await writer.write(std::string(std::size_t(64) << 20, 'x'));
            co_return;
        }
        began.set();
        const sets_at_end told(ended);
        co_await leat::sleep_until(leat::never);
    };
    co_await serving(handler, unattended, [&](leat::endpoint where) -> leat::task<> {
        leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
        h2_peer peer(leat::any_stream(std::move(made)), 0x7fff'ffff);
        nghttp2_submit_window_update(peer.native(), NGHTTP2_FLAG_NONE, 0, 0x7fff'0000);
        peer.ask("/waits");
        const auto much = peer.ask("/much");
        const bool begun = co_await peer.talk_until([&] { return !peer.of(much).body.empty(); });
        CHECK(begun);
        co_await began.wait();
        peer.stream().reset();
        co_await ended.wait();
    });
}
