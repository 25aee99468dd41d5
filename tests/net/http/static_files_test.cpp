// SPDX-License-Identifier: MIT
#include "static_site.hpp"

#include <leat/testing/doctest.hpp>

#include <filesystem>
#include <string>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using leat::endpoint;
using leat::task;
using leat::http::static_files;
using leat::http::static_options;
using leat::testing::any_folder;
using leat::testing::ask;
using leat::testing::body_of;
using leat::testing::bytes_of;
using leat::testing::field_in;
using leat::testing::serving;
using leat::testing::status_in;
using leat::testing::unattended;
using leat::testing::with_site;

LEAT_TEST("a file is given with its type, its length and what tells its state") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string page = co_await ask(where, "/page.txt?x=../y");
        CHECK(status_in(page) == 200);
        CHECK(body_of(page) == "0123456789");
        CHECK(field_in(page, "Content-Type") == "text/plain; charset=utf-8");
        CHECK(field_in(page, "Content-Length") == "10");
        CHECK(field_in(page, "Accept-Ranges") == "bytes");
        CHECK(field_in(page, "Cache-Control") == "none");
        CHECK(field_in(page, "Vary") == "none");
        const auto about = co_await leat::file_info_of(files.path("root/page.txt"));
        CHECK(field_in(page, "Last-Modified") == leat::http::http_date(about.modified));
        CHECK(leat::http::is_entity_tag(field_in(page, "ETag")));
        const std::string encoded = co_await ask(where, "/%61%20b.txt");
        CHECK(body_of(encoded) == "blank");
        const std::string whole_url = co_await ask(where, "http://a/page.txt");
        CHECK(body_of(whole_url) == "0123456789");
    });
}

LEAT_TEST("HEAD tells the same without the body, and other methods are refused") {
    co_await with_site({}, [](endpoint where, const any_folder&) -> task<> {
        const std::string page = co_await ask(where, "/page.txt");
        const std::string head = co_await ask(where, "/page.txt", "Range: bytes=0-1\r\n", "HEAD");
        CHECK(head == page.substr(0, page.size() - 10));
        const std::string posted = co_await ask(where, "/page.txt", "Content-Length: 0\r\n", "POST");
        CHECK(status_in(posted) == 405);
        CHECK(field_in(posted, "Allow") == "GET, HEAD");
    });
}

LEAT_TEST("a folder is answered by its index, behind a slash") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string root = co_await ask(where, "/");
        CHECK(body_of(root) == "<p>index");
        CHECK(field_in(root, "Content-Type") == "text/html; charset=utf-8");
        const std::string below = co_await ask(where, "/below/");
        CHECK(body_of(below) == "<p>below");
        const std::string moved = co_await ask(where, "/below?x=1");
        CHECK(status_in(moved) == 301);
        CHECK(field_in(moved, "Location") == "./below/?x=1");
        const std::string no_folder = co_await ask(where, "/page.txt/");
        CHECK(status_in(no_folder) == 404);
        co_await leat::make_folder(files.path("root/odd"));
        co_await leat::make_folder(files.path("root/odd/index.html"));
        const std::string odd = co_await ask(where, "/odd/");
        CHECK(status_in(odd) == 404);
    });
}

LEAT_TEST("without an index a folder is not found") {
    co_await with_site({.index = ""}, [](endpoint where, const any_folder&) -> task<> {
        for (const char* path : {"/", "/below/", "/below"}) {
            const std::string refused = co_await ask(where, path);
            CHECK(status_in(refused) == 404);
        }
    });
}

