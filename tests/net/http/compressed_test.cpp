// SPDX-License-Identifier: MIT
#include <leat/http/compressed.hpp>

#include "coded_page.hpp"

#include <leat/http/core/content_encoder.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using leat::task;
using leat::http::compress_options;
using leat::http::request;
using leat::http::response;
using leat::testing::bytes_of;
using leat::testing::codings_made;
using leat::testing::decoded;
using leat::testing::page;
using leat::testing::page_text;

namespace {

request asking(std::string_view codings) {
    request asked;
    asked.headers.add("Accept-Encoding", codings);
    return asked;
}

// The answer `made` as compress() leaves it.
task<response> compressed_one(response made, std::string_view codings = "gzip", compress_options how = {}) {
    const request asked = asking(codings);
    co_await leat::http::compress(asked, made, how);
    co_return made;
}

task<bool> is_left(response made, std::string_view codings = "gzip", compress_options how = {}) {
    const std::string before = made.body;
    const auto after = co_await compressed_one(std::move(made), codings, how);
    co_return after.body == before && !after.headers.contains("Content-Encoding");
}

response with_field(std::string_view name, std::string_view value) {
    response made = page();
    made.headers.set(name, value);
    return made;
}

response with_status(int status) {
    response made = page();
    made.status = status;
    return made;
}

}  // namespace

LEAT_TEST("an answer is compressed as its client asks for, and says so", on(leat::testing::simulated)) {
    for (const std::string& coding : codings_made) {
        const auto made = co_await compressed_one(page(), coding);
        CHECK(made.headers.get("Content-Encoding") == coding);
        CHECK(made.headers.get("Vary") == "Accept-Encoding");
        CHECK(made.headers.get("ETag") == "W/\"7\"");
        CHECK(!made.headers.contains("Accept-Ranges"));
        CHECK(made.body.size() < page_text.size() / 2);
        CHECK(decoded(coding, made.body) == page_text);
    }
}

LEAT_TEST("what a client wants more counts, and what it does not want is not sent",
          on(leat::testing::simulated)) {
    const auto chosen = [](std::string_view codings) -> task<std::string> {
        const auto made = co_await compressed_one(page(), codings);
        CHECK(made.headers.get("Vary") == "Accept-Encoding");
        co_return std::string(made.headers.get("Content-Encoding").value_or("none"));
    };
    CHECK(co_await chosen("gzip;q=0.5, unknown") == "gzip");
    CHECK(co_await chosen("br;q=0, zstd;q=0, *;q=0.1") == "gzip");
    CHECK(co_await chosen("gzip;q=0, identity") == "none");
    CHECK(co_await chosen("gzip;q=0.5, identity;q=0.6") == "none");
    CHECK(co_await chosen("gzip;q=0.5, identity;q=0.5") == "gzip");
    CHECK(co_await chosen("unknown") == "none");
    CHECK(co_await chosen("") == "none");
    for (const std::string& coding : codings_made) {
        CHECK(co_await chosen(coding + ";q=0, *") != coding);
    }
}

LEAT_TEST("answers that may not be changed, or need not, are left as they are",
          on(leat::testing::simulated)) {
    CHECK(!co_await is_left(page()));
    for (const int status : {204, 205, 206, 304}) {
        CHECK(co_await is_left(with_status(status)));
    }
    CHECK(!co_await is_left(with_status(404)));
    for (const char* name :
         {"Content-Encoding", "Content-Range", "Content-Digest", "Repr-Digest", "Digest"}) {
        const auto left = co_await compressed_one(with_field(name, "x"));
        CHECK(left.body == page_text);
        CHECK(!left.headers.contains("Vary"));
    }
    CHECK(co_await is_left(with_field("Cache-Control", "max-age=5, No-Transform")));
    CHECK(!co_await is_left(with_field("Cache-Control", "no-store")));
    CHECK(co_await is_left(with_field("Content-Type", "image/png")));
    response untyped;
    untyped.body = page_text;
    CHECK(co_await is_left(untyped));
    CHECK(co_await is_left(leat::http::text_answer(std::string(1023, 'a'))));
    CHECK(!co_await is_left(leat::http::text_answer(std::string(1024, 'a'))));
    CHECK(!co_await is_left(leat::http::text_answer(std::string(100, 'a')), "gzip", {.least_bytes = 100}));
    const auto never_typed = [](std::string_view) { return false; };
    CHECK(co_await is_left(page(), "gzip", {.types = never_typed}));
}

