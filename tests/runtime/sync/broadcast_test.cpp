// SPDX-License-Identifier: MIT
#include <leat/sync/broadcast.hpp>

#include "../virtual_kernel.hpp"
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;

namespace {

using plain_subscription = leat::broadcast<int>::subscription<>;

leat::task<> receive_all(plain_subscription from, std::vector<int>& into) {
    while (auto value = co_await from.receive()) {
        into.push_back(*value);
    }
}

template <typename Subscription>
leat::task<std::optional<int>> next_of(Subscription& from) {
    co_return co_await from.receive();
}

template <typename Subscription>
auto drain(Subscription& from) {
    std::vector<typename decltype(from.try_receive())::value_type> all;
    while (auto value = from.try_receive()) {
        all.push_back(std::move(*value));
    }
    return all;
}

// Counts how often it is copied.
struct counted {
    explicit counted(int number) noexcept : value(number) {}
    counted(counted&&) noexcept = default;
    counted(const counted& other) : value(other.value) {
        ++copies;
        if (value < 0) {
            throw std::runtime_error("not to be copied");
        }
    }
    counted& operator=(const counted&) = delete;
    ~counted() = default;
    int value;
    static inline int copies = 0;
};

}  // namespace

VIRTUAL_TEST("every subscriber gets, in order, what is published after it subscribed") {
    leat::broadcast<int> feed(8);
    std::vector<int> first;
    std::vector<int> second;
    CHECK(feed.publish(0) == 0);
    auto a = leat::spawn(receive_all, feed.subscribe(leat::ignore_missed), std::ref(first));
    co_await leat::yield();
    CHECK(feed.publish(1) == 1);
    auto b = leat::spawn(receive_all, feed.subscribe(leat::ignore_missed), std::ref(second));
    CHECK(feed.subscribers() == 2);
    CHECK(feed.publish(2) == 2);
    co_await leat::sleep(1s);
    CHECK(feed.publish(3) == 2);
    feed.close();
    co_await leat::join_all(a, b);
    CHECK(first == std::vector{1, 2, 3});
    CHECK(second == std::vector{2, 3});
    CHECK(feed.subscribers() == 0);
}

LEAT_TEST("a closed broadcast gives what was published, then nothing, and publishes nothing more") {
    leat::broadcast<int> feed(8);
    auto from = feed.subscribe(leat::ignore_missed);
    feed.publish(1);
    feed.close();
    feed.close();
    CHECK(feed.is_closed());
    CHECK(feed.publish(2) == 0);
    const auto one = co_await from.receive();
    CHECK(one == 1);
    const auto none = co_await from.receive();
    CHECK(!none.has_value());
    auto late = feed.subscribe(leat::ignore_missed);
    const auto nothing = co_await late.receive();
    CHECK(!nothing.has_value());
}

LEAT_TEST("a slow subscriber misses the oldest, is told how many, and goes on with the oldest left") {
    leat::broadcast<int> feed(3);
    std::vector<std::size_t> gaps;
    auto slow = feed.subscribe([&](std::size_t missed) { gaps.push_back(missed); });
    auto fast = feed.subscribe(leat::ignore_missed);
    std::vector<int> all;
    for (int value = 0; value < 7; ++value) {
        feed.publish(value);
        all.push_back(*fast.try_receive());
    }
    CHECK(slow.behind() == 7);
    CHECK(gaps.empty());
    const auto next = co_await slow.receive();
    CHECK(next == 4);
    CHECK(gaps == std::vector<std::size_t>{4});
    CHECK(drain(slow) == std::vector{5, 6});
    feed.publish(7);
    CHECK(drain(slow) == std::vector{7});
    CHECK(gaps.size() == 1);
    CHECK(slow.missed() == 4);
    CHECK(all == std::vector{0, 1, 2, 3, 4, 5, 6});
    CHECK(fast.missed() == 0);
}

