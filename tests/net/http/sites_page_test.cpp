// SPDX-License-Identifier: MIT
// The code of docs/sites.md, as it stands there.
#include "../../support/any_folder.hpp"
#include "serving.hpp"

#include <leat/testing/doctest.hpp>

#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::answers_to;
using leat::testing::serving;
using leat::testing::unattended;

namespace {

// SITES: begin
leat::task<> serve_folder(leat::endpoint where, std::string folder, leat::event& stop) {
    const auto site =
        co_await leat::http::static_files::open(std::move(folder), {.cache_control = "max-age=60"});
    co_await leat::http::serve(leat::tcp_listener::bind(where), site, {.stop = &stop});
}
// SITES: end

std::map<std::string, std::string, std::less<>> notes;

// SITES: begin
leat::task<leat::http::response> show_note(const leat::http::request&,
                                           const leat::http::path_parameters& found) {
    const auto note = notes.find(found["name"]);
    if (note == notes.end()) {
        co_return leat::http::status_answer(404);
    }
    co_return leat::http::json_answer("{\"text\":\"" + note->second + "\"}");
}

leat::task<leat::http::response> save_note(const leat::http::request& asked) {
    const auto fields = leat::http::read_form(asked.body);
    const auto name = fields.ok() ? fields->get("name") : std::nullopt;
    if (!name) {
        co_return leat::http::status_answer(400);
    }
    notes[std::string(*name)] = fields->get("text").value_or("");
    co_return leat::http::redirect_to("/notes/mine");
}

leat::http::router routes_of(const leat::http::static_files& site) {
    leat::http::router routes;
    routes.get("/notes/{name}", show_note);
    routes.post("/notes", save_note);
    routes.get("/{path...}", site);
    routes.get("/old/{path...}",
               [site](const leat::http::request& asked, const leat::http::path_parameters& found,
                      leat::http::response_writer& writer) {
                   return site.answer(asked, writer, found["path"]);  // the same files below another path
               });
    return routes;
}
// SITES: end

std::vector<std::string> log_lines;

// SITES: begin
template <typename Handler>
auto logged(Handler handler) {
    return [handler = std::move(handler)](const leat::http::request& asked,
                                          leat::http::response_writer& writer) -> leat::task<> {
        co_await handler(asked, writer);
        log_lines.push_back(asked.target + " " + std::to_string(writer.head().status));
    };
}

template <typename Handler>
auto for_members(Handler handler) {
    return [handler = std::move(handler)](const leat::http::request& asked,
                                          leat::http::response_writer& writer) -> leat::task<> {
        // A real one is a secret of each member.
        if (leat::http::cookie_of(asked, "__Host-member") != "yes") {
            writer.head() = leat::http::redirect_to("/login");
            co_return;
        }
        co_await handler(asked, writer);
    };
}
// SITES: end

// SITES: begin
leat::http::router compressed_routes(const leat::http::static_files& site) {
    leat::http::router routes;
    routes.get("/notes/{name}", leat::http::compressed(show_note, {.least_bytes = 200}));
    routes.get("/{path...}", leat::http::compressed(site));
    return routes;
}
// SITES: end

// SITES: begin
const leat::http::trusted_proxies proxies{
    .networks = {leat::network::parse("10.0.0.0/8"), leat::network::parse("127.0.0.1")}};

leat::task<leat::http::response> who_asks(const leat::http::request& asked) {
    const auto from = leat::http::x_forwarded(asked, proxies);
    const std::string client = from.client ? from.client->address().to_string() : "somebody here";
    co_return leat::http::text_answer(client + " asked for " + from.scheme + "://" + from.host + "\n");
}
// SITES: end

// SITES: begin
leat::task<leat::http::response> log_in(const leat::http::request&) {
    auto page = leat::http::redirect_to("/");
    leat::http::set_cookie(page, "__Host-member", "yes", {.max_age = std::chrono::hours(1)});
    co_return page;
}
// SITES: end

// SITES: begin
leat::task<leat::http::response> take_files(const leat::http::request& asked) {
    const auto boundary = leat::http::multipart_boundary(asked);
    if (!boundary) {
        co_return leat::http::status_answer(415);
    }
    const auto parts = leat::http::read_multipart(asked.body, *boundary, {.parts = 10});
    if (!parts.ok()) {
        co_return leat::http::text_answer(parts.error().message() + "\n", 400);
    }
    std::string seen;
    for (const leat::http::whole_part& each : *parts) {
        seen += each.name + ": " + std::to_string(each.data.size()) + " bytes\n";
    }
    co_return leat::http::text_answer(seen);
}
// SITES: end

std::string photos;  // a folder

// SITES: begin
leat::task<leat::http::response> keep_photos(leat::http::uploaded_form& form) {
    int number = 0;
    for (const leat::http::uploaded_file& each : form.files) {
        const std::string name = photos + "/photo-" + std::to_string(++number);  // one of ours
        co_await leat::rename_to_new(each.path, name);
    }
    co_return leat::http::text_answer(std::to_string(number) + " photos\n");
}

leat::task<leat::http::response> take_photos(const leat::http::request& asked,
                                             leat::http::request_body_reader& body) {
    auto boundary = leat::http::multipart_boundary(asked);
    if (!boundary) {
        co_return leat::http::status_answer(415);
    }
    body.set_limit(std::uint64_t(100) << 20);
    co_return co_await leat::http::with_uploads(body, *boundary, photos + "/incoming", keep_photos);
}
// SITES: end

// SITES: begin
leat::task<> count_down(const leat::http::request& asked, leat::http::response_writer& writer) {
    leat::http::event_stream events(writer);
    const auto count = [&]() -> leat::task<> {
        for (int left = 3; left > 0; --left) {
            co_await events.send(std::to_string(left));
            co_await leat::sleep(1min);
        }
    };
    co_await leat::race(count, events.keep_alive(), asked.connection->gone());
}
// SITES: end

// SITES: begin
leat::task<leat::http::response> show_report(const leat::http::request& asked) {
    const std::string report = "a long report, made at version 7\n";
    const leat::http::validators current{.tag = "\"7\""};
    leat::http::response page;
    page.headers.add("ETag", current.tag);
    if (evaluate(asked, current) == leat::http::condition::not_modified) {
        page.status = 304;
        co_return page;
    }
    page.body = report;
    if (wants_range(asked, current)) {
        const auto ranges = leat::http::read_range(*asked.headers.get("Range"), report.size(), 1);
        if (ranges.answer == leat::http::range_answer::parts) {
            const auto [offset, size] = ranges.parts[0];
            page.status = 206;
            page.headers.add("Content-Range", leat::http::content_range(ranges.parts[0], report.size()));
            page.body = report.substr(offset, size);
        }
    }
    co_return page;
}
// SITES: end

leat::task<std::string> ask(leat::endpoint where, std::string method, std::string target,
                            std::string fields = {}, std::string body = {}) {
    fields += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return answers_to(where, method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body);
}

}  // namespace

