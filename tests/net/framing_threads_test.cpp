// SPDX-License-Identifier: MIT
// Connections of messages that are added to a running loop and removed from it, by tasks and by other
// threads; and a reader that goes to another thread.
#include "../runtime/other_thread.hpp"
#include "conformance/connected.hpp"

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using conformance::connected;
using conformance::connection;
using conformance::patience;
using leat::task;

namespace {

const auto eom = leat::message_format::with_terminator("\r<--EOM-->\r");

task<> echo_back(leat::tcp_stream from) {
    leat::message_stream peer(std::move(from), eom);
    while (const auto message = co_await peer.recv()) {
        co_await peer.send(*message);
    }
}

struct exchanged {
    std::atomic<int> whole = 0;
    std::atomic<int> removed = 0;
    std::atomic<bool> wrong = false;
};

// Counts how it ended.
struct ended_as {
    explicit ended_as(exchanged& of) noexcept : all(of) {}
    ~ended_as() { ++(whole ? all.whole : all.removed); }
    exchanged& all;
    bool whole = false;
};

// So many messages, each of which comes back; without end if there is no number.
task<> exchange(leat::endpoint place, int messages, exchanged& all) {
    ended_as how(all);
    auto connection = co_await leat::tcp_stream::connect(place);
    leat::message_stream peer(std::move(connection), eom);
    for (int i = 0; messages == 0 || i < messages; ++i) {
        const std::string text =
            std::to_string(i) + std::string(static_cast<std::size_t>(i * 37 % 9'000), '.');
        co_await peer.send(text);
        const auto back = co_await peer.recv();
        all.wrong = all.wrong || back != text;
    }
    how.whole = true;
}

}  // namespace

LEAT_TEST("connections come and go, by other tasks and from another thread, while messages flow",
          on(kernel)) {
    constexpr int count = 20;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint place = listener.local_endpoint();
    auto server =
        leat::spawn([&] { return leat::serve<leat::tcp_listener&>(listener, echo_back, {.stop_on = {}}); });
    exchanged constant;
    exchanged by_tasks;
    exchanged by_thread;
    auto flows = leat::spawn(exchange, place, 300, std::ref(constant));
    auto adds = leat::spawn([&]() -> task<> {
        for (int i = 0; i < count; ++i) {
            auto whole = leat::spawn(exchange, place, 10, std::ref(by_tasks));
            auto endless = leat::spawn(exchange, place, 0, std::ref(by_tasks));
            co_await whole;
            endless.cancel();
            co_await endless.join();
        }
    });
    std::vector<leat::handle<>> endless;  // of this thread
    std::thread other([&, here = leat::current_scheduler().remote()] {
        for (int i = 0; i < count; ++i) {
            here.spawn(exchange, place, 10, std::ref(by_thread));
            here.post([&] { endless.push_back(leat::spawn(exchange, place, 0, std::ref(by_thread))); });
            while (by_thread.whole <= i) {
                std::this_thread::yield();
            }
            here.post([&] { endless.back().cancel(); });
        }
    });
    co_await leat::timeout(patience, flows);
    co_await leat::timeout(patience, adds);
    while (by_thread.whole + by_thread.removed < 2 * count) {
        co_await leat::yield();
    }
    other.join();
    CHECK(constant.whole == 1);
    for (const exchanged* each : {&by_tasks, &by_thread}) {
        CHECK(each->whole == count);
        CHECK(each->removed == count);
    }
    CHECK_FALSE((constant.wrong || by_tasks.wrong || by_thread.wrong));
    listener.close();
    co_await leat::timeout(patience, server);
}

LEAT_TEST("a reader that goes to another thread takes what it holds along", on(kernel)) {
    leat::other_thread there;
    connection both = co_await connected();
    co_await both.client.send_all("one\ntwo\nthr");
    leat::buffered_reader reader(std::move(both.server));
    const auto one = co_await reader.line();
    CHECK(one == "one");
    std::vector<std::string> came;
    auto rest = there.remote().call([&came, &reader]() -> task<> {
        leat::buffered_reader taken = std::move(reader);
        while (const auto line = co_await taken.line()) {
            came.emplace_back(*line);
        }
    });
    reader.detach();
    co_await both.client.send_all("ee\n");
    both.client.shutdown_send();
    co_await leat::timeout(patience, rest);
    CHECK(came == std::vector<std::string>{"two", "three"});
}
