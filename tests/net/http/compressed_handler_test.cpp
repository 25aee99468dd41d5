// SPDX-License-Identifier: MIT
// compressed(): what clients of a server get whose handlers are compressed.
#include "coded_page.hpp"
#if LEAT_HAS_HTTP2
#include "h2_client.hpp"
#endif

#include <leat/http/compressed.hpp>
#include <leat/http/core/content_encoder.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::task;
using leat::http::request;
using leat::http::response;
using leat::http::response_writer;
using leat::http::detail::content_decoder;
using leat::testing::ask;
using leat::testing::body_of;
using leat::testing::bytes_of;
using leat::testing::codings_made;
using leat::testing::decoded;
using leat::testing::field_in;
using leat::testing::page;
using leat::testing::page_text;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

std::string unchunked(std::string_view body) {
    std::string all;
    for (;;) {
        const std::size_t size = std::stoul(std::string(body), nullptr, 16);
        body.remove_prefix(body.find("\r\n") + 2);
        if (size == 0) {
            CHECK(body == "\r\n");
            return all;
        }
        all += body.substr(0, size);
        body.remove_prefix(size + 2);
    }
}

// Up to the body of an answer.
std::string head_of(std::string_view all) {
    return leat::testing::without_dates(std::string(all.substr(0, all.find("\r\n\r\n") + 4)));
}

task<response> give_page(const request& /*asked*/) {
    co_return page();
}