LEAT_TEST("what becomes no shorter is sent as it is", on(leat::testing::simulated)) {
    std::string noise(40'000, '\0');
    for (char& each : noise) {
        each = static_cast<char>(leat::current_scheduler().io().random());
    }
    for (const std::string& coding : codings_made) {
        const auto made = co_await compressed_one(leat::http::text_answer(noise), coding);
        CHECK(made.body == noise);
        CHECK(!made.headers.contains("Content-Encoding"));
        CHECK(made.headers.get("Vary") == "Accept-Encoding");
    }
}

LEAT_TEST("Vary keeps what it has", on(leat::testing::simulated)) {
    const auto any = co_await compressed_one(with_field("Vary", "*"));
    CHECK(any.headers.get_all("Vary").size() == 1);
    const auto same = co_await compressed_one(with_field("Vary", "Cookie, accept-encoding"));
    CHECK(same.headers.get_all("Vary").size() == 1);
    const auto other = co_await compressed_one(with_field("Vary", "Cookie"));
    CHECK(other.headers.get_all("Vary").size() == 2);
}

LEAT_TEST("an answer that is not modified has the tag that its client named", on(leat::testing::simulated)) {
    const auto tag_for = [](std::string_view named) -> task<std::string> {
        request asked = asking("gzip");
        asked.headers.add("If-None-Match", named);
        response made;
        made.status = 304;
        made.headers.add("ETag", "\"7\"");
        co_await leat::http::compress(asked, made);
        CHECK(made.headers.get("Vary") == "Accept-Encoding");
        co_return std::string(*made.headers.get("ETag"));
    };
    CHECK(co_await tag_for("\"6\", W/\"7\"") == "W/\"7\"");
    CHECK(co_await tag_for("\"7\"") == "\"7\"");
    CHECK(co_await tag_for("*") == "\"7\"");
}

LEAT_TEST("no more answers are compressed at once than the limit says", on(leat::testing::simulated)) {
    const auto held = leat::http::detail::make_gzip_encoder(1);
    CHECK(leat::http::detail::content_encoder::alive() == 1);
    CHECK(co_await is_left(page(), "gzip", {.at_once = 1}));
    CHECK(!co_await is_left(page(), "gzip", {.at_once = 2}));
}

LEAT_TEST("other tasks go on while a long answer is compressed", on(leat::testing::simulated)) {
    int turns = 0;
    auto others = leat::spawn([&]() -> task<> {
        for (;;) {
            co_await leat::yield();
            ++turns;
        }
    });
    const auto made = co_await compressed_one(leat::http::text_answer(bytes_of(1'000'000)));
    CHECK(made.headers.contains("Content-Encoding"));
    CHECK(turns >= 60);
    others.cancel();
    co_await others.join();
}

TEST_CASE("text and what is like it is compressible") {
    for (const char* type : {"text/html", "TEXT/Plain; charset=utf-8", "application/json", "image/svg+xml",
                             "application/ld+json", "application/wasm", "application/javascript;x=1"}) {
        CHECK_MESSAGE(leat::http::is_compressible(type), type);
    }
    for (const char* type : {"", "image/png", "video/mp4", "application/zip", "application/octet-stream",
                             "font/woff2", "textual/x", "+xml", "application/jsonish"}) {
        CHECK_MESSAGE(!leat::http::is_compressible(type), type);
    }
}
