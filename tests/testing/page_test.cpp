// SPDX-License-Identifier: MIT
// The code of docs/tasks.md and docs/test-kit.md, run.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/scripted_stream.hpp>

#include <cctype>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;

namespace {

// TASKS: begin
// Answers in capitals, and disconnects clients that are silent for a minute.
template <leat::stream Stream>
leat::task<> capitals(Stream peer) {
    while (auto part = co_await leat::move_on_after(1min, peer.recv_chunk())) {
        if (part->empty()) {
            co_return;
        }
        std::string answer(part->text());
        for (char& letter : answer) {
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        }
        co_await peer.send_all(answer);
    }
}
// TASKS: end

// TASKS: begin
leat::task<std::string> ask(leat::endpoint server, std::string question) {
    auto peer = co_await leat::tcp_stream::connect(server);
    co_await peer.send_all(question);
    peer.shutdown_send();
    std::string answer;
    while (auto part = co_await peer.recv_chunk()) {
        answer += part.text();
    }
    co_return answer;
}
// TASKS: end

leat::task<std::string> ask_both(leat::endpoint first, leat::endpoint second) {
    // TASKS: begin
    auto [a, b] = co_await leat::race(ask(first, "mill"), ask(second, "mill"));  // cancels the slower one
    std::string answer = a ? *a : *b;
    // TASKS: end
    co_return answer;
}

leat::task<std::string> ask_if_possible(leat::endpoint server) {
    // TASKS: begin
    auto peer = co_await leat::as_result(leat::tcp_stream::connect(server));
    if (!peer) {
        co_return peer.error() == std::errc::connection_refused ? "nobody is there" : peer.error_text();
    }
    // TASKS: end
    co_return "connected";
}

leat::task<std::string> ask_patiently(leat::endpoint server) {
    // TASKS: begin
    std::string answer = co_await leat::retry({.tries = 5}, [&] { return ask(server, "mill"); });
    // TASKS: end
    co_return answer;
}

}  // namespace

// TEST_KIT: begin
LEAT_SIMULATE("every client gets its capitals", seeds(200)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto place = listener.local_endpoint();
    std::vector<std::string> words = {"leat", "mill", "water", "wheel"};
    leat::testing::nursery tasks;  // below what they refer to
    tasks.spawn(leat::serve(std::move(listener), capitals<leat::tcp_stream>));
    auto answers =
        co_await leat::map_concurrently(words, 3, [&](std::string word) { return ask(place, word); });
    CHECK(answers == std::vector<std::string>{"LEAT", "MILL", "WATER", "WHEEL"});
}

LEAT_TEST("a silent client is cut off", on(leat::testing::simulated)) {
    auto [client, peer] = co_await leat::testing::stream_pair();
    leat::testing::nursery tasks;
    auto server = tasks.spawn(capitals<leat::tcp_stream>, std::move(peer));
    co_await leat::testing::advance(59s);
    CHECK(!server.done());
    auto end = co_await client.recv_chunk();  // at once, since time is virtual
    CHECK(end.empty());
    co_await server;
}

LEAT_TEST("a server answers as it was asked") {
    leat::testing::scripted_stream client;
    client.answer("water").expect("WATER").wait(5ms).answer("wheel").expect("WHEEL").end();
    const auto verdict = client.verdict();
    co_await capitals(std::move(client));
    CHECK(verdict.text() == "");
}
// TEST_KIT: end

LEAT_TEST("the page's client asks two servers, and learns that there is none") {
    leat::endpoint closed("127.0.0.1", 0);
    {
        auto listener = leat::tcp_listener::bind(closed);
        closed = listener.local_endpoint();
    }
    const std::string refused = co_await ask_if_possible(closed);
    CHECK(refused == "nobody is there");
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto quiet = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto place = listener.local_endpoint();
    auto server = leat::spawn(leat::serve(std::move(listener), capitals<leat::tcp_stream>, {.stop_on = {}}));
    const std::string answer = co_await ask_both(quiet.local_endpoint(), place);
    CHECK(answer == "MILL");
    const std::string connected = co_await ask_if_possible(place);
    CHECK(connected == "connected");
    server.cancel();
    co_await server.join();
}

LEAT_TEST("the page's patient client waits for a server that starts late", on(leat::testing::simulated)) {
    const leat::endpoint place("127.0.0.1", 8001);
    auto answer = leat::spawn(ask_patiently, place);
    co_await leat::testing::wait_until_idle();
    auto listener = leat::tcp_listener::bind(place);
    auto server = leat::spawn(leat::serve(std::move(listener), capitals<leat::tcp_stream>, {.stop_on = {}}));
    const std::string answered = co_await answer;
    CHECK(answered == "MILL");
    server.cancel();
    co_await server.join();
}

LEAT_TEST("the page's server runs over a stream in memory, too") {
    auto [client, peer] = leat::testing::memory_stream::lockstep_pair();
    auto server = leat::spawn(capitals<leat::testing::memory_stream>, std::move(peer));
    co_await client.send_all("leat");
    char answer[4];
    co_await client.recv_exactly(answer);
    CHECK(std::string_view(answer, 4) == "LEAT");
    client.close();
    co_await server.join();
}
