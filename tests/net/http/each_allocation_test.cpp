// SPDX-License-Identifier: MIT
// Each allocation of an HTTP exchange fails in turn: no answer is taken for another one, and both sides go
// on.
#include "serving.hpp"

#include "../../support/any_folder.hpp"
#include "../../support/elsewhere.hpp"
#include "../../support/failing_memory.hpp"
#include "../../support/http_origin.hpp"

#include <leat/http/client.hpp>
#include <leat/http/compressed.hpp>
#include <leat/http/uploads.hpp>

#include <leat/async_generator.hpp>

#include <new>
#include <string>

using namespace std::chrono_literals;
using namespace leat::testing;
using leat::task;

namespace {

std::string content_of(std::string_view target) {
    return "content of " + std::string(target) + std::string(600, '.');
}

support::answer answer_to(const std::string& head) {
    const std::string target = head.substr(4, head.find(' ', 4) - 4);
    if (target == "/moved") {
        return {"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 4\r\n\r\ngone"};
    }
    const std::string content = content_of(target);
    return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content};
}

// Makes its words anew each time it is asked.
leat::async_generator<std::string> words() {
    for (const char* each : {"some", "words", "that", "are", "sent"}) {
        co_await leat::yield();
        co_yield each;
    }
}

template <typename Url>
task<> get_through_one_client(failing_memory& memory, const Url& at) {
    leat::http::client client({.environment_proxies = false});
    const auto get = [&](const char* target, const char* content) -> task<> {
        const leat::http::fetched page = co_await client.get(at(target));
        const bool right = page.body == content_of(content);
        CHECK(right);
        CHECK(page.status == 200);
    };
    const auto put = [&](const char* target, const char* content, auto body) -> task<> {
        const leat::http::fetched page = co_await client.put(at(target), body());
        const bool right = page.body == content_of(content);
        CHECK(right);
    };
    const auto in_memory = [] { return leat::http::request_body("text"); };
    const auto in_pieces = [] { return leat::http::request_body::made_by(words); };
    co_await get("/first", "/first");
    co_await memory.fails([&]() -> task<> {
        co_await get("/a", "/a");
        co_await get("/moved", "/a");
        co_await put("/a", "/a", in_memory);
        co_await put("/moved", "/a", in_pieces);
    });
    co_await get("/b", "/b");
    co_await get("/c", "/c");
}

}  // namespace

TEST_CASE("a client that finds no memory takes no answer for that to another request") {
    int port = 0;
    support::elsewhere server([&](const auto& ready) -> task<> {
        support::http_origin origin(answer_to);
        port = origin.port();
        co_await origin.during([&]() -> task<> {
            ready();
            co_await leat::sleep_until(leat::never);
        });
    });
    const auto at = [&](std::string_view target) {
        return "http://127.0.0.1:" + std::to_string(port) + std::string(target);
    };
    const auto gets = [&](failing_memory& memory) -> task<> {
        const std::size_t before = leat::testing::open_descriptors();
        co_await get_through_one_client(memory, at);
        while (leat::testing::open_descriptors() > before) {  // the server has its ends, too
            co_await leat::yield();
        }
    };
    check_each_allocation("get", kernel, gets, false);
}

namespace {

task<> server_has_begun() {
    for (int turn = 0; turn < 10; ++turn) {
        co_await leat::yield();
    }
}

task<leat::http::response> gives(const leat::http::request& asked) {
    co_await leat::yield();
    leat::http::response made;
    made.body = asked.body.empty() ? content_of(asked.target) : asked.body;
    co_return made;
}

task<> writes(const leat::http::request& asked, leat::http::response_writer& to) {
    co_await to.write("content ");
    co_await to.write(asked.target);
}

// With a handler that answers `asked` by `whole`: what comes is a part of that, perhaps with an error behind
// it.
template <typename Handler>
void check_answers(Handler handler, const std::string& asked, const std::string& whole) {
    check_each_allocation("http::serve", kernel, [&](failing_memory& memory) -> task<> {
        co_await serving(handler, unattended, [&](leat::endpoint where) -> task<> {
            co_await server_has_begun();
            std::string got;
            co_await memory.fails([&]() -> task<> { got = co_await answers_to(where, asked); });
            if (memory.completed) {
                const std::size_t error = got.find("HTTP/1.1 500 ");
                const std::string before = got.substr(0, error);
                CHECK(whole.starts_with(before));
                CHECK((error == got.npos || got.substr(error) == failed));
            }
            const std::string later = co_await answers_to(where, asked);
            CHECK(later == whole);
        });
    });
}

}  // namespace

TEST_CASE("a server that finds no memory for a request answers those before it, and serves the next client") {
    const std::string asked =
        get("/1") + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get("/3");
    const std::string whole = ok(content_of("/1")) + ok("abc") + ok(content_of("/3"));
    check_answers(gives, asked, whole);
}

