// SPDX-License-Identifier: MIT
// What handlers leave of the bodies of their requests: it is dropped, or the connection is closed, and it is
// never taken for a request.
#include "bodies.hpp"

#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <vector>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::request_body_reader;
using leat::http::response;
using leat::http::response_writer;
using leat::testing::answers_to;
using leat::testing::chunked;
using leat::testing::counted;
using leat::testing::get;
using leat::testing::ok;
using leat::testing::post;
using leat::testing::read_some;
using leat::testing::rest_of;
using leat::testing::serving;
using leat::testing::unattended;
using leat::testing::without_dates;

LEAT_TEST("who answers without reading sends no 100 Continue, and closes: the body may come or not") {
    const std::string expecting = post("/none", "Content-Length: 26\r\nExpect: 100-continue\r\n");
    co_await serving(read_some, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(expecting);
        const std::string all = without_dates(co_await rest_of(peer));
        CHECK(all == "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n/none ");
        const std::string nothing = co_await answers_to(where, get("/all") + expecting + get("/all"));
        CHECK(nothing.find("100 Continue") == nothing.npos);
    });
    const auto early = [](const request&, request_body_reader& body, response_writer& to) -> leat::task<> {
        co_await to.write("early ");
        const std::string all = co_await body.read_all();
        co_await to.write(all);
    };
    co_await serving(early, unattended, [&](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(expecting);
        std::string begin(13, ' ');
        co_await peer.recv_exactly(begin);
        CHECK(begin == "HTTP/1.1 200 ");  // and 100 would come too late now
        co_await peer.send_all("abcdefghijklmnopqrstuvwxyz");
        const std::string all = co_await rest_of(peer);
        CHECK(all.find("Connection: close\r\n") != all.npos);
        CHECK(all.ends_with("\r\n\r\n6\r\nearly \r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"));
    });
}

LEAT_TEST("a short rest of a body is dropped, and the next request is answered") {
    co_await serving(read_some, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all =
            co_await answers_to(where, counted("/none", std::string(60'000, 'r')) + counted("/all", "abc") +
                                           chunked("/none", "3\r\nabc\r\n0\r\nX: y\r\n\r\n") + get("/all"));
        CHECK(all == ok("/none ") + ok("/all abc") + ok("/none ") + ok("/all "));
    });
}

LEAT_TEST("behind a long rest the connection is closed, and the answer arrives while the client sends") {
    const std::string closing = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n/none ";
    co_await serving(read_some, unattended, [&](leat::endpoint where) -> leat::task<> {
        const std::string all =
            co_await answers_to(where, counted("/none", std::string(3'000'000, 'r')) + get("/all"));
        CHECK(all == closing);
        // How long it is shows too late to say it.
        std::string chunks;
        for (int i = 0; i < 3000; ++i) {
            chunks += "3e8\r\n" + std::string(1000, 'c') + "\r\n";
        }
        const std::string more =
            co_await answers_to(where, chunked("/none", chunks + "0\r\n\r\n") + get("/all"));
        CHECK(more == ok("/none "));
    });
}

LEAT_TEST("the body that a handler leaves is no request, however it comes", on(simulated)) {
    const std::string evil = get("/evil");
    std::vector<std::string> targets;
    const auto notes = [&](const request& asked, request_body_reader& body) -> leat::task<response> {
        targets.push_back(asked.target);
        co_return co_await read_some(asked, body);
    };
    co_await serving(notes, unattended, [&](leat::endpoint where) -> leat::task<> {
        REQUIRE(evil.size() == 0x1f);
        for (const std::string target : {"/none", "/piece", "/all"}) {
            for (const std::string& sent :
                 {counted(target, evil + evil) + get("/last"),
                  chunked(target, "1f\r\n" + evil + "\r\n1f\r\n" + evil + "\r\n0\r\n\r\n") + get("/last")}) {
                for (std::size_t cut = 0; cut < sent.size(); cut += 7) {
                    targets.clear();
                    auto peer = co_await leat::tcp_stream::connect(where);
                    co_await peer.send_all(sent.substr(0, cut));
                    co_await leat::sleep(1s);
                    co_await peer.send_all(sent.substr(cut));
                    peer.shutdown_send();
                    const std::string all = co_await rest_of(peer);
                    CHECK(targets == std::vector<std::string>{target, "/last"});
                    CHECK(all.ends_with("\r\n\r\n/last "));
                }
            }
        }
        // Nor when it breaks the rules, or is longer than what is dropped: then all ends.
        for (const std::string& sent :
             {chunked("/none", "1f\r\n" + evil + evil), counted("/none", std::string(70'000, 'r') + evil),
              chunked("/none", "11170\r\n" + std::string(70'000, 'r') + "\r\n0\r\n\r\n" + evil)}) {
            targets.clear();
            const std::string all = co_await answers_to(where, sent + evil);
            CHECK(targets == std::vector<std::string>{"/none"});
            CHECK(all.ends_with("\r\n\r\n/none "));
        }
    });
}

LEAT_TEST("a connection is upgraded behind the body of its request only") {
    const auto upgrades = [](const request& asked, request_body_reader& body) -> leat::task<response> {
        if (asked.target == "/all") {
            (void)co_await body.read_all();
        }
        response made;
        made.status = 101;
        made.upgraded = [](leat::any_stream& stream) -> leat::task<> { co_await stream.send_all("hi"); };
        co_return made;
    };
    leat::http::serve_options quiet = unattended;
    quiet.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {};
    co_await serving(upgrades, quiet, [](leat::endpoint where) -> leat::task<> {
        const std::string unread = co_await answers_to(where, counted("/none", "body"));
        CHECK(unread == leat::testing::failed);
        const std::string read = co_await answers_to(where, counted("/all", "body"));
        CHECK(read == "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\nhi");
    });
}

LEAT_TEST("requests whose handlers read, and do not wait, are answered by one send", on(simulated)) {
    auto [near, far] = leat::testing::memory_stream::pair();
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(leat::http::serve(leat::testing::single_listener(std::move(far)), read_some, unattended));
        std::string asked;
        std::string expected;
        for (int i = 0; i < 16; ++i) {
            asked += counted("/all", std::to_string(i)) + counted("/none", "rest");
            expected += ok("/all " + std::to_string(i)) + ok("/none ");
        }
        co_await near.send_all(asked);
        const leat::chunk first = co_await near.recv_chunk();
        CHECK(without_dates(std::string(first.text())) == expected);
        group.cancel();
    });
}
