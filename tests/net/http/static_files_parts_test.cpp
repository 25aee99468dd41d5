// SPDX-License-Identifier: MIT
// Conditional requests for files, and for parts of them.
#include "static_site.hpp"

#include <leat/testing/doctest.hpp>

#include <chrono>
#include <string>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>

using leat::endpoint;
using leat::task;
using leat::testing::any_folder;
using leat::testing::ask;
using leat::testing::body_of;
using leat::testing::bytes_of;
using leat::testing::field_in;
using leat::testing::status_in;
using leat::testing::with_site;

LEAT_TEST("who has a file already gets no body, and who has another state is told") {
    co_await with_site(
        {.cache_control = "max-age=60"}, [](endpoint where, const any_folder& files) -> task<> {
            const std::string page = co_await ask(where, "/page.txt");
            const std::string tag = field_in(page, "ETag");
            for (const std::string& fields :
                 {std::string("If-None-Match: ") + tag + "\r\n", "If-None-Match: \"x\", W/" + tag + "\r\n",
                  "If-Modified-Since: " + field_in(page, "Last-Modified") + "\r\n"}) {
                const std::string same = co_await ask(where, "/page.txt", fields);
                CHECK(status_in(same) == 304);
                CHECK(body_of(same).empty());
                CHECK(field_in(same, "ETag") == tag);
                CHECK(field_in(same, "Cache-Control") == "max-age=60");
                CHECK(field_in(same, "Content-Type") == "none");
            }
            const std::string failed = co_await ask(where, "/page.txt", "If-Match: \"x\"\r\n");
            CHECK(status_in(failed) == 412);
            co_await leat::write_file(files.path("root/page.txt"), "0123456789x");
            const std::string changed = co_await ask(where, "/page.txt", "If-None-Match: " + tag + "\r\n");
            CHECK(status_in(changed) == 200);
            CHECK(body_of(changed) == "0123456789x");
        });
}

LEAT_TEST("files whose time says nothing are told apart", on(leat::testing::kernel)) {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        co_await leat::write_file(files.path("root/new.txt"), "abcdefghij");
        const timespec first[] = {{1, 0}, {1, 0}};
        for (const char* name : {"root/page.txt", "root/new.txt"}) {
            REQUIRE(::utimensat(AT_FDCWD, files.path(name).c_str(), first, 0) == 0);
        }
        const std::string page = co_await ask(where, "/page.txt");
        CHECK(field_in(page, "Last-Modified") == "none");
        co_await leat::rename_file(files.path("root/new.txt"), files.path("root/page.txt"));
        const std::string tag = field_in(page, "ETag");
        const std::string other = co_await ask(where, "/page.txt", "If-None-Match: " + tag + "\r\n");
        CHECK(body_of(other) == "abcdefghij");
        const std::string same =
            co_await ask(where, "/page.txt", "If-None-Match: " + field_in(other, "ETag") + "\r\n");
        CHECK(status_in(same) == 304);
        const std::string dated =
            co_await ask(where, "/page.txt", "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
        CHECK(status_in(dated) == 200);
    });
}

LEAT_TEST("no file was changed later than it is given", on(leat::testing::kernel)) {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const timespec late[] = {{4'102'444'800, 0}, {4'102'444'800, 0}};  // in the year 2100
        REQUIRE(::utimensat(AT_FDCWD, files.path("root/page.txt").c_str(), late, 0) == 0);
        const std::string page = co_await ask(where, "/page.txt");
        const auto changed = leat::http::parse_http_date(field_in(page, "Last-Modified"));
        REQUIRE(changed.has_value());
        CHECK(*changed <= std::chrono::system_clock::now());
    });
}

