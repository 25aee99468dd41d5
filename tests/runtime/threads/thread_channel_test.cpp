// SPDX-License-Identifier: MIT
// thread_channel: values between threads, with and without schedulers.
#include <leat/threads/thread_channel.hpp>

#include "../channel_ends.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::range;
using leat::testing::receive_all;
using leat::testing::send_range;

namespace {

using channel_of_int = leat::thread_channel<int>;

}  // namespace

LEAT_TEST("values go in order from a thread without a scheduler to a task", on(kernel)) {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
        channel_of_int channel(capacity);
        std::thread sender([&] {
            for (int value = 0; value < 1000; ++value) {
                channel.send_blocking(value);
            }
            channel.close();
        });
        std::vector<int> received;
        co_await receive_all(channel, received);
        sender.join();
        CHECK(received == range(0, 1000));
    }
}

LEAT_TEST("values go in order from a task to a thread without a scheduler", on(kernel)) {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, channel_of_int::unbounded}) {
        channel_of_int channel(capacity);
        std::vector<int> received;
        std::thread receiver([&] {
            while (auto value = channel.receive_blocking()) {
                received.push_back(*value);
            }
        });
        co_await send_range(channel, 0, 1000);
        channel.close();
        receiver.join();
        CHECK(received == range(0, 1000));
    }
}

TEST_CASE("schedulers on several threads send and receive, and nothing is lost or doubled") {
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{3}}) {
        channel_of_int channel(capacity);
        std::vector<int> received[2];
        std::vector<std::thread> senders;
        std::vector<std::thread> receivers;
        for (auto& into : received) {
            receivers.emplace_back([&] {
                leat::run([&]() -> leat::task<> {
                    auto a = leat::spawn(receive_all<channel_of_int>, std::ref(channel), std::ref(into));
                    auto b = leat::spawn(receive_all<channel_of_int>, std::ref(channel), std::ref(into));
                    co_await leat::join_all(a, b);
                });
            });
        }
        for (int i = 0; i < 2; ++i) {
            senders.emplace_back([&, i] {
                leat::run([&]() -> leat::task<> {
                    auto a =
                        leat::spawn(send_range<channel_of_int>, std::ref(channel), i * 2000, i * 2000 + 1000);
                    auto b = leat::spawn(send_range<channel_of_int>, std::ref(channel), i * 2000 + 1000,
                                         i * 2000 + 2000);
                    co_await leat::join_all(a, b);
                });
            });
        }
        for (std::thread& each : senders) {
            each.join();
        }
        channel.close();
        for (std::thread& each : receivers) {
            each.join();
        }
        std::vector<int> all = received[0];
        all.insert(all.end(), received[1].begin(), received[1].end());
        std::ranges::sort(all);
        CHECK(all == range(0, 4000));
    }
}

LEAT_TEST("a send in a full thread_channel waits for room, in the order of asking", on(kernel)) {
    channel_of_int channel(1);
    std::string order;
    const auto send = [&](char name, int value) -> leat::task<> {
        co_await channel.send(value);
        order += name;
    };
    auto a = leat::spawn(send, 'a', 1);
    auto b = leat::spawn(send, 'b', 2);
    auto c = leat::spawn(send, 'c', 3);
    co_await leat::yield();
    CHECK(order == "a");
    CHECK(channel.size() == 1);
    CHECK_FALSE(channel.try_send(9));
    CHECK(channel.try_receive() == 1);
    co_await b;
    CHECK(order == "ab");
    CHECK(channel.try_receive() == 2);
    CHECK(channel.try_receive() == 3);
    co_await c;
    CHECK_FALSE(channel.try_receive().has_value());
}

LEAT_TEST("receivers at a thread_channel are served in the order of asking", on(kernel)) {
    channel_of_int channel;
    int first = 0;
    int second = 0;
    const auto receive = [&](int* into) -> leat::task<> {
        const auto value = co_await channel.receive();
        *into = value.value_or(-1);
    };
    auto a = leat::spawn(receive, &first);
    auto b = leat::spawn(receive, &second);
    co_await leat::yield();
    CHECK(channel.try_send(1));
    CHECK(channel.try_send(2));
    co_await leat::join_all(a, b);
    CHECK(first == 1);
    CHECK(second == 2);
}

LEAT_TEST("a cancelled receive at a thread_channel took nothing, and a cancelled send sent nothing",
          on(kernel)) {
    channel_of_int channel(1);
    auto receiver = leat::spawn([&]() -> leat::task<> { (void)co_await channel.receive(); });
    co_await leat::yield();
    receiver.cancel();
    const auto& ended = co_await receiver.join();
    CHECK(ended.cancelled());
    CHECK(channel.try_send(1));
    auto sender = leat::spawn([&]() { return send_range(channel, 2, 3); });
    co_await leat::yield();
    sender.cancel();
    const auto& sent = co_await sender.join();
    CHECK(sent.cancelled());
    CHECK(channel.try_receive() == 1);
    CHECK_FALSE(channel.try_receive().has_value());
}

