// SPDX-License-Identifier: MIT
#include <leat/copy.hpp>

#include "conformance/connected.hpp"
#include "echo.hpp"

#include <leat/any_stream.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/scripted_stream.hpp>

#include <string>
#include <system_error>

using namespace std::chrono_literals;
using conformance::connected;
using conformance::connection;
using conformance::read_to_the_end;
using leat::copied_bytes;
using leat::tcp_stream;
using leat::testing::memory_stream;
using leat::testing::scripted_stream;
using leat::testing::wait_until_idle;

namespace {

// A client and an origin, with the two streams between which a proxy copies.
struct proxied {
    proxied(connection one, connection other) noexcept
        : client(std::move(one.client)),
          near(std::move(one.server)),
          far(std::move(other.client)),
          origin(std::move(other.server)) {}
    tcp_stream client;
    tcp_stream near;
    tcp_stream far;
    tcp_stream origin;
};

leat::task<proxied> make_proxied() {
    connection one = co_await connected();
    connection other = co_await connected();
    proxied all(std::move(one), std::move(other));
    co_return all;
}

leat::task<> say_and_end(tcp_stream& to, std::string_view text) {
    co_await to.send_all(text);
    to.shutdown_send();
}

leat::task<> forward(leat::endpoint origin, tcp_stream client) {
    tcp_stream server = co_await tcp_stream::connect(origin);
    (void)co_await leat::copy_both(client, server);
}

// Sends `text` and its end through a proxy to an echo server, and gives all that comes back.
leat::task<std::string> echoed_through_a_proxy(std::string text) {
    auto origin = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto door = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint origin_at = origin.local_endpoint();
    const leat::endpoint door_at = door.local_endpoint();
    std::string back;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(leat::serve(std::move(origin), leat::testing::echo, {.stop_on = {}}));
        const auto proxy = [=](tcp_stream client) { return forward(origin_at, std::move(client)); };
        group.spawn(leat::serve(std::move(door), proxy, {.stop_on = {}}));
        tcp_stream client = co_await tcp_stream::connect(door_at);
        auto sender = group.spawn([&] { return say_and_end(client, text); });
        back = co_await read_to_the_end(client);
        co_await sender;
        group.cancel();
    });
    co_return back;
}

}  // namespace

