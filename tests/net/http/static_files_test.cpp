// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <filesystem>
#include <string>

#include <sys/stat.h>

using leat::endpoint;
using leat::task;
using leat::http::static_files;
using leat::http::static_options;
using leat::testing::answers_to;
using leat::testing::any_folder;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

std::string bytes_of(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>('a' + i * 7 / 3 % 26);
    }
    return bytes;
}

std::string field(std::string_view all, std::string_view name) {
    all = all.substr(0, all.find("\r\n\r\n") + 2);
    const std::size_t at = all.find("\r\n" + std::string(name) + ": ");
    if (at == all.npos) {
        return "none";
    }
    const std::string_view rest = all.substr(at + name.size() + 4);
    return std::string(rest.substr(0, rest.find("\r\n")));
}

std::string body_of(std::string_view all) {
    return std::string(all.substr(all.find("\r\n\r\n") + 4));
}

int status_in(std::string_view all) {
    return std::stoi(std::string(all.substr(9, 3)));
}

// The answer to a request with further fields, each with its line end.
task<std::string> ask(endpoint where, std::string target, std::string fields = {},
                      std::string method = "GET") {
    return answers_to(
        where, method + " " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
}

using site_test = std::function<task<>(endpoint where, const any_folder& files)>;

// Serves the folder "root" of a new one, beside which there is a file "secret".
task<> with_site(static_options options, site_test body) {
    any_folder files;
    co_await files.make();
    co_await leat::write_file(files.path("secret"), "secret");
    co_await leat::make_folder(files.path("root"));
    co_await leat::write_file(files.path("root/index.html"), "<p>index");
    co_await leat::write_file(files.path("root/page.txt"), "0123456789");
    co_await leat::write_file(files.path("root/a b.txt"), "blank");
    co_await leat::write_file(files.path("root/.hidden"), "hidden");
    co_await leat::make_folder(files.path("root/below"));
    co_await leat::write_file(files.path("root/below/index.html"), "<p>below");
    co_await leat::make_folder(files.path("root/.well-known"));
    co_await leat::write_file(files.path("root/.well-known/x.json"), "{}");
    const static_files site = co_await static_files::open(files.path("root"), options);
    co_await serving(site, unattended, [&](endpoint where) { return body(where, files); });
}

}  // namespace

LEAT_TEST("a file is given with its type, its length and what tells its state") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string page = co_await ask(where, "/page.txt?x=../y");
        CHECK(status_in(page) == 200);
        CHECK(body_of(page) == "0123456789");
        CHECK(field(page, "Content-Type") == "text/plain; charset=utf-8");
        CHECK(field(page, "Content-Length") == "10");
        CHECK(field(page, "Accept-Ranges") == "bytes");
        CHECK(field(page, "Cache-Control") == "none");
        CHECK(field(page, "Vary") == "none");
        const auto about = co_await leat::file_info_of(files.path("root/page.txt"));
        CHECK(field(page, "Last-Modified") == leat::http::http_date(about.modified));
        CHECK(leat::http::is_entity_tag(field(page, "ETag")));
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
        CHECK(field(posted, "Allow") == "GET, HEAD");
    });
}

LEAT_TEST("a folder is answered by its index, behind a slash") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string root = co_await ask(where, "/");
        CHECK(body_of(root) == "<p>index");
        CHECK(field(root, "Content-Type") == "text/html; charset=utf-8");
        const std::string below = co_await ask(where, "/below/");
        CHECK(body_of(below) == "<p>below");
        const std::string moved = co_await ask(where, "/below?x=1");
        CHECK(status_in(moved) == 301);
        CHECK(field(moved, "Location") == "./below/?x=1");
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

LEAT_TEST("who has a file already gets no body, and who has another state is told") {
    co_await with_site(
        {.cache_control = "max-age=60"}, [](endpoint where, const any_folder& files) -> task<> {
            const std::string page = co_await ask(where, "/page.txt");
            const std::string tag = field(page, "ETag");
            for (const std::string& fields :
                 {std::string("If-None-Match: ") + tag + "\r\n", "If-None-Match: \"x\", W/" + tag + "\r\n",
                  "If-Modified-Since: " + field(page, "Last-Modified") + "\r\n"}) {
                const std::string same = co_await ask(where, "/page.txt", fields);
                CHECK(status_in(same) == 304);
                CHECK(body_of(same).empty());
                CHECK(field(same, "ETag") == tag);
                CHECK(field(same, "Cache-Control") == "max-age=60");
                CHECK(field(same, "Content-Type") == "none");
            }
            const std::string failed = co_await ask(where, "/page.txt", "If-Match: \"x\"\r\n");
            CHECK(status_in(failed) == 412);
            co_await leat::write_file(files.path("root/page.txt"), "0123456789x");
            const std::string changed = co_await ask(where, "/page.txt", "If-None-Match: " + tag + "\r\n");
            CHECK(status_in(changed) == 200);
            CHECK(body_of(changed) == "0123456789x");
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
            CHECK(field(part, "Content-Range") == place);
            CHECK(field(part, "Content-Length") == std::to_string(std::string_view(expected).size()));
            CHECK(field(part, "Content-Type") == "text/plain; charset=utf-8");
        }
        const std::string none = co_await ask(where, "/page.txt", "Range: bytes=10-\r\n");
        CHECK(status_in(none) == 416);
        CHECK(field(none, "Content-Range") == "bytes */10");
        const std::string many = co_await ask(where, "/page.txt", "Range: bytes=0-,0-,0-,0-\r\n");
        CHECK(status_in(many) == 416);
        const std::string odd = co_await ask(where, "/page.txt", "Range: bytes=9-1\r\n");
        CHECK(status_in(odd) == 200);
        const std::string tag = field(odd, "ETag");
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
        const std::string type = field(parts, "Content-Type");
        REQUIRE(type.starts_with("multipart/byteranges; boundary="));
        const std::string line = "--" + type.substr(type.find('=') + 1);
        CHECK(line.size() == 34);
        CHECK(body_of(parts) ==
              line +
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n" +
                  line +
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n" +
                  line + "--\r\n");
        CHECK(field(parts, "Content-Length") == std::to_string(body_of(parts).size()));
        CHECK(field(parts, "Content-Range") == "none");
    });
}

