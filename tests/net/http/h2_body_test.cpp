// SPDX-License-Identifier: MIT
// Handlers that read the bodies of HTTP/2 requests, as they arrive and as far as they like.
#include "bodies.hpp"
#include "h2_client.hpp"

#include <leat/testing/doctest.hpp>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::h2_peer;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

leat::task<leat::any_stream> dial_reader(leat::endpoint where) {
    leat::tcp_stream made = co_await leat::tcp_stream::connect(where);
    co_return leat::any_stream(std::move(made));
}

leat::task<> write_what_is_read(const request&, request_body_reader& body, response_writer& writer) {
    body.set_limit(UINT64_MAX);
    co_await body.copy_to(writer);
}

}  // namespace

LEAT_TEST("a handler of HTTP/2 gets its request before the body, and each piece when it has come") {
    leat::testing::shown_reading shown;
    const auto reads = [&](const request&, request_body_reader& body) { return shown.read(body); };
    co_await serving(reads, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        const auto until = [&](std::string_view expected) -> leat::task<> {
            co_await peer.flush();
            co_await shown.until(expected);
        };
        const auto asked = peer.begin("/", "");
        co_await until("head ");
        peer.add_body(asked, "one");
        co_await until("head one");
        peer.add_body(asked, "two");
        co_await until("head onetwo");
        peer.end_body(asked);
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        CHECK(peer.of(asked).body == "head onetwo6");
    });
}

LEAT_TEST("the size of a body of HTTP/2 is known if the client has said it, or if there is none") {
    co_await serving(leat::testing::tell_size, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        const auto counted = peer.ask("/", "POST", "abc", {{"content-length", "3"}});
        const auto uncounted = peer.ask("/", "POST", "hi");
        const auto none = peer.ask("/");
        const auto empty = peer.begin("/", "");
        peer.end_body(empty);
        const bool all = co_await peer.finish({counted, uncounted, none, empty});
        CHECK(all);
        CHECK(peer.of(counted).body == "3:abc");
        CHECK(peer.of(uncounted).body == "unknown:hi");
        CHECK(peer.of(none).body == "0:");
        CHECK(peer.of(empty).body == "unknown:");
    });
}

LEAT_TEST("what a handler of HTTP/2 does not read is not received, and holds up no other stream",
          on(leat::testing::simulated)) {
    constexpr std::size_t size = 2'000'000;
    constexpr std::size_t window = 65'535;
    leat::event read_now;
    const auto waits = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        body.set_limit(size);
        if (asked.target == "/waits") {
            co_await read_now.wait();
        }
        response made;
        made.body = std::to_string((co_await body.read_all()).size());
        co_return made;
    };
    co_await serving(waits, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        std::vector<std::int32_t> waiting;
        for (int i = 0; i < 5; ++i) {
            waiting.push_back(peer.ask("/waits", "POST", std::string(size, 'b')));
        }
        const auto reading = peer.ask("/reads", "POST", std::string(size, 'b'));
        const bool read = co_await peer.finish(reading);
        CHECK(read);
        CHECK(peer.of(reading).body == std::to_string(size));
        for (const auto id : waiting) {
            CHECK(peer.unsent(id) == size - window);
        }
        co_await leat::sleep(1h);  // nobody waits for these bodies
        read_now.set();
        const bool all = co_await peer.finish(waiting);
        CHECK(all);
        for (const auto id : waiting) {
            CHECK(peer.of(id).body == std::to_string(size));
        }
    });
}

LEAT_TEST("a body of HTTP/2 goes both ways at once, through windows of any size") {
    co_await serving(write_what_is_read, unattended, [](leat::endpoint where) -> leat::task<> {
        std::string sent;
        for (int i = 0; i < 200'000; ++i) {
            sent += static_cast<char>('a' + i % 23);
        }
        for (const std::uint32_t window : {1000U, 65'535U, 1'000'000U}) {
            h2_peer peer(co_await dial_reader(where), window);
            const auto one = peer.ask("/", "POST", sent);
            const auto two = peer.ask("/", "POST", sent);
            const bool all = co_await peer.finish({one, two});
            CHECK(all);
            CHECK(peer.of(one).body == sent);
            CHECK(peer.of(two).body == sent);
        }
    });
}

LEAT_TEST("100 Continue is sent over HTTP/2 when the handler begins to read, once",
          on(leat::testing::simulated)) {
    leat::event read_now;
    const auto waits = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        response made;
        if (asked.target == "/unread") {
            made.body = "unread";
            co_return made;
        }
        co_await read_now.wait();
        made.body = co_await body.read_all();
        co_return made;
    };
    co_await serving(waits, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        const leat::http::headers expects{{"expect", "100-continue"}};
        const auto unread = peer.begin("/unread", "", expects);
        const auto asked = peer.begin("/", "", expects);
        const bool one = co_await peer.finish(unread);
        CHECK(one);
        CHECK(peer.of(unread).interim.empty());
        CHECK(peer.of(unread).body == "unread");
        CHECK(peer.of(asked).status == 0);
        read_now.set();
        const bool told = co_await peer.talk_until([&] { return peer.of(asked).status == 100; });
        CHECK(told);
        peer.add_body(asked, "so");
        co_await peer.flush();
        co_await leat::sleep(1s);
        peer.add_body(asked, "me");
        peer.end_body(asked);
        const bool all = co_await peer.finish(asked);
        CHECK(all);
        CHECK(peer.of(asked).interim == std::vector{100});
        CHECK(peer.of(asked).body == "some");
    });
}