LEAT_TEST("copying goes on until the end, tells how much it was, and ends nothing") {
    proxied all = co_await make_proxied();
    const std::string text(300'000, 'x');
    auto sender = leat::spawn([&] { return say_and_end(all.client, text); });
    auto copying = leat::spawn(leat::copy(all.near, all.far));
    std::string received(text.size(), ' ');
    co_await all.origin.recv_exactly(received);
    const std::uint64_t copied = co_await copying;
    co_await sender;
    CHECK(copied == text.size());
    CHECK(received == text);
    const bool still_open = co_await conformance::carries(all.far, all.origin);
    CHECK(still_open);
}

LEAT_TEST("copying both ways passes each end on, and goes on the other way") {
    for (const bool client_ends_first : {true, false}) {
        proxied all = co_await make_proxied();
        tcp_stream& first = client_ends_first ? all.client : all.origin;
        tcp_stream& last = client_ends_first ? all.origin : all.client;
        auto copying = leat::spawn(leat::copy_both(all.near, all.far));
        co_await say_and_end(first, "the first");
        const std::string at_last = co_await read_to_the_end(last);
        CHECK(at_last == "the first");
        CHECK_FALSE(copying.done());
        co_await say_and_end(last, "and the last");
        const std::string at_first = co_await read_to_the_end(first);
        CHECK(at_first == "and the last");
        const copied_bytes copied = co_await copying;
        CHECK(copied.a_to_b == (client_ends_first ? 9 : 12));
        CHECK(copied.b_to_a == (client_ends_first ? 12 : 9));
    }
}

LEAT_TEST("a reset ends copying both ways with its error, and leaves the other stream open") {
    proxied all = co_await make_proxied();
    auto copying = leat::spawn(leat::copy_both(all.near, all.far));
    co_await all.client.send_all("half of it");
    std::string half(10, ' ');
    co_await all.origin.recv_exactly(half);
    CHECK(half == "half of it");
    all.client.set_reset_on_close();
    all.client.close();
    const auto copied = co_await leat::as_result(copying);
    CHECK(copied.error() == std::errc::connection_reset);
    const bool there = co_await conformance::carries(all.far, all.origin);
    const bool and_back = co_await conformance::carries(all.origin, all.far);
    CHECK(there);
    CHECK(and_back);
}

LEAT_TEST("what was copied both ways is told while it goes on, and when it failed or was cancelled") {
    for (const bool by_reset : {true, false}) {
        proxied all = co_await make_proxied();
        copied_bytes counts{.a_to_b = 7, .b_to_a = 7};
        auto copying = leat::spawn(leat::copy_both(all.near, all.far, {.counts = &counts}));
        std::string text(10, ' ');
        co_await all.client.send_all("half of it");
        co_await all.origin.recv_exactly(text);
        co_await all.origin.send_all("back");
        co_await all.client.recv_exactly(std::span(text).first(4));
        for (int turn = 0; turn < 1000 && counts.b_to_a == 0; ++turn) {
            co_await leat::yield();  // the send that has arrived may end later
        }
        CHECK(counts.a_to_b == 10);
        CHECK(counts.b_to_a == 4);
        if (by_reset) {
            all.client.set_reset_on_close();
            all.client.close();
        } else {
            copying.cancel();
        }
        const auto& ended = co_await copying.join();
        CHECK_FALSE(ended.ok());
        CHECK(ended.cancelled() != by_reset);
        CHECK(counts.a_to_b == 10);
        CHECK(counts.b_to_a == 4);
    }
}

LEAT_TEST("copying both ways ends by timed_out when both have been silent for so long",
          on(leat::testing::simulated)) {
    proxied all = co_await make_proxied();
    copied_bytes counts;
    const auto began = leat::now();
    auto copying = leat::spawn(leat::copy_both(all.near, all.far, {.idle = 60s, .counts = &counts}));
    auto reader = leat::spawn([&] { return read_to_the_end(all.origin); });
    for (int i = 0; i < 5; ++i) {  // one way that is not silent keeps both
        co_await leat::sleep(50s);
        co_await all.client.send_all("x");
    }
    CHECK_FALSE(copying.done());
    const auto copied = co_await leat::as_result(copying);
    CHECK(copied.error() == std::errc::timed_out);
    CHECK(leat::now() - began >= 310s);
    CHECK(leat::now() - began < 311s);
    CHECK(counts.a_to_b == 5);
    CHECK(counts.b_to_a == 0);
    reader.cancel();
    co_await reader.join();
    const bool there = co_await conformance::carries(all.far, all.origin);
    const bool and_back = co_await conformance::carries(all.near, all.client);
    CHECK(there);
    CHECK(and_back);
}

LEAT_TEST("a way that has ended is silent: the other one alone keeps copying alive",
          on(leat::testing::simulated)) {
    proxied all = co_await make_proxied();
    auto copying = leat::spawn(leat::copy_both(all.near, all.far, {.idle = 60s}));
    co_await say_and_end(all.client, "question");
    const std::string asked = co_await read_to_the_end(all.origin);
    CHECK(asked == "question");
    for (int i = 0; i < 3; ++i) {
        co_await leat::sleep(50s);
        co_await all.origin.send_all("x");
    }
    const auto last = leat::now();
    const auto copied = co_await leat::as_result(copying);
    CHECK(copied.error() == std::errc::timed_out);
    CHECK(leat::now() - last >= 60s);
    CHECK(leat::now() - last < 61s);
}

LEAT_TEST("copying that ends before the limit of its silence ends at once", on(leat::testing::simulated)) {
    for (const bool client_ends_first : {true, false}) {
        proxied all = co_await make_proxied();
        const auto began = leat::now();
        auto copying = leat::spawn(leat::copy_both(all.near, all.far, {.idle = 60s}));
        co_await say_and_end(client_ends_first ? all.client : all.origin, "the first");
        co_await leat::sleep(1s);
        CHECK_FALSE(copying.done());
        co_await say_and_end(client_ends_first ? all.origin : all.client, "last");
        const copied_bytes copied = co_await copying;
        CHECK(copied.a_to_b == (client_ends_first ? 9 : 4));
        CHECK(copied.b_to_a == (client_ends_first ? 4 : 9));
        CHECK(leat::now() - began < 2s);
    }
}

LEAT_TEST("copying both ways may be cancelled at any time: what has arrived is what was sent") {
    const std::string text = conformance::too_much().substr(0, 1'000'000);
    bool finished = false;
    for (int turns = 0; !finished; turns = 2 * turns + 1) {
        proxied all = co_await make_proxied();
        auto sender = leat::spawn(
            [&]() -> leat::task<> { (void)co_await leat::as_result(say_and_end(all.client, text)); });
        auto reader = leat::spawn([&] { return read_to_the_end(all.origin); });
        all.origin.shutdown_send();
        auto copying = leat::spawn(leat::copy_both(all.near, all.far));
        for (int turn = 0; turn < turns; ++turn) {
            co_await leat::yield();
        }
        copying.cancel();
        const auto& ended = co_await copying.join();
        finished = ended.ok();
        CHECK(ended.cancelled() != finished);
        all.near.close();
        all.far.close();
        const std::string arrived = co_await reader;
        co_await sender;
        CHECK(text.starts_with(arrived));
        CHECK((!finished || arrived.size() == text.size()));
    }
}

LEAT_TEST("who receives slowly slows down who sends: copying holds no more than a chunk") {
    constexpr std::size_t capacity = 10;
    constexpr std::size_t piece = 3;
    auto [client, near] = memory_stream::pair({.capacity = capacity, .piece = piece});
    auto [far, origin] = memory_stream::pair({.capacity = capacity, .piece = piece});
    const std::string text(1000, 'x');
    auto copying = leat::spawn(leat::copy_both(near, far));
    auto sender = leat::spawn([&from = client, &text]() -> leat::task<> {
        co_await from.send_all(text);
        from.shutdown_send();
    });
    co_await wait_until_idle();
    CHECK(client.bytes_sent() <= 2 * capacity + piece);
    CHECK(client.bytes_sent() >= 2 * capacity);
    std::string received(text.size(), ' ');
    co_await origin.recv_exactly(received);
    CHECK(received == text);
    origin.shutdown_send();
    co_await leat::join_all(copying, sender);
    CHECK(copying.value().a_to_b == text.size());
}

LEAT_TEST("a proxy in front of an echo server gives back every byte, then the end") {
    const std::string text = conformance::too_much().substr(0, 500'000);
    const std::string back = co_await echoed_through_a_proxy(text);
    CHECK(back == text);
}

LEAT_SIMULATE("a proxy loses no byte, whatever is short or late", {.seeds = 40, .random_order = true}) {
    const std::string text = conformance::too_much().substr(0, 60'000);
    const std::string back = co_await echoed_through_a_proxy(text);
    CHECK(back == text);
}

LEAT_TEST("streams of different kinds are copied between, and an error of either ends both ways") {
    scripted_stream client;
    client.answer("question").end().expect("answer");
    const auto asked = client.verdict();
    scripted_stream server;
    server.expect("question").answer("answer").end();
    leat::any_stream other(std::move(server));
    const copied_bytes copied = co_await leat::copy_both(client, other);
    CHECK(asked.text() == "");
    CHECK(copied.a_to_b == 8);
    CHECK(copied.b_to_a == 6);

    auto [near, far] = memory_stream::pair();
    scripted_stream failing;
    failing.answer("some").fail(std::errc::connection_reset);
    const auto failed = co_await leat::as_result(leat::copy_both(near, failing));
    CHECK(failed.error() == std::errc::connection_reset);
    std::string arrived(4, ' ');
    co_await far.recv_exactly(arrived);
    CHECK(arrived == "some");
}

namespace {

constexpr int enough = 10;

// Always has another byte to give and room for more, so that it never waits, until `others` have had enough
// turns; or too many bytes have gone without that.
class endless_stream {
public:
    explicit endless_stream(const int& others) noexcept : others_(&others) {}

    leat::task<leat::chunk> recv_chunk() {
        if (*others_ >= enough || ++given_ > 100'000) {
            co_return leat::chunk();
        }
        co_return leat::chunk(leat::heap_buffers, new std::byte[1]{}, 0, 1);
    }
    leat::task<std::size_t> recv(leat::byte_buffer /*into*/) { co_return 0; }
    leat::task<> recv_exactly(leat::byte_buffer /*into*/) { co_return; }
    leat::task<std::size_t> send(leat::byte_view from) { co_return from.size(); }
    leat::task<> send_all(leat::byte_view /*from*/) { co_return; }
    void shutdown_send() {}
    void close() noexcept {}

private:
    const int* others_;
    int given_ = 0;
};

}  // namespace

LEAT_TEST("copying between streams that never wait lets others run") {
    int turns = 0;
    auto other = leat::spawn([&]() -> leat::task<> {
        while (turns < enough) {
            ++turns;
            co_await leat::yield();
        }
    });
    endless_stream one(turns);
    endless_stream another(turns);
    (void)co_await leat::copy_both(one, another);
    CHECK(turns == enough);
    co_await other;
}