LEAT_TEST("a value that was handed over is received, though the receive at the thread_channel is cancelled",
          on(kernel)) {
    leat::thread_channel<std::unique_ptr<int>> channel;
    int received = 0;
    bool went_on = false;
    auto receiver = leat::spawn([&]() -> leat::task<> {
        const auto value = co_await channel.receive();
        received = **value;
        co_await leat::yield();
        went_on = true;
    });
    co_await leat::yield();
    std::thread([&] { CHECK(channel.try_send(std::make_unique<int>(6))); }).join();
    receiver.cancel();
    const auto& ended = co_await receiver.join();
    CHECK(ended.cancelled());
    CHECK(received == 6);
    CHECK_FALSE(went_on);
}

LEAT_TEST("no wait at a thread_channel begins inside a cancelled scope", on(kernel)) {
    channel_of_int channel;
    CHECK(channel.try_send(1));
    const auto nothing = co_await leat::move_on_after(0s, channel.receive());
    CHECK_FALSE(nothing.has_value());
    const bool sent = co_await leat::move_on_after(0s, channel.send(2));
    CHECK_FALSE(sent);
    CHECK(channel.size() == 1);
}

LEAT_TEST("close refuses senders at a thread_channel and lets receivers drain it", on(kernel)) {
    channel_of_int channel(1);
    CHECK(channel.try_send(1));
    auto sender = leat::spawn([&]() { return leat::thrown_by(send_range(channel, 2, 3)); });
    co_await leat::yield();
    std::thread([&] { channel.close(); }).join();
    const std::string said = co_await sender;
    CHECK(said == "the channel is closed: Broken pipe");
    CHECK(channel.is_closed());
    CHECK_FALSE(channel.try_send(3));
    std::thread([&] { CHECK_THROWS_AS(channel.send_blocking(3), leat::channel_closed); }).join();
    const auto last = co_await channel.receive();
    CHECK(last == 1);
    const auto end = co_await channel.receive();
    CHECK_FALSE(end.has_value());
}

TEST_CASE("close wakes the threads and tasks that wait at a thread_channel") {
    channel_of_int channel(0);
    int ended = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 2; ++i) {
        all.emplace_back([&] { CHECK_FALSE(channel.receive_blocking().has_value()); });
        all.emplace_back([&] {
            leat::run([&]() -> leat::task<> {
                const auto end = co_await channel.receive();
                CHECK_FALSE(end.has_value());
            });
        });
    }
    channel.close();
    for (std::thread& each : all) {
        each.join();
        ++ended;
    }
    CHECK(ended == 4);
}

TEST_CASE("a run in which a task waits at a thread_channel is no deadlock") {
    for (int i = 0; i < 20; ++i) {
        channel_of_int channel;
        std::thread sender;
        const int given = leat::run([&]() -> leat::task<int> {
            sender = std::thread([&] { channel.send_blocking(4); });
            const auto value = co_await channel.receive();
            co_return *value;
        });
        sender.join();
        CHECK(given == 4);
    }
}

// The one that receives, or the cancellation, comes first: never both, never neither.
LEAT_TEST("cancelling and handing over meet at a thread_channel: the value is received or still there",
          on(kernel)) {
    channel_of_int channel(0);
    std::atomic<bool> stop = false;
    std::atomic<int> sent = 0;
    std::thread sender([&] {
        while (!stop) {
            sent += channel.try_send(1);
        }
    });
    int received = 0;
    for (int round = 0; round < 2000; ++round) {
        auto receiver = leat::spawn([&]() -> leat::task<> {
            const auto value = co_await channel.receive();
            received += *value;
        });
        for (int i = 0; i < round % 5; ++i) {
            co_await leat::yield();
        }
        receiver.cancel();
        co_await receiver.join();
    }
    stop = true;
    sender.join();
    CHECK(received == sent);
}

TEST_CASE("cancelled senders of one thread and a receiver of another agree on what was sent") {
    leat::thread_channel<std::unique_ptr<int>> channel(0);
    std::atomic<bool> stop = false;
    int received = 0;
    std::thread receiver([&] {
        while (!stop) {
            received += channel.try_receive().has_value();
        }
    });
    int sent = 0;
    leat::run([&]() -> leat::task<> {
        for (int round = 0; round < 2000; ++round) {
            auto sender = leat::spawn([&]() -> leat::task<> {
                co_await channel.send(std::make_unique<int>(round));
                ++sent;
            });
            for (int i = 0; i < round % 5; ++i) {
                co_await leat::yield();
            }
            sender.cancel();
            co_await sender.join();
        }
    });
    stop = true;
    receiver.join();
    CHECK(received == sent);
}

// The channel dies in the very turn in which its last value arrives from the other thread.
LEAT_TEST("a thread_channel may be destroyed by the one that its last sender has woken", on(kernel)) {
    for (int round = 0; round < 300; ++round) {
        auto channel = std::make_unique<channel_of_int>(0);
        std::thread sender([at = channel.get()] { at->send_blocking(1); });
        const auto value = co_await channel->receive();
        CHECK(value == 1);
        if (round % 2 == 0) {
            sender.join();
            channel.reset();
        } else {
            channel.reset();
            sender.join();
        }
    }
}