LEAT_TEST("the site of the page gives files, notes and answers to forms") {
    notes.clear();
    log_lines.clear();
    leat::testing::any_folder files;
    co_await files.make();
    co_await leat::write_file(files.path("index.html"), "<p>index");
    const auto site = co_await leat::http::static_files::open(files.path());
    co_await serving(logged(routes_of(site)), unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string index = co_await ask(where, "GET", "/");
        CHECK(index.ends_with("\r\n\r\n<p>index"));
        const std::string saved = co_await ask(where, "POST", "/notes", {}, "name=mine&text=a+note");
        CHECK(saved.find("Location: /notes/mine\r\n") != saved.npos);
        const std::string note = co_await ask(where, "GET", "/notes/mine");
        CHECK(note.ends_with("\r\n\r\n{\"text\":\"a note\"}"));
        const std::string bad = co_await ask(where, "POST", "/notes", {}, "text=x");
        CHECK(bad.starts_with("HTTP/1.1 400 "));
        const std::string up = co_await ask(where, "GET", "/../x");
        CHECK(up.starts_with("HTTP/1.1 404 "));
        const std::string old = co_await ask(where, "GET", "/old/");
        CHECK(old.ends_with("\r\n\r\n<p>index"));
    });
    CHECK(log_lines == std::vector<std::string>{"/ 200", "/notes 303", "/notes/mine 200", "/notes 400",
                                                "/../x 404", "/old/ 200"});
}

LEAT_TEST("a folder of the page is served until it is stopped", on(leat::testing::simulated)) {
    co_await leat::write_file("/tmp/page.txt", "text");
    leat::event stop;
    const leat::endpoint where("127.0.0.1", 8080);
    auto server = leat::spawn(serve_folder, where, "/tmp", std::ref(stop));
    co_await leat::sleep(1s);
    const std::string page = co_await ask(where, "GET", "/page.txt");
    CHECK(page.find("Cache-Control: max-age=60\r\n") != page.npos);
    stop.set();
    co_await server;
}