LEAT_TEST("no path leads out of the folder, whatever its encoding") {
    co_await with_site({}, [](endpoint where, const any_folder&) -> task<> {
        for (const char* path : {"/../secret",
                                 "/%2e%2e/secret",
                                 "/..%2fsecret",
                                 "/%2e%2e%2fsecret",
                                 "/below/../../secret",
                                 "/below/%2E%2E/%2E%2E/secret",
                                 "/..\\secret",
                                 "/..%5csecret",
                                 "//secret",
                                 "/./page.txt",
                                 "/%2e/page.txt",
                                 "/page.txt%00",
                                 "/page.txt%00.html",
                                 "/%00",
                                 "/below%2findex.html",
                                 "//etc/passwd",
                                 "/%2fetc%2fpasswd",
                                 "/below//index.html",
                                 "/%",
                                 "/%2",
                                 "/%zz",
                                 "/page%2",
                                 "/%252e%252e/secret",
                                 "/%c0%ae%c0%ae/secret",
                                 "/..;/secret",
                                 "/.hidden",
                                 "/%2ehidden",
                                 "/.well-known/../page.txt",
                                 "http://a/../secret"}) {
            const std::string refused = co_await ask(where, path);
            CHECK_MESSAGE(status_in(refused) == 404, path);
            CHECK_MESSAGE(body_of(refused) == "Not Found\n", path);
        }
        const std::string long_name = co_await ask(where, "/" + std::string(300, 'x'));
        CHECK(status_in(long_name) == 404);
        const std::string known = co_await ask(where, "/.well-known/x.json");
        CHECK(body_of(known) == "{}");
    });
}

LEAT_TEST("links out of the folder, FIFOs and what may not be read are not given",
          on(leat::testing::kernel)) {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        std::filesystem::create_symlink("../secret", files.path("root/out"));
        std::filesystem::create_symlink(files.path(), files.path("root/up"));
        std::filesystem::create_symlink("page.txt", files.path("root/inside"));
        REQUIRE(::mkfifo(files.path("root/fifo").c_str(), 0600) == 0);
        for (const char* path : {"/out", "/up/secret", "/up/", "/fifo"}) {
            const std::string refused = co_await ask(where, path);
            CHECK_MESSAGE(status_in(refused) == 404, path);
        }
        const std::string inside = co_await ask(where, "/inside");
        CHECK(body_of(inside) == "0123456789");
        if (::geteuid() != 0) {
            std::filesystem::permissions(files.path("root/page.txt"), std::filesystem::perms::none);
            const std::string denied = co_await ask(where, "/page.txt");
            CHECK(status_in(denied) == 403);
        }
    });
}

LEAT_TEST("a compressed form is sent to who takes it") {
    co_await with_site({.precompressed = true}, [](endpoint where, const any_folder& files) -> task<> {
        co_await leat::write_file(files.path("root/page.txt.gz"), "gzipped");
        co_await leat::write_file(files.path("root/page.txt.br"), "brotli form");
        co_await leat::make_folder(files.path("root/page.txt.zst"));
        const std::string plain = co_await ask(where, "/page.txt");
        CHECK(body_of(plain) == "0123456789");
        CHECK(field_in(plain, "Content-Encoding") == "none");
        CHECK(field_in(plain, "Vary") == "Accept-Encoding");
        for (const auto& [accepted, coding, body] : {std::tuple{"gzip, deflate, br", "br", "brotli form"},
                                                     {"gzip", "gzip", "gzipped"},
                                                     {"br;q=0.1, gzip;q=0.5, zstd", "gzip", "gzipped"},
                                                     {"br;q=0, gzip;q=0", "none", "0123456789"},
                                                     {"*", "br", "brotli form"},
                                                     {"deflate", "none", "0123456789"}}) {
            const std::string page =
                co_await ask(where, "/page.txt", "Accept-Encoding: " + std::string(accepted) + "\r\n");
            CHECK_MESSAGE(field_in(page, "Content-Encoding") == coding, accepted);
            CHECK_MESSAGE(body_of(page) == body, accepted);
            CHECK(field_in(page, "Content-Type") == "text/plain; charset=utf-8");
            CHECK(field_in(page, "Vary") == "Accept-Encoding");
        }
        const std::string packed =
            co_await ask(where, "/page.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n");
        CHECK(body_of(packed) == "gz");
        CHECK(field_in(packed, "ETag") != field_in(plain, "ETag"));
        const std::string missing = co_await ask(where, "/none.txt", "Accept-Encoding: gzip\r\n");
        CHECK(status_in(missing) == 404);
    });
}

