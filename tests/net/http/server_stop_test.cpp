// SPDX-License-Identifier: MIT
// The stop of an HTTP server: whoever has no request ends at once, whatever else it does; who has one gets
// its answer. The graces are long, so that a test that waits for one does not end.
#include "serving.hpp"

#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <algorithm>
#include <functional>

using namespace std::chrono_literals;
using leat::http::request;
using leat::http::response;
using leat::testing::get;
using leat::testing::lent_listener;
using leat::testing::memory_stream;
using leat::testing::rest_of;
using leat::testing::single_listener;

namespace {

constexpr leat::http::serve_options patient{
    .grace = 1h, .stop_on = {}, .limits = {.idle = 1h, .head = 1h, .body = 1h, .send = 1h}};

leat::task<response> long_answer(const request& asked) {
    response made;
    made.body.assign(asked.target == "/long" ? 4'000'000 : 4, 'l');
    co_return made;
}

// A stream on which something else happens between the end of an operation and its delivery.
class delayed_stream {
public:
    using interlude = std::function<leat::task<>()>;
    delayed_stream(memory_stream below, interlude received, interlude sent)
        : below_(std::move(below)), received_(std::move(received)), sent_(std::move(sent)) {}
    auto recv(leat::byte_buffer into) { return below_.recv(into); }
    auto recv_exactly(leat::byte_buffer into) { return below_.recv_exactly(into); }
    leat::task<leat::chunk> recv_chunk() {
        leat::chunk received = co_await below_.recv_chunk();
        co_await leat::shield(received_());
        co_return received;
    }
    auto send(leat::byte_view from) { return below_.send(from); }
    template <typename... Pieces>
    leat::task<> send_all(const Pieces&... pieces) {
        co_await below_.send_all(pieces...);
        co_await leat::shield(sent_());
    }
    auto shutdown_send() { return below_.shutdown_send(); }
    void close() { below_.close(); }

private:
    memory_stream below_;
    interlude received_;
    interlude sent_;
};

leat::task<> nothing_happens() {
    co_return;
}

}  // namespace

LEAT_TEST("a connection whose answer is being sent at the stop ends behind it") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto serving = leat::spawn(leat::http::serve(lent_listener(listener), long_answer, patient));
    auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await peer.send_all(get("/long"));
    std::string begin(1000, ' ');
    co_await peer.recv_exactly(begin);
    listener.close();
    const std::string rest = co_await rest_of(peer);
    CHECK(begin.size() + rest.size() > 4'000'000);
    peer.close();
    co_await serving;
}

LEAT_TEST("an event stops an HTTP server, and a handler that hears of it ends its answer in order") {
    leat::event stop;
    leat::http::serve_options options = patient;
    options.stop = &stop;
    const auto handler = [](const request&, leat::http::response_writer& writer) -> leat::task<> {
        co_await writer.write("some");
        (void)co_await leat::until_stop(leat::sleep_until(leat::never));
        co_await writer.write(leat::stopping() ? " and the end" : " and no stop");
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::http::serve(std::move(listener), handler, options));
    auto idle = co_await leat::tcp_stream::connect(where);
    auto peer = co_await leat::tcp_stream::connect(where);
    co_await peer.send_all(get("/"));
    std::string begin(15, ' ');
    co_await peer.recv_exactly(begin);
    stop.set();
    const std::string rest = co_await rest_of(peer);
    CHECK(rest.ends_with(" and the end\r\n0\r\n\r\n"));
    const std::string nothing = co_await rest_of(idle);
    CHECK(nothing.empty());
    peer.close();
    idle.close();
    co_await serving;
}

LEAT_TEST("connections that were accepted just before the stop end at once") {
    for (int turns = 0; turns < 8; ++turns) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto serving = leat::spawn(leat::http::serve(lent_listener(listener), long_answer, patient));
        auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
        for (int i = 0; i < turns; ++i) {
            co_await leat::yield();
        }
        listener.close();
        const std::string nothing = co_await rest_of(peer);
        CHECK(nothing.empty());
        peer.close();
        co_await serving;
    }
}

