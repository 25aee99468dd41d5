// SPDX-License-Identifier: MIT
// Which codings a client undoes, and which parts it takes for an answer.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"
#include "compressed.hpp"

#include <string>

using namespace std::chrono_literals;
using leat::http::fetched;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::path_of;

namespace {

answer encoded(std::string_view coding, std::string_view body) {
    return {"HTTP/1.1 200 OK\r\nContent-Encoding: " + std::string(coding) +
            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body)};
}

}  // namespace

LEAT_TEST("a body in a coding that is not known is given as it is, and the client says so") {
    std::string coding;
    http_origin origin([&](const std::string&) { return encoded(coding, "plain"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* each : {"none", "identity", "Identity, none", ""}) {
            coding = each;
            const fetched page = co_await client.get(origin.url("/"));
            CHECK(page.body == "plain");
            CHECK(page.undecoded.empty());
        }
        for (const char* each : {"binary", "utf-8", "compress", "gzip, gzip"}) {
            coding = each;
            const fetched page = co_await client.get(origin.url("/"));
            CHECK(page.body == "plain");
            CHECK(page.undecoded == each);
            auto reply = co_await client.open(origin.url("/"));
            CHECK(reply.undecoded() == each);
            CHECK(reply.size() == 5);
        }
    });
}

LEAT_TEST("a coding that the client was not to undo is left on, and told") {
    const std::string packed = compressed("text", gzip_window);
    http_origin origin([&](const std::string&) { return encoded("gzip", packed); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched undone = co_await client.get(origin.url("/"));
        CHECK(undone.body == "text");
        CHECK(undone.undecoded.empty());
        const fetched asked = co_await client.get(origin.url("/"), {}, {{"Accept-Encoding", "gzip"}});
        CHECK(asked.body == packed);
        CHECK(asked.undecoded == "gzip");
        leat::http::client plain({.environment_proxies = false, .accept_encodings = false});
        const fetched stored = co_await plain.get(origin.url("/"));
        CHECK(stored.body == packed);
        CHECK(stored.undecoded == "gzip");
    });
}

LEAT_TEST("what stands behind compressed content is ignored, and the connection used again") {
    http_origin origin([&](const std::string& head) {
        const std::string packed = compressed("text", gzip_window);
        return encoded("gzip", packed + (path_of(head) == "/crlf" ? "\r\n" : "garbage"));
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* path : {"/crlf", "/garbage"}) {
            const fetched page = co_await client.get(origin.url(path));
            CHECK(page.body == "text");
        }
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("where there is no body there is no coding to undo") {
    std::string status;
    std::string coding;
    http_origin origin([&](const std::string&) -> answer {
        return {"HTTP/1.1 " + status + "\r\nContent-Encoding: " + coding + "\r\n" +
                (status.starts_with("200") ? "Content-Length: 99\r\n\r\n" : "\r\n")};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        for (const char* each : {"gzip", "zstd", "gzip, br"}) {
            coding = each;
            status = "200 OK";
            const fetched head = co_await client.head(origin.url("/"), {.body_bytes = 10});
            CHECK(head.status == 200);
            CHECK(head.undecoded.empty());
            for (const char* empty : {"204 No Content", "304 Not Modified"}) {
                status = empty;
                const fetched page = co_await client.get(origin.url("/"));
                CHECK(page.body.empty());
                CHECK(page.undecoded.empty());
            }
        }
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a limit of a body's length holds for what is in it, however it is encoded") {
    std::string body;
    http_origin origin([&](const std::string&) -> answer { return encoded("gzip", body); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        body = compressed("x", gzip_window);  // longer than what is in it
        const fetched one = co_await client.get(origin.url("/"), {.body_bytes = 1});
        CHECK(one.body == "x");
        const std::string none = co_await error_of(client.get(origin.url("/"), {.body_bytes = 0}));
        CHECK(none == origin.url("/") + ": body larger than 0 bytes");
        body += std::string(100'000, '\0');  // belongs to nothing, but is sent
        const std::string more = co_await error_of(client.get(origin.url("/"), {.body_bytes = 1}));
        CHECK(more == origin.url("/") + ": body larger than 1 bytes");
    });
}

LEAT_TEST("a part of what was asked for whole is an error of that URL") {
    http_origin origin([](const std::string&) -> answer {
        return {
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/100\r\nContent-Length: 4\r\n\r\npart"};
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const std::string what = co_await error_of(client.get(origin.url("/x")));
        CHECK(what == origin.url("/x") + ": the server sent a part (206) where the whole was asked for");
        const fetched part = co_await client.get(origin.url("/x"), {}, {{"Range", "bytes=0-3"}});
        CHECK(part.status == 206);
        CHECK(part.body == "part");
        CHECK(origin.heads.at(0).find("Accept-Encoding") != std::string::npos);
        CHECK(origin.heads.at(1).find("Accept-Encoding") == std::string::npos);
    });
}
