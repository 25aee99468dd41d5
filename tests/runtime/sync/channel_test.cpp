// SPDX-License-Identifier: MIT
#include <leat/sync/channel.hpp>

#include "../channel_ends.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::testing::range;
using leat::testing::receive_all;
using leat::testing::send_range;

LEAT_TEST("values arrive in order through a channel of any capacity") {
    for (const std::size_t capacity :
         {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{1000}, leat::channel<int>::unbounded}) {
        leat::channel<int> channel(capacity);
        std::vector<int> received;
        auto receiver = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
        co_await send_range(channel, 0, 100);
        channel.close();
        co_await receiver;
        CHECK(received == range(0, 100));
    }
}

LEAT_TEST("several senders and receivers lose and double nothing") {
    leat::channel<int> channel(2);
    std::vector<int> received;
    auto a = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
    auto b = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn(send_range<leat::channel<int>>, std::ref(channel), 0, 50);
        group.spawn(send_range<leat::channel<int>>, std::ref(channel), 50, 100);
        group.spawn(send_range<leat::channel<int>>, std::ref(channel), 100, 150);
        co_return;
    });
    channel.close();
    co_await leat::join_all(a, b);
    std::ranges::sort(received);
    CHECK(received == range(0, 150));
}

VIRTUAL_TEST("a full channel makes its sender wait until one value is received") {
    leat::channel<int> channel(2);
    int sent = 0;
    auto sender = leat::spawn([&]() -> leat::task<> {
        for (int i = 0; i < 4; ++i) {
            co_await channel.send(i);
            ++sent;
        }
    });
    co_await leat::sleep(1s);
    CHECK(sent == 2);
    CHECK(channel.size() == 2);
    CHECK(!channel.try_send(9));
    CHECK(channel.try_receive() == 0);
    co_await leat::sleep(1s);
    CHECK(sent == 3);
    CHECK(channel.try_receive() == 1);
    CHECK(channel.try_receive() == 2);
    co_await sender;
    CHECK(channel.try_receive() == 3);
    CHECK(!channel.try_receive().has_value());
}

VIRTUAL_TEST("the send of a rendezvous ends when its value has been received") {
    leat::channel<int> channel(0);
    bool sent = false;
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await channel.send(1);
        sent = true;
    });
    co_await leat::sleep(1s);
    CHECK(!sent);
    CHECK(!channel.try_send(2));
    const auto received = co_await channel.receive();
    CHECK(received == 1);
    co_await sender;
    auto receiver =
        leat::spawn([&]() -> leat::task<std::optional<int>> { co_return co_await channel.receive(); });
    co_await leat::yield();
    CHECK(channel.try_send(3));
    const auto third = co_await receiver;
    CHECK(third == 3);
}

LEAT_TEST("a closed channel gives what it holds, then nothing, and takes nothing more") {
    leat::channel<std::string> channel(8);
    co_await channel.send("one");
    channel.close();
    channel.close();
    CHECK(channel.is_closed());
    CHECK(!channel.try_send("two"));
    const auto refused = co_await leat::as_result(channel.send("three"));
    CHECK(refused.error() == std::errc::broken_pipe);
    const auto one = co_await channel.receive();
    CHECK(one == "one");
    const auto none = co_await channel.receive();
    CHECK(!none.has_value());
}

LEAT_TEST("closing ends the sends and receives that wait") {
    leat::channel<int> full(1);
    co_await full.send(1);
    bool refused = false;
    auto sender = leat::spawn([&]() -> leat::task<> {
        try {
            co_await full.send(2);
        } catch (const leat::channel_closed&) {
            refused = true;
        }
    });
    leat::channel<int> empty(1);
    std::vector<int> received;
    auto receiver = leat::spawn(receive_all<leat::channel<int>>, std::ref(empty), std::ref(received));
    co_await leat::yield();
    full.close();
    empty.close();
    co_await leat::join_all(sender, receiver);
    CHECK(refused);
    CHECK(received.empty());
    CHECK(full.try_receive() == 1);
}