LEAT_TEST("a request that comes with the stop is answered, or its handler never begins") {
    for (int i = 0; i < 300; ++i) {
        leat::spawn([]() -> leat::task<> {  // so that what is ready waits for its turn
            for (;;) {
                co_await leat::yield();
            }
        });
    }
    for (int turns = 0; turns < 12; ++turns) {
        int begun = 0;
        int ended = 0;
        const auto handler = [&](const request&) -> leat::task<response> {
            ++begun;
            co_await leat::yield();
            ++ended;
            co_return response{};
        };
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto serving = leat::spawn(leat::http::serve(lent_listener(listener), handler, patient));
        auto peer = co_await leat::tcp_stream::connect(listener.local_endpoint());
        co_await peer.send_all(get("/"));
        std::string answer(15, ' ');
        co_await peer.recv_exactly(answer);
        for (int turn = 0; turn < 12; ++turn) {
            if (turn == turns) {
                (void)co_await leat::as_result(peer.send_all(get("/")));
            }
            if (turn == 6) {
                listener.close();
            }
            co_await leat::yield();
        }
        const std::string rest = co_await rest_of(peer);
        CHECK(begun == ended);
        CHECK((rest.find("HTTP/1.1 200") != rest.npos) == (begun == 2));
        peer.close();
        co_await serving;
    }
}

LEAT_TEST("what was received as its connection was ended begins no handler", on(simulated)) {
    struct ending {
        const char* sent;
        bool by_stop;
        const char* answer;
    };
    const std::string refused = "HTTP/1.1 408 Request Timeout\r\n";
    for (const ending& each : {ending{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, ""},
                               ending{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, ""},
                               ending{"GET / HTTP/1.1\r\n|Host: a\r\n\r\n", false, refused.c_str()}}) {
        leat::event stop;
        auto [near, far] = memory_stream::pair();
        const std::string_view sent = each.sent;
        const std::size_t cut = std::min(sent.find('|'), sent.size());
        bool last = cut == sent.size();
        const auto between = [&]() -> leat::task<> {
            if (last) {
                if (each.by_stop) {
                    stop.set();
                }
                co_await leat::sleep(1s);
            }
        };
        bool begun = false;
        const auto handler = [&](const request&) -> leat::task<response> {
            begun = true;
            co_return response{};
        };
        leat::http::serve_options options = patient;
        if (!each.by_stop) {
            options.limits.idle = options.limits.head = 500ms;
        }
        auto serving = leat::spawn(
            leat::http::serve(single_listener(delayed_stream(std::move(far), between, nothing_happens), stop),
                              handler, options));
        co_await near.send_all(sent.substr(0, cut));
        if (!last) {
            co_await leat::sleep(10ms);
            last = true;
            co_await near.send_all(sent.substr(cut + 1));
        }
        const std::string all = co_await rest_of(near);
        CHECK_FALSE(begun);
        CHECK(all.substr(0, refused.size()) == each.answer);
        near.close();
        stop.set();
        co_await serving;
    }
}

LEAT_TEST("no request is begun behind an answer whose time was over as it was sent", on(simulated)) {
    auto [near, far] = memory_stream::pair();
    int begun = 0;
    const auto handler = [&](const request&) -> leat::task<response> {
        ++begun;
        response made;
        made.body.assign(100'000, 'b');
        co_return made;
    };
    leat::event stop;
    leat::http::serve_options options = patient;
    options.limits.send = 500ms;
    const auto late = []() -> leat::task<> { co_await leat::sleep(1s); };
    auto serving = leat::spawn(leat::http::serve(
        single_listener(delayed_stream(std::move(far), nothing_happens, late), stop), handler, options));
    auto asking = leat::spawn([&]() -> leat::task<> { co_await near.send_all(get("/1") + get("/2")); });
    const std::string all = co_await rest_of(near);
    CHECK(begun == 1);
    CHECK(all.ends_with("\r\n\r\n" + std::string(100'000, 'b')));
    co_await asking;
    near.close();
    stop.set();
    co_await serving;
}