LEAT_TEST("forms of one file have tags of their own, also those of one size and time",
          on(leat::testing::kernel)) {
    co_await with_site({.precompressed = true}, [](endpoint where, const any_folder& files) -> task<> {
        co_await leat::write_file(files.path("root/page.txt.gz"), "of gzip: x");
        co_await leat::write_file(files.path("root/page.txt.br"), "of brotli:");
        const timespec built[] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
        for (const char* name : {"root/page.txt", "root/page.txt.gz", "root/page.txt.br"}) {
            REQUIRE(::utimensat(AT_FDCWD, files.path(name).c_str(), built, 0) == 0);
        }
        const std::string plain = co_await ask(where, "/page.txt");
        const std::string gzip = co_await ask(where, "/page.txt", "Accept-Encoding: gzip\r\n");
        const std::string brotli = co_await ask(where, "/page.txt", "Accept-Encoding: br\r\n");
        CHECK(field_in(gzip, "ETag") != field_in(plain, "ETag"));
        CHECK(field_in(brotli, "ETag") != field_in(gzip, "ETag"));
        CHECK(leat::http::is_entity_tag(field_in(brotli, "ETag")));
        const std::string resumed = co_await ask(
            where, "/page.txt",
            "Accept-Encoding: br\r\nRange: bytes=5-\r\nIf-Range: " + field_in(gzip, "ETag") + "\r\n");
        CHECK(status_in(resumed) == 200);
    });
}

LEAT_TEST("names with a dot and other types are given when asked for") {
    const static_options options{
        .dot_files = true, .media_type = [](std::string_view) -> std::string_view { return "text/x-all"; }};
    co_await with_site(options, [](endpoint where, const any_folder&) -> task<> {
        const std::string hidden = co_await ask(where, "/.hidden");
        CHECK(body_of(hidden) == "hidden");
        CHECK(field_in(hidden, "Content-Type") == "text/x-all");
        const std::string up = co_await ask(where, "/../secret");
        CHECK(status_in(up) == 404);
    });
}

LEAT_TEST("a file that shrinks while it is sent cuts the connection") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        constexpr std::uint64_t size = 64 << 20;
        auto large = co_await leat::file::open(files.path("root/large"), {.write = true, .create = true});
        co_await large.truncate(size);
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all(leat::testing::get("/large"));
        std::string first(1000, '\0');
        co_await peer.recv_exactly(first);
        CHECK(field_in(first, "Content-Length") == std::to_string(size));
        co_await large.truncate(10);
        std::uint64_t got = first.size();
        for (;;) {
            const auto more = co_await leat::as_result(peer.recv_chunk());
            if (!more.ok() || more->empty()) {
                break;
            }
            got += more->size();
        }
        CHECK(got < size);
    });
}

LEAT_TEST("a folder that is not there is an error when the server begins") {
    any_folder files;
    co_await files.make();
    const auto missing = co_await leat::as_result(static_files::open(files.path("none")));
    CHECK(missing.error_text() == "open " + files.path("none") + ": No such file or directory");
}

LEAT_TEST("a server that is cancelled at any moment leaves no file open", on(leat::testing::simulated)) {
    co_await leat::make_folder("/tmp/root");
    co_await leat::write_file("/tmp/root/large", bytes_of(300'000));
    bool whole = false;
    for (int turns = 0; !whole && turns < 1000; ++turns) {
        std::string got;
        const static_files site = co_await static_files::open("/tmp/root", {.precompressed = true});
        co_await serving(site, unattended, [&](endpoint where) -> task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all(
                "GET /large HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n"
                "Range: bytes=0-99999,100000-\r\n\r\n");
            leat::testing::nursery tasks;
            auto reading = tasks.spawn([&]() -> task<> {
                for (;;) {
                    const auto more = co_await peer.recv_chunk();
                    got += more.text();
                }
            });
            for (int i = 0; i < turns; ++i) {
                co_await leat::sleep(std::chrono::microseconds(20));
            }
            reading.cancel();
        });
        whole = got.ends_with("--\r\n");
    }
    CHECK(whole);
}