LEAT_TEST("a cancelled send has sent nothing, and the next sender gets its room") {
    leat::channel<int> channel(1);
    co_await channel.send(1);
    auto cancelled = leat::spawn(send_range<leat::channel<int>>, std::ref(channel), 2, 3);
    auto next = leat::spawn(send_range<leat::channel<int>>, std::ref(channel), 3, 4);
    co_await leat::yield();
    cancelled.cancel();
    CHECK(channel.try_receive() == 1);
    co_await leat::join_all(cancelled, next);
    CHECK(channel.try_receive() == 3);
    CHECK(channel.size() == 0);
}

LEAT_TEST("a receive that was given a value before the cancel keeps it") {
    leat::channel<std::unique_ptr<int>> channel(1);
    std::unique_ptr<int> received;
    auto receiver = leat::spawn([&]() -> leat::task<> {
        auto value = co_await channel.receive();
        received = std::move(*value);
    });
    co_await leat::yield();
    CHECK(channel.try_send(std::make_unique<int>(7)));
    receiver.cancel();
    co_await receiver.join();
    REQUIRE(received != nullptr);
    CHECK(*received == 7);
}

LEAT_TEST("a cancelled receive leaves the value to the next one") {
    leat::channel<int> channel(1);
    std::vector<int> first;
    std::vector<int> second;
    auto a = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(first));
    auto b = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(second));
    co_await leat::yield();
    a.cancel();
    co_await channel.send(1);
    channel.close();
    co_await leat::join_all(a, b);
    CHECK(first.empty());
    CHECK(second == std::vector{1});
}

VIRTUAL_TEST("a reservation holds room, which a value takes without waiting") {
    leat::channel<int> channel(2);
    {
        auto reserved = co_await channel.reserve();
        CHECK(channel.try_send(1));
        CHECK(!channel.try_send(2));
        const auto more = co_await leat::move_on_after(1s, channel.reserve());
        CHECK(!more.has_value());
        reserved.send(3);
    }
    CHECK(channel.try_receive() == 1);
    CHECK(channel.try_receive() == 3);
    {
        const auto unused = co_await channel.reserve();
        const auto other = co_await channel.reserve();
        CHECK(!channel.try_send(4));
    }
    CHECK(channel.try_send(4));
}

LEAT_TEST("who waits for room gets what an unused reservation held") {
    leat::channel<int> channel(1);
    std::optional<leat::channel<int>::reservation> reserved(co_await channel.reserve());
    auto sender = leat::spawn(send_range<leat::channel<int>>, std::ref(channel), 5, 6);
    auto other = leat::spawn([&]() -> leat::task<> {
        auto late = co_await channel.reserve();
        late.send(6);
    });
    co_await leat::yield();
    CHECK(channel.size() == 0);
    reserved.reset();
    CHECK(channel.size() == 1);
    CHECK(channel.try_receive() == 5);
    co_await leat::join_all(sender, other);
    CHECK(channel.try_receive() == 6);
}

VIRTUAL_TEST("a reservation keeps nobody from handing a value to who waits for one") {
    leat::channel<int> channel(1);
    const auto reserved = co_await channel.reserve();
    auto sender = leat::spawn(send_range<leat::channel<int>>, std::ref(channel), 5, 7);
    co_await leat::yield();
    std::vector<int> received;
    auto receiver = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
    co_await sender;
    co_await leat::sleep(1s);
    CHECK(received == std::vector{5, 6});
    receiver.cancel();
    co_await receiver.join();
}