TEST_CASE(
    "a handler that writes and finds no memory cuts its answer, and the server serves the next client") {
    const std::string whole =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ncontent \r\n2\r\n/1\r\n0\r\n\r\n";
    check_each_allocation("http::serve", kernel, [&](failing_memory& memory) -> task<> {
        co_await serving(writes, unattended, [&](leat::endpoint where) -> task<> {
            co_await server_has_begun();
            std::string got;
            co_await memory.fails([&]() -> task<> { got = co_await answers_to(where, get("/1")); });
            if (memory.completed && got != failed) {
                CHECK(whole.starts_with(got));
            }
            const std::string later = co_await answers_to(where, get("/1"));
            CHECK(later == whole);
        });
    });
}

namespace {

task<leat::http::response> reads(const leat::http::request& asked, leat::http::request_body_reader& body) {
    leat::http::response made;
    made.body = co_await body.read_all();
    co_await leat::yield();
    made.body += asked.trailers.wire();
    co_return made;
}

}  // namespace

TEST_CASE("a handler that reads and finds no memory never sees a part of a body for the whole") {
    const std::string trailer = "X-Long: " + std::string(1000, 't') + "\r\n";
    const std::string asked =
        "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n" + trailer +
        "\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /";
    const std::string whole = ok("abc" + trailer) + ok("GET /");
    check_answers(reads, asked, whole);
}

namespace {

std::string written;  // in the form of chunks

// What found no memory is left out.
task<> writes_on(const leat::http::request& /*asked*/, leat::http::response_writer& to) {
    written.clear();
    for (const char* piece : {"one", "two", "thr"}) {
        try {
            co_await to.write(piece);
            written.append("3\r\n").append(piece).append("\r\n");
        } catch (const std::bad_alloc&) {
            continue;
        }
    }
}

}  // namespace

TEST_CASE("a piece of an answer that finds no memory leaves nothing of itself in the answer") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string end = "0\r\n\r\n";
    check_each_allocation("write", kernel, [&](failing_memory& memory) -> task<> {
        written.reserve(100);
        co_await serving(writes_on, unattended, [&](leat::endpoint where) -> task<> {
            co_await server_has_begun();
            std::string got;
            co_await memory.fails([&]() -> task<> { got = co_await answers_to(where, get("/")); });
            if (got.ends_with(end)) {
                CHECK(got == head + written + end);
            }
            const std::string later = co_await answers_to(where, get("/"));
            CHECK(later == head + "3\r\none\r\n3\r\ntwo\r\n3\r\nthr\r\n" + end);
        });
    });
}

namespace {

// One that has come.
class body_in_memory final : public leat::http::detail::incoming_body {
public:
    explicit body_in_memory(std::string_view text) noexcept : left_(text) {}

    task<std::string_view> next() override {
        if (failure_) {
            throw std::system_error(failure_);
        }
        const std::string_view piece = left_.substr(0, piece_size);
        left_.remove_prefix(piece.size());
        co_return piece;
    }
    [[nodiscard]] std::optional<std::uint64_t> size() const noexcept override { return std::nullopt; }
    void refuse(std::error_code why) noexcept override { failure_ = why; }

private:
    static constexpr std::size_t piece_size = 16 * 1024;
    std::string_view left_;
    std::error_code failure_;
};

}  // namespace

TEST_CASE("a form whose files find no memory leaves none of them") {
    const std::string file = "--b\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n";
    const std::string form = file + std::string(100'000, 'a') + "\r\n" + file + "b\r\n--b--";
    const auto use = [](leat::http::uploaded_form& taken) -> task<> {
        CHECK(taken.files.size() == 2);
        co_await leat::yield();
    };
    const auto takes = [&](failing_memory& memory) -> task<> {
        leat::testing::any_folder files;
        co_await files.make();
        co_await memory.fails([&]() -> task<> {
            body_in_memory body(form);
            leat::http::request_body_reader given(body, form.size());
            co_await leat::http::with_uploads(given, "b", files.path(), use);
        });
        const auto left = co_await leat::list_folder(files.path());
        CHECK(left.empty());
    };
    check_each_allocation("with_uploads", kernel, takes, false);
}

TEST_CASE("a field that finds no memory leaves nothing of itself") {
    check_each_allocation("headers", kernel, [](failing_memory& memory) -> task<> {
        leat::http::headers fields;
        co_await memory.fails([&]() -> task<> {
            for (int i = 0; i < 20; ++i) {
                fields.add("Name", "value");
            }
            co_return;
        });
        std::string wire;
        for (const auto field : fields) {
            wire.append(field.name).append(": ").append(field.value).append("\r\n");
        }
        CHECK(fields.wire() == wire);
    });
}

TEST_CASE(
    "an answer that finds no memory to be compressed is as it was, but perhaps for Vary and a weak tag") {
    const std::string page(2000, 'p');
    check_each_allocation("compress", kernel, [&](failing_memory& memory) -> task<> {
        leat::http::request asked;
        asked.headers.add("Accept-Encoding", "gzip");
        leat::http::response made;
        made.body = page;
        made.headers.add("Content-Type", "text/plain");
        made.headers.add("ETag", "\"a-tag-that-is-long\"");
        co_await memory.fails([&] { return leat::http::compress(asked, made); });
        CHECK(made.headers.contains("Content-Encoding") == memory.completed);
        CHECK((made.body == page) == !memory.completed);
    });
}