task<> write_page(const request& /*asked*/, response_writer& writer) {
    writer.head().headers = page().headers;
    for (std::size_t at = 0; at < page_text.size(); at += 7'000) {
        co_await writer.write(std::string_view(page_text).substr(at, 7'000));
    }
}

}  // namespace

LEAT_TEST("whole answers and written ones come compressed, and HEAD tells the same") {
    const auto site = [](auto handler, bool whole) -> task<> {
        co_await serving(leat::http::compressed(handler), unattended, [&](leat::endpoint where) -> task<> {
            for (const std::string& coding : codings_made) {
                const std::string field = "Accept-Encoding: " + coding + "\r\n";
                const std::string all = co_await ask(where, "/", field);
                CHECK(field_in(all, "Content-Encoding") == coding);
                CHECK(field_in(all, "ETag") == "W/\"7\"");
                CHECK((field_in(all, "Content-Length") != "none") == whole);
                const std::string body = whole ? body_of(all) : unchunked(body_of(all));
                CHECK(decoded(coding, body) == page_text);
                const std::string head = co_await ask(where, "/", field, "HEAD");
                const std::string chunked = whole ? "" : "Transfer-Encoding: chunked\r\n";
                std::string expected = head_of(all);
                if (!whole) {
                    expected.erase(expected.find(chunked), chunked.size());
                }
                CHECK(leat::testing::without_dates(head) == expected);
            }
            const std::string plain = co_await ask(where, "/");
            CHECK((whole ? body_of(plain) : unchunked(body_of(plain))) == page_text);
            CHECK(field_in(plain, "ETag") == "\"7\"");
            CHECK(field_in(plain, "Vary") == "Accept-Encoding");
        });
    };
    co_await site(give_page, true);
    co_await site(write_page, false);
}

LEAT_TEST("each piece can be decoded when it was written", on(leat::testing::simulated)) {
    const auto slowly = [](const request& /*asked*/, response_writer& writer) -> task<> {
        writer.head().headers.add("Content-Type", "text/event-stream");
        co_await writer.write("data: none\n\n");
        for (const char* each : {"data: one\n\n", "data: two\n\n"}) {
            co_await leat::sleep(1min);
            co_await writer.write(each);
        }
        co_await leat::sleep(1min);
    };
    for (const std::string& coding : codings_made) {
        co_await serving(leat::http::compressed(slowly), unattended, [&](leat::endpoint where) -> task<> {
            auto peer = co_await leat::tcp_stream::connect(where);
            co_await peer.send_all("GET / HTTP/1.0\r\nAccept-Encoding: " + coding + "\r\n\r\n");
            co_await leat::sleep(1s);
            const std::string head = co_await leat::testing::come_by_now(peer);
            CHECK(field_in(head, "Content-Encoding") == coding);
            auto decoder = content_decoder::make(coding);
            const std::string begin = body_of(head);
            std::string_view first = begin;
            const auto none = decoder.next(first);
            CHECK((none.ok() && *none == "data: none\n\n"));
            for (const char* each : {"data: one\n\n", "data: two\n\n"}) {
                co_await leat::sleep(1min);
                const std::string bytes = co_await leat::testing::come_by_now(peer);
                std::string_view input = bytes;
                const auto piece = decoder.next(input);
                CHECK((piece.ok() && *piece == each));
            }
            const std::string end = co_await leat::testing::rest_of(peer);
            std::string_view input = end;
            CHECK(decoder.next(input).ok());
            CHECK(decoder.finish().ok());
        });
    }
}

LEAT_TEST("tasks that write at once do not mix their pieces") {
    const auto both = [](const request& /*asked*/, response_writer& writer) -> task<> {
        writer.head().headers.add("Content-Type", "text/plain");
        const auto write = [&](char letter) -> task<> {
            const std::string line = std::string(100'000, letter) + "\n";
            for (int i = 0; i < 5; ++i) {
                co_await writer.write(line);
            }
        };
        auto other = leat::spawn(write, 'b');
        co_await write('a');
        co_await other;
    };
    co_await serving(leat::http::compressed(both), unattended, [](leat::endpoint where) -> task<> {
        const std::string all = co_await ask(where, "/", "Accept-Encoding: gzip\r\n");
        const std::string text = decoded("gzip", unchunked(body_of(all)));
        CHECK(text.size() == 10 * 100'001);
        for (std::size_t at = 0; at + 100'001 <= text.size(); at += 100'001) {
            CHECK(text.substr(at, 100'001) == std::string(100'000, text[at]) + "\n");
        }
    });
}

LEAT_TEST("an answer that is shorter or longer than it said is cut off, also compressed") {
    leat::testing::said.clear();
    const auto wrongly = [](const request& asked, response_writer& writer) -> task<> {
        writer.head().headers.add("Content-Type", "text/plain");
        writer.head().headers.add("Content-Length", asked.target == "/less" ? "5000" : "1500");
        co_await writer.write(std::string(1000, 'a'));
        co_await writer.write(std::string(1000, 'b'));
    };
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr error, std::optional<leat::endpoint>) {
        try {
            std::rethrow_exception(error);
        } catch (const std::invalid_argument& why) {
            leat::testing::said.emplace_back(why.what());
        }
    };
    co_await serving(leat::http::compressed(wrongly), options, [](leat::endpoint where) -> task<> {
        for (const char* target : {"/less", "/more"}) {
            const std::string all = co_await ask(where, target, "Accept-Encoding: gzip\r\n");
            CHECK(field_in(all, "Content-Encoding") == "gzip");
            CHECK(!all.ends_with("0\r\n\r\n"));
        }
    });
    CHECK(leat::testing::said ==
          std::vector<std::string>{"fewer bytes are written than the Content-Length says",
                                   "more bytes are written than the Content-Length says"});
}

LEAT_TEST("files come compressed, and parts of them do not") {
    co_await leat::testing::with_site(
        {}, [](leat::endpoint, const leat::testing::any_folder& files) -> task<> {
            const std::string text = bytes_of(200'000);
            co_await leat::write_file(files.path("root/long.txt"), text);
            const auto site = co_await leat::http::static_files::open(files.path("root"));
            co_await serving(leat::http::compressed(site), unattended, [&](leat::endpoint where) -> task<> {
                const std::string gzip = "Accept-Encoding: gzip\r\n";
                const std::string all = co_await ask(where, "/long.txt", gzip);
                CHECK(field_in(all, "Content-Length") == "none");
                CHECK(decoded("gzip", unchunked(body_of(all))) == text);
                const std::string head = co_await ask(where, "/long.txt", gzip, "HEAD");
                CHECK(field_in(head, "Content-Encoding") == "gzip");
                CHECK(field_in(head, "Content-Length") == "none");
                CHECK(field_in(head, "ETag") == field_in(all, "ETag"));
                const std::string part = co_await ask(where, "/long.txt", gzip + "Range: bytes=5-9\r\n");
                CHECK(body_of(part) == text.substr(5, 5));
                const std::string known = co_await ask(
                    where, "/long.txt", gzip + "If-None-Match: " + field_in(all, "ETag") + "\r\n");
                CHECK(leat::testing::status_in(known) == 304);
                CHECK(field_in(known, "ETag") == field_in(all, "ETag"));
            });
        });
}

LEAT_TEST("handlers of each form are compressed, also as routes") {
    using leat::http::compressed;
    using leat::http::path_parameters;
    using leat::http::request_body_reader;
    const auto sent_back = [](const request&, request_body_reader& body) -> task<response> {
        co_return leat::http::text_answer(co_await body.read_all());
    };
    const auto written_back = [](const request&, request_body_reader& body,
                                 response_writer& writer) -> task<> {
        writer.head().headers.add("Content-Type", "text/plain");
        const std::uint64_t size = co_await body.copy_to(writer);
        CHECK(size == 3000);
    };
    const std::string post = "POST /x HTTP/1.0\r\nAccept-Encoding: gzip\r\nContent-Length: 3000\r\n\r\n";
    const auto posting = [&](leat::endpoint where) -> task<> {
        const std::string all = co_await leat::testing::answers_to(where, post + bytes_of(3000));
        CHECK(decoded("gzip", body_of(all)) == bytes_of(3000));
    };
    co_await serving(compressed(sent_back), unattended, posting);
    co_await serving(compressed(written_back), unattended, posting);
    leat::http::router routes;
    routes.post("/x", compressed([](const request& asked) -> task<response> {
                    co_return leat::http::text_answer(asked.body);
                }));
    co_await serving(routes, unattended, posting);
    leat::http::router named;
    named.post("/{name}",
               compressed([](const request& asked, const path_parameters& found) -> task<response> {
                   CHECK(found["name"] == "x");
                   co_return leat::http::text_answer(asked.body);
               }));
    co_await serving(named, unattended, posting);
    leat::http::router written;
    written.post("/{name}",
                 compressed([](const request& asked, const path_parameters& found, response_writer& writer) {
                     CHECK(found["name"] == "x");
                     return leat::http::detail::write_given(
                         [](std::string text) -> task<response> {
                             co_return leat::http::text_answer(std::move(text));
                         }(asked.body),
                         writer);
                 }));
    co_await serving(written, unattended, posting);
}

LEAT_TEST("one compressed inside of another compresses once, and trailers and errors pass") {
    const auto handler = [](const request& asked, response_writer& writer) -> task<> {
        if (asked.target == "/fails") {
            throw std::runtime_error("it fails");
        }
        co_await write_page(asked, writer);
        writer.add_trailer("X-Sum", "7");
    };
    const auto twice = leat::http::compressed(leat::http::compressed(handler));
    leat::http::serve_options options = unattended;
    options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {};
    co_await serving(twice, options, [](leat::endpoint where) -> task<> {
        const std::string all = co_await ask(where, "/", "Accept-Encoding: gzip\r\n");
        const std::string end = "X-Sum: 7\r\n\r\n";
        CHECK(all.ends_with("0\r\n" + end));
        const std::string body = body_of(all);
        CHECK(decoded("gzip", unchunked(body.substr(0, body.size() - end.size()) + "\r\n")) == page_text);
        const std::string failed = co_await ask(where, "/fails", "Accept-Encoding: gzip\r\n");
        CHECK(leat::testing::status_in(failed) == 500);
    });
}

LEAT_TEST("a compressed answer that is cancelled in any turn is cut off, or whole") {
    const std::string text = bytes_of(300'000);
    for (int turns = 0; turns < 40; ++turns) {
        bool finished = false;
        const auto handler = [&](const request& /*asked*/, response_writer& writer) -> task<> {
            writer.head().headers.add("Content-Type", "text/plain");
            const auto writing = [&]() -> task<bool> {
                co_await writer.write(text);
                co_return true;
            };
            const auto waiting = [&]() -> task<bool> {
                for (int turn = 0; turn < turns; ++turn) {
                    co_await leat::yield();
                }
                co_return true;
            };
            const auto [wrote, waited] = co_await leat::race(writing, waiting);
            finished = wrote.has_value();
        };
        leat::http::serve_options options = unattended;
        options.on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {};
        co_await serving(leat::http::compressed(handler), options, [&](leat::endpoint where) -> task<> {
            const std::string all = co_await ask(where, "/", "Accept-Encoding: gzip\r\n");
            if (finished) {
                CHECK(decoded("gzip", unchunked(body_of(all))) == text);
            } else {
                CHECK(!all.ends_with("\r\n0\r\n\r\n"));
            }
        });
        CHECK(leat::http::detail::content_encoder::alive() == 0);
    }
}

#if LEAT_HAS_HTTP2
LEAT_TEST("answers of HTTP/2 are compressed, whole and written") {
    const auto both = [](const request& asked, response_writer& writer) -> task<> {
        if (asked.target == "/whole") {
            writer.head() = page();
        } else {
            co_await write_page(asked, writer);
        }
    };
    co_await serving(leat::http::compressed(both), unattended, [](leat::endpoint where) -> task<> {
        auto stream = co_await leat::tcp_stream::connect(where);
        leat::testing::h2_peer peer{leat::any_stream(std::move(stream))};
        const leat::http::headers gzip{{"accept-encoding", "gzip"}};
        const std::vector asked{peer.ask("/whole", "GET", {}, gzip), peer.ask("/written", "GET", {}, gzip)};
        const std::vector heads{peer.ask("/whole", "HEAD", {}, gzip), peer.ask("/written", "HEAD", {}, gzip)};
        const bool all = co_await peer.finish(asked) && co_await peer.finish(heads);
        CHECK(all);
        for (std::size_t i = 0; i < asked.size(); ++i) {
            CHECK(peer.of(asked[i]).fields.get("content-encoding") == "gzip");
            CHECK(decoded("gzip", peer.of(asked[i]).body) == page_text);
            CHECK(peer.of(asked[i]).fields.wire() == peer.of(heads[i]).fields.wire());
        }
    });
}
#endif