LEAT_TEST("a subscriber that waited and was overrun before its turn is told") {
    leat::broadcast<int> feed(2);
    std::size_t gap = 0;
    std::vector<int> got;
    auto reader = leat::spawn([&]() -> leat::task<> {
        auto from = feed.subscribe([&](std::size_t missed) { gap += missed; });
        while (auto value = co_await from.receive()) {
            got.push_back(*value);
        }
    });
    co_await leat::yield();
    for (int value = 0; value < 5; ++value) {
        feed.publish(value);
    }
    feed.close();
    co_await reader;
    CHECK(gap == 3);
    CHECK(got == std::vector{3, 4});
}

LEAT_TEST("a subscriber that throws because it missed values has lost no other") {
    leat::broadcast<int> feed(1);
    auto from = feed.subscribe([](std::size_t) { throw std::runtime_error("missed some"); });
    feed.publish(1);
    feed.publish(2);
    CHECK_THROWS_WITH((void)from.try_receive(), "missed some");
    CHECK(from.try_receive() == 2);
    CHECK(from.missed() == 1);
    co_return;
}

LEAT_TEST("who is told of a gap may publish, and is told of the next gap as well") {
    leat::broadcast<int> feed(2);
    std::vector<std::size_t> gaps;
    auto from = feed.subscribe([&](std::size_t missed) {
        gaps.push_back(missed);
        if (gaps.size() == 1) {
            feed.publish(10);
        }
    });
    for (int value = 0; value < 4; ++value) {
        feed.publish(value);
    }
    CHECK(drain(from) == std::vector{3, 10});
    CHECK(gaps == std::vector<std::size_t>{2, 1});
    co_return;
}

LEAT_TEST("a value stands once until it is received, and the last to receive it has it moved") {
    counted::copies = 0;
    leat::broadcast<counted> feed(8);
    auto a = feed.subscribe(leat::ignore_missed);
    auto b = feed.subscribe(leat::ignore_missed);
    auto c = feed.subscribe(leat::ignore_missed);
    feed.publish(counted(1));
    CHECK(counted::copies == 0);
    CHECK(a.try_receive()->value == 1);
    CHECK(b.try_receive()->value == 1);
    CHECK(counted::copies == 2);
    CHECK(c.try_receive()->value == 1);
    CHECK(counted::copies == 2);
    co_return;
}

LEAT_TEST("a value that cannot be copied for a subscriber stays to be received") {
    leat::broadcast<counted> feed(8);
    auto a = feed.subscribe(leat::ignore_missed);
    auto b = feed.subscribe(leat::ignore_missed);
    feed.publish(counted(-1));
    CHECK_THROWS_WITH((void)a.try_receive(), "not to be copied");
    CHECK(a.behind() == 1);
    CHECK_THROWS_WITH((void)b.try_receive(), "not to be copied");
    {
        const auto gone = std::move(b);
    }
    CHECK(a.try_receive()->value == -1);
    co_return;
}

LEAT_TEST("values die when nobody is left to receive them") {
    const auto shared = std::make_shared<int>(0);
    leat::broadcast<std::shared_ptr<int>> feed(8);
    feed.publish(shared);
    CHECK(shared.use_count() == 1);
    auto a = feed.subscribe(leat::ignore_missed);
    feed.publish(shared);
    {
        auto b = feed.subscribe(leat::ignore_missed);
        feed.publish(shared);
        feed.publish(shared);
        CHECK(shared.use_count() == 4);
        CHECK(drain(a).size() == 3);
        CHECK(shared.use_count() == 3);
        CHECK(*b.try_receive() == shared);
        CHECK(shared.use_count() == 2);
    }
    CHECK(shared.use_count() == 1);
    feed.publish(shared);
    CHECK(shared.use_count() == 2);
    CHECK(drain(a).size() == 1);
    co_return;
}

VIRTUAL_TEST("a cancelled receive has received nothing, and one that was woken before it has") {
    leat::broadcast<int> feed(8);
    auto from = feed.subscribe(leat::ignore_missed);
    const auto early = co_await leat::move_on_after(1s, from.receive());
    CHECK(!early.has_value());
    std::vector<int> got;
    auto reader = leat::spawn([&]() -> leat::task<> {
        const auto value = co_await from.receive();
        got.push_back(*value);
        (void)co_await from.receive();
        got.push_back(-1);
    });
    co_await leat::yield();
    feed.publish(1);
    reader.cancel();
    feed.publish(2);
    co_await reader.join();
    CHECK(got == std::vector{1});
    CHECK(drain(from) == std::vector{2});
}