LEAT_TEST("a body of HTTP/2 that its handler leaves is not received, behind a whole answer") {
    const auto leaves = [](const request& asked, request_body_reader& body) -> leat::task<response> {
        response made;
        if (asked.target == "/some") {
            made.body = (co_await body.read()).substr(0, 4);
        } else {
            made.body = "none";
        }
        made.body.resize(100'000, '.');
        co_return made;
    };
    co_await serving(leaves, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where), 5000);
        const auto some = peer.ask("/some", "POST", "some" + std::string(1'000'000, 'b'));
        const auto none = peer.ask("/none", "POST", std::string(1'000'000, 'b'));
        const bool all = co_await peer.talk_until([&] { return peer.of(some).reset && peer.of(none).reset; });
        CHECK(all);
        for (const auto id : {some, none}) {
            CHECK(peer.of(id).reset == NGHTTP2_NO_ERROR);
            CHECK(peer.of(id).whole);
            CHECK(peer.of(id).body.size() == 100'000);
            CHECK(peer.of(id).body.starts_with(id == some ? "some." : "none."));
            CHECK(peer.unsent(id) > 800'000);
        }
        const auto after = peer.ask("/none");
        const bool answered = co_await peer.finish(after);
        CHECK(answered);
        CHECK(!peer.of(after).reset);
    });
}

LEAT_TEST("a handler of HTTP/2 that has answered reads on") {
    std::size_t read = 0;
    leat::event has_read;
    const auto answers_first = [&](const request& asked, request_body_reader& body,
                                   response_writer& writer) -> leat::task<> {
        writer.head().status = 204;
        co_await writer.write("");
        if (asked.target == "/") {
            read = (co_await body.read_all(1'000'000)).size();
            has_read.set();
        }
    };
    co_await serving(answers_first, unattended, [&](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        const auto asked = peer.begin("/", std::string(400'000, 'b'));
        const bool answered = co_await peer.finish(asked);
        CHECK(answered);
        CHECK(peer.of(asked).status == 204);
        const bool taken = co_await peer.talk_until([&] { return peer.unsent(asked) == 0; });
        CHECK(taken);
        peer.add_body(asked, std::string(100'000, 'c'));
        peer.end_body(asked);
        const bool sent = co_await peer.talk_until([&] { return peer.unsent(asked) == 0; });
        CHECK(sent);
        co_await peer.flush();
        co_await has_read.wait();
        CHECK(read == 500'000);
        const auto after = peer.ask("/after");
        const bool all = co_await peer.finish(after);
        CHECK(all);
        CHECK(!peer.of(asked).reset);
    });
}

LEAT_TEST("a read that is cancelled in any turn loses no byte of a body of HTTP/2") {
    const auto reads = [](const request& asked, request_body_reader& body) -> leat::task<response> {
        const int turns = std::stoi(asked.target.substr(1));
        response made;
        for (;;) {
            const auto [read, waited] =
                co_await leat::race([&]() -> leat::task<std::string_view> { co_return co_await body.read(); },
                                    [&]() -> leat::task<bool> {
                                        for (int turn = 0; turn < turns; ++turn) {
                                            co_await leat::yield();
                                        }
                                        co_return true;
                                    });
            if (read.has_value()) {
                if (read->empty()) {
                    co_return made;
                }
                made.body += *read;
            }
            co_await leat::yield();
        }
    };
    co_await serving(reads, unattended, [](leat::endpoint where) -> leat::task<> {
        h2_peer peer(co_await dial_reader(where));
        std::string sent;
        for (int i = 0; i < 150'000; ++i) {
            sent += static_cast<char>('a' + i % 23);
        }
        for (int turns = 0; turns < 12; ++turns) {
            const auto asked = peer.ask("/" + std::to_string(turns), "POST", sent);
            const bool all = co_await peer.finish(asked);
            CHECK(all);
            CHECK(peer.of(asked).body == sent);
        }
    });
}