LEAT_TEST("a part of a file is given, or says how long the file is") {
    co_await with_site({}, [](endpoint where, const any_folder&) -> task<> {
        for (const auto& [range, expected, place] : {std::tuple{"0-0", "0", "bytes 0-0/10"},
                                                     {"2-4", "234", "bytes 2-4/10"},
                                                     {"7-", "789", "bytes 7-9/10"},
                                                     {"-2", "89", "bytes 8-9/10"},
                                                     {"0-99", "0123456789", "bytes 0-9/10"}}) {
            const std::string part =
                co_await ask(where, "/page.txt", "Range: bytes=" + std::string(range) + "\r\n");
            CHECK(status_in(part) == 206);
            CHECK(body_of(part) == expected);
            CHECK(field_in(part, "Content-Range") == place);
            CHECK(field_in(part, "Content-Length") == std::to_string(std::string_view(expected).size()));
            CHECK(field_in(part, "Content-Type") == "text/plain; charset=utf-8");
        }
        const std::string none = co_await ask(where, "/page.txt", "Range: bytes=10-\r\n");
        CHECK(status_in(none) == 416);
        CHECK(field_in(none, "Content-Range") == "bytes */10");
        const std::string many = co_await ask(where, "/page.txt", "Range: bytes=0-,0-,0-,0-\r\n");
        CHECK(status_in(many) == 416);
        const std::string odd = co_await ask(where, "/page.txt", "Range: bytes=9-1\r\n");
        CHECK(status_in(odd) == 200);
        const std::string tag = field_in(odd, "ETag");
        const std::string same =
            co_await ask(where, "/page.txt", "Range: bytes=1-1\r\nIf-Range: " + tag + "\r\n");
        CHECK(body_of(same) == "1");
        const std::string other = co_await ask(where, "/page.txt", "Range: bytes=1-1\r\nIf-Range: \"x\"\r\n");
        CHECK(status_in(other) == 200);
        CHECK(body_of(other) == "0123456789");
    });
}

LEAT_TEST("several parts of a file come with a boundary between them") {
    co_await with_site({}, [](endpoint where, const any_folder&) -> task<> {
        const std::string parts = co_await ask(where, "/page.txt", "Range: bytes=8-,0-1,20-\r\n");
        CHECK(status_in(parts) == 206);
        const std::string type = field_in(parts, "Content-Type");
        REQUIRE(type.starts_with("multipart/byteranges; boundary="));
        const std::string line = "--" + type.substr(type.find('=') + 1);
        CHECK(line.size() == 34);
        CHECK(body_of(parts) ==
              line +
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n" +
                  line +
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n" +
                  line + "--\r\n");
        CHECK(field_in(parts, "Content-Length") == std::to_string(body_of(parts).size()));
        CHECK(field_in(parts, "Content-Range") == "none");
    });
}

LEAT_TEST("a large file is given whole, and so are its parts") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string bytes = bytes_of(1'000'001);
        co_await leat::write_file(files.path("root/large"), bytes);
        const std::string whole = co_await ask(where, "/large");
        CHECK(field_in(whole, "Content-Length") == "1000001");
        CHECK(field_in(whole, "Content-Type") == "application/octet-stream");
        CHECK((body_of(whole) == bytes));
        const std::string part = co_await ask(where, "/large", "Range: bytes=100-900000\r\n");
        CHECK((body_of(part) == bytes.substr(100, 899'901)));
        const std::string parts = co_await ask(where, "/large", "Range: bytes=5-200004,600000-\r\n");
        const std::string body = body_of(parts);
        CHECK(field_in(parts, "Content-Length") == std::to_string(body.size()));
        CHECK((body.find("\r\n\r\n" + bytes.substr(5, 200'000) + "\r\n--") != body.npos));
        CHECK((body.find("\r\n\r\n" + bytes.substr(600'000) + "\r\n--") != body.npos));
        co_await leat::write_file(files.path("root/empty.css"), "");
        const std::string empty = co_await ask(where, "/empty.css", "Range: bytes=0-\r\n");
        CHECK(status_in(empty) == 200);
        CHECK(field_in(empty, "Content-Length") == "0");
    });
}
