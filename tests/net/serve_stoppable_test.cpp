// SPDX-License-Identifier: MIT
// A server that stops gives its connections a grace, but for those whose client has not asked for anything.
#include "echo.hpp"

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/stoppable.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::expect_answer;
using leat::testing::lent_listener;

namespace {

// Waits for a word, for as long as it takes, and answers it.
leat::task<> answer_words(leat::tcp_stream peer) {
    for (;;) {
        const leat::chunk word = co_await leat::stoppable(peer.recv_chunk());
        if (word.empty()) {
            co_return;
        }
        co_await leat::sleep(1min);  // an answer takes its time
        co_await peer.send_all(word);
    }
}

// Says when serve() closes it, which it does as it stops.
class telling_listener : public lent_listener {
public:
    telling_listener(leat::tcp_listener& owned, leat::event& closed) noexcept
        : lent_listener(owned), closed_(&closed) {}
    void close() noexcept {
        lent_listener::close();
        closed_->set();
    }

private:
    leat::event* closed_;
};

constexpr leat::serve_options patient{.grace = 1h, .stop_on = {}};

}  // namespace

LEAT_TEST("a stop ends connections that nobody has asked anything at once, others when they have answered",
          on(leat::testing::simulated)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto serving = leat::spawn(leat::serve(lent_listener(listener), answer_words, patient));
    auto silent = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto asking = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await asking.send_all("word");
    co_await leat::sleep(1s);
    const auto stopped = leat::now();
    listener.close();
    std::string text(4, ' ');
    (void)co_await silent.recv(text);  // its end
    CHECK(leat::now() - stopped < 1s);
    CHECK_FALSE(serving.done());
    co_await asking.recv_exactly(text);
    CHECK(text == "word");
    co_await serving;  // whose task comes to its next wait
    CHECK(leat::now() - stopped < 2min);
}

LEAT_TEST("a stop ends a connection that comes to its first wait after it") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    leat::event begun;
    leat::event go_on;
    bool received = false;
    const auto late = [&](leat::tcp_stream peer) -> leat::task<> {
        begun.set();
        co_await go_on.wait();
        (void)co_await leat::stoppable(peer.recv_chunk());
        received = true;
    };
    leat::event stopped;
    auto serving = leat::spawn(leat::serve(telling_listener(listener, stopped), late, patient));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await client.send_all("there already");
    co_await begun.wait();
    listener.close();
    co_await stopped.wait();
    go_on.set();
    co_await serving;
    CHECK_FALSE(received);
}

LEAT_TEST("a wait until the stop ends with it, and the handler goes on") {
    for (const bool in_a_child : {false, true}) {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        leat::event begun;
        bool before = true;
        bool after = false;
        const auto converse = [&](leat::tcp_stream peer) -> leat::task<> {
            before = leat::stopping();
            begun.set();
            const auto question = co_await leat::until_stop(peer.recv_chunk());
            after = leat::stopping();
            CHECK_FALSE(question.has_value());
            co_await peer.send_all("bye");
        };
        const auto converse_in_a_child = [&](leat::tcp_stream peer) -> leat::task<> {
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                group.spawn(converse, std::move(peer));
                co_await group.wait();
            });
        };
        const auto handler = [&](leat::tcp_stream peer) {
            return in_a_child ? converse_in_a_child(std::move(peer)) : converse(std::move(peer));
        };
        auto serving = leat::spawn(leat::serve(lent_listener(listener), handler, patient));
        auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
        co_await begun.wait();
        listener.close();
        std::string text(3, ' ');
        co_await client.recv_exactly(text);
        CHECK(text == "bye");
        co_await serving;
        CHECK_FALSE(before);
        CHECK(after);
    }
}

LEAT_TEST("a wait until the stop that comes after it does not begin, and one that had its result gives it") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    leat::event begun;
    leat::event go_on;
    std::string first;
    bool second = true;
    const auto late = [&](leat::tcp_stream peer) -> leat::task<> {
        const auto word = co_await leat::until_stop(peer.recv_chunk());
        first = word.has_value() ? word->text() : "nothing";
        begun.set();
        co_await go_on.wait();
        second = co_await leat::until_stop(leat::yield());
    };
    leat::event stopped;
    auto serving = leat::spawn(leat::serve(telling_listener(listener, stopped), late, patient));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await client.send_all("word");
    co_await begun.wait();
    listener.close();
    co_await stopped.wait();
    go_on.set();
    co_await serving;
    CHECK(first == "word");
    CHECK_FALSE(second);
}

LEAT_TEST(
    "a handler in a wait that it can be cancelled in is cancelled, whatever else waits until the stop") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    leat::event begun;
    bool went_on = false;
    const auto handler = [&](leat::tcp_stream peer) -> leat::task<> {
        begun.set();
        (void)co_await leat::until_stop(leat::stoppable(peer.recv_chunk()));
        went_on = true;
    };
    auto serving = leat::spawn(leat::serve(lent_listener(listener), handler, patient));
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await begun.wait();
    listener.close();
    co_await serving;
    CHECK_FALSE(went_on);
}

LEAT_TEST("outside a server nothing stops, and a wait until the stop gives what it waited for") {
    auto [near, far] = co_await leat::testing::stream_pair();
    co_await near.send_all("word");
    const auto word = co_await leat::until_stop(far.recv_chunk());
    REQUIRE(word.has_value());
    CHECK(word->text() == "word");
    CHECK_FALSE(leat::stopping());
}

LEAT_TEST("outside a server a stoppable wait is a wait") {
    auto [near, far] = co_await leat::testing::stream_pair();
    co_await near.send_all("word");
    const leat::chunk word = co_await leat::stoppable(far.recv_chunk());
    CHECK(word.text() == "word");
}