VIRTUAL_TEST("the room of a reservation is free once its value has been handed over, or it is given up") {
    for (const bool given_up : {false, true}) {
        leat::channel<int> channel(1);
        std::optional<leat::channel<int>::reservation> reserved(co_await channel.reserve());
        bool next_has_room = false;
        auto next = leat::spawn([&]() -> leat::task<> {
            const auto unused = co_await channel.reserve();
            next_has_room = true;
            co_await leat::sleep(1s);
        });
        auto sender = leat::spawn(send_range<leat::channel<int>>, std::ref(channel), 7, 8);
        co_await leat::yield();
        std::vector<int> received;
        auto receiver = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
        co_await leat::yield();
        CHECK(!next_has_room);
        if (!given_up) {
            reserved->send(1);
        }
        reserved.reset();
        co_await leat::yield();
        CHECK(next_has_room);
        co_await leat::join_all(next, sender);
        co_await leat::yield();
        CHECK(received == (given_up ? std::vector{7} : std::vector{7, 1}));
        channel.close();
        co_await receiver;
    }
}

VIRTUAL_TEST("a channel that was closed is not over while there is a reservation") {
    leat::channel<int> channel;
    auto reserved = co_await channel.reserve();
    auto unused = co_await channel.reserve();
    channel.close();
    std::vector<int> received;
    auto receiver = leat::spawn(receive_all<leat::channel<int>>, std::ref(channel), std::ref(received));
    co_await leat::sleep(1s);
    CHECK(!receiver.done());
    reserved.send(1);
    co_await leat::sleep(1s);
    CHECK(received == std::vector{1});
    CHECK(!receiver.done());
    {
        const auto last = std::move(unused);
    }
    co_await receiver;
    const auto refused = co_await leat::as_result(channel.reserve());
    CHECK(refused.error() == std::errc::broken_pipe);
}

LEAT_TEST("values that were never received die with the channel") {
    auto counted = std::make_shared<int>(0);
    {
        leat::channel<std::shared_ptr<int>> channel;
        for (int i = 0; i < 100; ++i) {
            co_await channel.send(counted);
            if (i % 3 == 0) {
                (void)channel.try_receive();
            }
        }
        CHECK(counted.use_count() > 50);
    }
    CHECK(counted.use_count() == 1);
}

VIRTUAL_TEST("a receiver gets the value of a sender who waits behind one that reserves") {
    leat::channel<int> channel(1);
    std::optional<leat::channel<int>::reservation> reserved(co_await channel.reserve());
    auto reserving = leat::spawn([&]() -> leat::task<> { (void)co_await channel.reserve(); });
    co_await leat::yield();
    auto sending = leat::spawn([&]() -> leat::task<> { co_await channel.send(1); });
    co_await leat::yield();
    const auto first = co_await leat::move_on_after(1s, channel.receive());
    REQUIRE(first.has_value());
    CHECK(*first == 1);
    co_await leat::yield();
    CHECK(sending.done());
    CHECK_FALSE(reserving.done());
    reserved.reset();
    co_await reserving;
    CHECK(channel.try_send(2));
}

LEAT_TEST("with timeout() a receive stays one optional: the value, or nothing at the end") {
    leat::channel<std::string> lines;
    co_await lines.send("one");
    co_await lines.send("two");
    lines.close();
    std::string received;
    while (const auto line = co_await leat::timeout(1min, lines.receive())) {
        received += *line + "\n";
    }
    CHECK(received == "one\ntwo\n");
}

VIRTUAL_TEST(
    "timeout() of a receive throws when the time is over, and move_on_after() gives an optional of one") {
    leat::channel<std::string> lines;
    const auto none = co_await leat::as_result(leat::timeout(1min, lines.receive()));
    CHECK(none.error() == std::errc::timed_out);
    const auto late = co_await leat::move_on_after(1min, lines.receive());
    CHECK_FALSE(late.has_value());
    co_await lines.send("one");
    const auto next = co_await leat::move_on_after(1min, lines.receive());
    REQUIRE(next.has_value());
    CHECK(*next == "one");  // an optional that compares
    CHECK(**next == "one");
    lines.close();
    const auto end = co_await leat::move_on_after(1min, lines.receive());
    CHECK((end.has_value() && !end->has_value()));
}