LEAT_TEST("a large file is given whole, and so are its parts") {
    co_await with_site({}, [](endpoint where, const any_folder& files) -> task<> {
        const std::string bytes = bytes_of(1'000'001);
        co_await leat::write_file(files.path("root/large"), bytes);
        const std::string whole = co_await ask(where, "/large");
        CHECK(field(whole, "Content-Length") == "1000001");
        CHECK(field(whole, "Content-Type") == "application/octet-stream");
        CHECK((body_of(whole) == bytes));
        const std::string part = co_await ask(where, "/large", "Range: bytes=100-900000\r\n");
        CHECK((body_of(part) == bytes.substr(100, 899'901)));
        const std::string parts = co_await ask(where, "/large", "Range: bytes=5-200004,600000-\r\n");
        const std::string body = body_of(parts);
        CHECK(field(parts, "Content-Length") == std::to_string(body.size()));
        CHECK((body.find("\r\n\r\n" + bytes.substr(5, 200'000) + "\r\n--") != body.npos));
        CHECK((body.find("\r\n\r\n" + bytes.substr(600'000) + "\r\n--") != body.npos));
        co_await leat::write_file(files.path("root/empty.css"), "");
        const std::string empty = co_await ask(where, "/empty.css", "Range: bytes=0-\r\n");
        CHECK(status_in(empty) == 200);
        CHECK(field(empty, "Content-Length") == "0");
    });
}

LEAT_TEST("a compressed form is sent to who takes it") {
    co_await with_site({.precompressed = true}, [](endpoint where, const any_folder& files) -> task<> {
        co_await leat::write_file(files.path("root/page.txt.gz"), "gzipped");
        co_await leat::write_file(files.path("root/page.txt.br"), "brotli form");
        co_await leat::make_folder(files.path("root/page.txt.zst"));
        const std::string plain = co_await ask(where, "/page.txt");
        CHECK(body_of(plain) == "0123456789");
        CHECK(field(plain, "Content-Encoding") == "none");
        CHECK(field(plain, "Vary") == "Accept-Encoding");
        for (const auto& [accepted, coding, body] : {std::tuple{"gzip, deflate, br", "br", "brotli form"},
                                                     {"gzip", "gzip", "gzipped"},
                                                     {"br;q=0.1, gzip;q=0.5, zstd", "gzip", "gzipped"},
                                                     {"br;q=0, gzip;q=0", "none", "0123456789"},
                                                     {"*", "br", "brotli form"},
                                                     {"deflate", "none", "0123456789"}}) {
            const std::string page =
                co_await ask(where, "/page.txt", "Accept-Encoding: " + std::string(accepted) + "\r\n");
            CHECK_MESSAGE(field(page, "Content-Encoding") == coding, accepted);
            CHECK_MESSAGE(body_of(page) == body, accepted);
            CHECK(field(page, "Content-Type") == "text/plain; charset=utf-8");
            CHECK(field(page, "Vary") == "Accept-Encoding");
        }
        const std::string packed =
            co_await ask(where, "/page.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n");
        CHECK(body_of(packed) == "gz");
        CHECK(field(packed, "ETag") != field(plain, "ETag"));
        const std::string missing = co_await ask(where, "/none.txt", "Accept-Encoding: gzip\r\n");
        CHECK(status_in(missing) == 404);
    });
}

LEAT_TEST("names with a dot and other types are given when asked for") {
    const static_options options{
        .dot_files = true, .media_type = [](std::string_view) -> std::string_view { return "text/x-all"; }};
    co_await with_site(options, [](endpoint where, const any_folder&) -> task<> {
        const std::string hidden = co_await ask(where, "/.hidden");
        CHECK(body_of(hidden) == "hidden");
        CHECK(field(hidden, "Content-Type") == "text/x-all");
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
        CHECK(field(first, "Content-Length") == std::to_string(size));
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