LEAT_TEST("a subscription keeps its place when it is moved, and ends once") {
    leat::broadcast<int> feed(8);
    auto first = feed.subscribe(leat::ignore_missed);
    feed.publish(1);
    feed.publish(2);
    CHECK(first.try_receive() == 1);
    {
        plain_subscription second(std::move(first));
        CHECK(feed.subscribers() == 1);
        CHECK(second.try_receive() == 2);
    }
    CHECK(feed.subscribers() == 0);
    co_return;
}

LEAT_TEST("a value whose destructor publishes leaves no more values than there is room for") {
    struct publishes {
        publishes(leat::broadcast<publishes>& to, int left) noexcept : feed(&to), more(left) {}
        publishes(const publishes& other) noexcept = default;
        publishes(publishes&& other) noexcept : feed(other.feed), more(std::exchange(other.more, 0)) {}
        publishes& operator=(publishes&&) = delete;
        ~publishes() {
            if (std::exchange(more, 0) > 0) {
                feed->publish({*feed, 0});
            }
        }
        leat::broadcast<publishes>* feed;
        int more;
    };
    leat::broadcast<publishes> feed(2);
    auto slow = feed.subscribe(leat::ignore_missed);
    for (int i = 0; i < 10; ++i) {
        feed.publish({feed, 1});
    }
    std::size_t left = 0;
    while (auto value = slow.try_receive()) {
        value->more = 0;
        ++left;
    }
    CHECK(left == 2);
    co_return;
}

LEAT_SIMULATE("each subscriber, in any order, receives each value or is told that it has missed it",
              {.seeds = 200, .random_order = true}) {
    leat::broadcast<int> feed(1 + draw(4));
    int published = 0;
    std::size_t complete = 0;
    auto subscribers = spawn_several(4, [&](int) -> leat::task<> {
        co_await leat::sleep(draw_moment());
        int expected = published;
        auto values = feed.subscribe([&](std::size_t missed) {
            expected += static_cast<int>(missed);
            CHECK(expected + static_cast<int>(feed.capacity()) == published);  // no more than it must
        });
        for (;;) {
            const auto next = co_await leat::move_on_after(draw_moment(), values.receive());
            if (next.has_value() && !next->has_value()) {
                break;
            }
            if (next.has_value()) {
                CHECK(**next == expected);
                ++expected;
                co_await leat::sleep(draw_moment());
            }
        }
        CHECK(expected == published);
        ++complete;
    });
    auto publisher = leat::spawn([&]() -> leat::task<> {
        for (int count = 0; count < 30; ++count) {
            co_await leat::sleep(draw_moment());
            feed.publish(published);
            ++published;
        }
        feed.close();
    });
    co_await cancel_some(subscribers);
    co_await publisher;
    co_await leat::join_all(subscribers);
    const auto ended = std::ranges::count_if(subscribers, [](const auto& each) { return each.ok(); });
    CHECK(complete == static_cast<std::size_t>(ended));
    CHECK(feed.subscribers() == 0);
}

LEAT_TEST("a receive right after another task's cancelled one gets the next value") {
    leat::broadcast<int> from(4);
    auto values = from.subscribe(leat::ignore_missed);
    auto first = leat::spawn([&]() -> leat::task<> { (void)co_await values.receive(); });
    co_await leat::yield();
    first.cancel();
    auto second = leat::spawn([&]() -> leat::task<std::optional<int>> { return next_of(values); });
    co_await leat::switch_to(second);
    from.publish(7);
    const std::optional<int> got = co_await second;
    CHECK(got == 7);
    CHECK(first.cancelled());
}

LEAT_TEST("a receive that nobody has awaited keeps no other task from receiving") {
    leat::broadcast<int> from(4);
    auto values = from.subscribe(leat::ignore_missed);
    [[maybe_unused]] auto unused = values.receive();
    from.publish(7);
    const std::optional<int> got = co_await values.receive();
    CHECK(got == 7);
}