LEAT_TEST("the compressed site of the page asks what its clients take, keeps photos and believes its proxy") {
    leat::testing::any_folder files;
    co_await files.make();
    co_await leat::write_file(files.path("long.txt"), std::string(5000, 'a'));
    notes = {{"long", std::string(500, 'n')}, {"short", "n"}};
    const auto site = co_await leat::http::static_files::open(files.path());
    co_await serving(compressed_routes(site), unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string coded = "\r\nContent-Encoding: gzip\r\n";
        for (const char* target : {"/long.txt", "/notes/long", "/notes/short"}) {
            const std::string all = co_await ask(where, "GET", target, "Accept-Encoding: gzip\r\n");
            const bool is_long = target != std::string("/notes/short");
            CHECK((all.find(coded) != all.npos) == is_long);
            const std::string plain = co_await ask(where, "GET", target);
            CHECK(plain.find(coded) == plain.npos);
        }
    });
    photos = files.path();
    co_await leat::make_folder(files.path("incoming"));
    co_await serving(take_photos, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string taken = co_await ask(
            where, "POST", "/", "Content-Type: multipart/form-data; boundary=b\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n12345\r\n--b--\r\n");
        CHECK(taken.ends_with("\r\n\r\n1 photos\n"));
    });
    const std::string photo = co_await leat::read_file(files.path("photo-1"), 100);
    CHECK(photo == "12345");
    co_await serving(who_asks, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string all = co_await ask(where, "GET", "/",
                                             "X-Forwarded-For: 10.9.9.9, 192.0.2.1\r\n"
                                             "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n");
        CHECK(all.ends_with("\r\n\r\n192.0.2.1 asked for https://b\n"));
    });
}

LEAT_TEST("members of the page are let in by their cookie", on(leat::testing::simulated)) {
    co_await serving(for_members(leat::http::router().get("/", show_report)), unattended,
                     [](leat::endpoint where) -> leat::task<> {
                         const std::string stranger = co_await ask(where, "GET", "/");
                         CHECK(stranger.find("Location: /login\r\n") != stranger.npos);
                         const std::string member =
                             co_await ask(where, "GET", "/", "Cookie: __Host-member=yes\r\n");
                         CHECK(member.starts_with("HTTP/1.1 200 "));
                     });
    co_await serving(log_in, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string page = co_await ask(where, "POST", "/login");
        CHECK(
            page.find(
                "Set-Cookie: __Host-member=yes; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax\r\n") !=
            page.npos);
    });
}

LEAT_TEST("the other handlers of the page take files, send events and parts", on(leat::testing::simulated)) {
    co_await serving(take_files, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string type = "Content-Type: multipart/form-data; boundary=b\r\n";
        const std::string taken = co_await ask(
            where, "POST", "/", type,
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n12345\r\n--b--\r\n");
        CHECK(taken.ends_with("\r\n\r\nf: 5 bytes\n"));
        const std::string bad = co_await ask(where, "POST", "/", type, "--bx");
        CHECK(bad.ends_with("\r\n\r\nthe multipart body is malformed\n"));
        const std::string other = co_await ask(where, "POST", "/");
        CHECK(other.starts_with("HTTP/1.1 415 "));
    });
    co_await serving(count_down, unattended, [](leat::endpoint where) -> leat::task<> {
        auto peer = co_await leat::tcp_stream::connect(where);
        co_await peer.send_all("GET / HTTP/1.0\r\n\r\n");
        const std::string all = co_await leat::testing::rest_of(peer);
        CHECK(all.find("data: 3\n\n: \n\n: \n\n: \n\n") != all.npos);
        CHECK(all.find("data: 1\n\n") != all.npos);
    });
    co_await serving(show_report, unattended, [](leat::endpoint where) -> leat::task<> {
        const std::string part = co_await ask(where, "GET", "/", "Range: bytes=2-5\r\n");
        CHECK(part.ends_with("\r\n\r\nlong"));
        const std::string same = co_await ask(where, "GET", "/", "If-None-Match: \"7\"\r\n");
        CHECK(same.starts_with("HTTP/1.1 304 "));
    });
}
