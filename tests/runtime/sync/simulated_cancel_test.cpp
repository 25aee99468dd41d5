// SPDX-License-Identifier: MIT
// Tasks in an order that is drawn hand over values, permits, locks and places, and are cancelled at moments
// that are drawn: a model counts, and nothing is lost or there twice.
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <optional>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;

namespace {

struct carried_values {
    std::vector<int> sent;
    std::vector<int> received;

    void compare() {
        std::ranges::sort(sent);
        std::ranges::sort(received);
        CHECK((sent == received));
    }
};

// Runs senders and receivers, closes what they use, and takes what is left in it.
template <typename Carrier, typename Send, typename Receive, typename Take>
leat::task<> carry(Carrier& carrier, Send send, Receive receive, Take take) {
    std::vector<leat::handle<>> senders = spawn_several(3, send);
    std::vector<leat::handle<>> receivers = spawn_several(3, receive);
    co_await cancel_some(senders);
    co_await cancel_some(receivers);
    co_await leat::join_all(senders);
    carrier.close();
    co_await leat::join_all(receivers);
    while (take()) {
    }
}

// Counts who is in a place for `most`, for as long as this lives.
class presence {
public:
    presence(std::size_t& present, std::size_t most, std::size_t count = 1)
        : present_(present), count_(count) {
        present_ += count_;
        CHECK(present_ <= most);
    }
    ~presence() { present_ -= count_; }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;

private:
    std::size_t& present_;
    std::size_t count_;
};

template <typename Queue>
leat::task<> queue_loses_nothing() {
    Queue queue(1 + draw(4));
    carried_values values;
    auto put = [&](int number) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            const int value = 100 * number + count;
            const bool done = co_await leat::move_on_after(draw_moment(), queue.put(value));
            if (done) {
                values.sent.push_back(value);
            }
        }
    };
    struct finished {
        Queue& of;
        ~finished() { of.done(); }
    };
    auto get = [&](int) -> leat::task<> {
        for (;;) {
            const auto got = co_await leat::move_on_after(draw_moment(), queue.get());
            if (got.has_value() && !got->has_value()) {
                co_return;
            }
            if (got.has_value()) {
                values.received.push_back(**got);
                const finished worked{queue};
                co_await leat::sleep(draw_moment());
            }
        }
    };
    auto take = [&] {
        const auto got = queue.try_get();
        if (got) {
            values.received.push_back(*got);
            queue.done();
        }
        return got.has_value();
    };
    co_await carry(queue, put, get, take);
    values.compare();
    CHECK(queue.unfinished() == 0);
    co_await queue.join();
}

}  // namespace

LEAT_SIMULATE("no value of a channel is lost", {.seeds = 200, .random_order = true}) {
    leat::channel<int> channel(draw(4));
    carried_values values;
    auto send = [&](int number) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            const int value = 100 * number + count;
            if (channel.capacity() > 0 && draw(2) == 0) {
                auto place = co_await leat::move_on_after(draw_moment(), channel.reserve());
                if (place.has_value()) {
                    co_await leat::sleep(draw_moment());
                    place->send(value);
                    values.sent.push_back(value);
                }
            } else {
                const bool done = co_await leat::move_on_after(draw_moment(), channel.send(value));
                if (done) {
                    values.sent.push_back(value);
                }
            }
        }
    };
    auto receive = [&](int) -> leat::task<> {
        for (;;) {
            const auto got = co_await leat::move_on_after(draw_moment(), channel.receive());
            if (got.has_value() && !got->has_value()) {
                co_return;
            }
            if (got.has_value()) {
                values.received.push_back(**got);
                co_await leat::sleep(draw_moment());
            }
        }
    };
    auto take = [&] {
        const auto got = channel.try_receive();
        if (got) {
            values.received.push_back(*got);
        }
        return got.has_value();
    };
    co_await carry(channel, send, receive, take);
    values.compare();
}

LEAT_SIMULATE("no value of a queue is lost", {.seeds = 200, .random_order = true}) {
    co_await queue_loses_nothing<leat::queue<int>>();
    co_await queue_loses_nothing<leat::priority_queue<int>>();
    co_await queue_loses_nothing<leat::lifo_queue<int>>();
}

LEAT_SIMULATE("no permit of a semaphore is lost", {.seeds = 200, .random_order = true}) {
    const std::size_t permits = 1 + draw(4);
    leat::semaphore semaphore(permits);
    std::size_t held = 0;
    std::vector<leat::handle<>> tasks = spawn_several(6, [&](int) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            const std::size_t wanted = 1 + draw(permits);
            const auto got = co_await leat::move_on_after(draw_moment(), semaphore.acquire(wanted));
            if (got.has_value()) {
                const presence here(held, permits, wanted);
                co_await leat::sleep(draw_moment());
            }
        }
    });
    co_await cancel_some(tasks);
    co_await leat::join_all(tasks);
    CHECK(held == 0);
    CHECK(semaphore.available() == permits);
}

LEAT_SIMULATE("a mutex has one holder, also across waits for a condition, and is unlocked in the end",
              {.seeds = 200, .random_order = true}) {
    leat::mutex mutex;
    leat::condition changed;
    std::size_t inside = 0;
    std::vector<leat::handle<>> tasks = spawn_several(6, [&](int) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            auto guard = co_await leat::move_on_after(draw_moment(), mutex.lock());
            if (!guard.has_value()) {
                continue;
            }
            std::optional<presence> here(std::in_place, inside, 1);
            if (draw(2) == 0) {
                here.reset();
                (void)co_await leat::move_on_after(draw_moment(), changed.wait(*guard));
                here.emplace(inside, 1);
            }
            co_await leat::sleep(draw_moment());
            changed.notify_one();
        }
    });
    co_await cancel_some(tasks);
    co_await leat::join_all(tasks);
    CHECK(inside == 0);
    CHECK_FALSE(mutex.is_locked());
}

LEAT_SIMULATE("each child that a group says it started begins and ends, and never more than its limit",
              {.seeds = 200, .random_order = true}) {
    constexpr std::size_t limit = 3;
    std::size_t started = 0;
    std::size_t begun = 0;
    std::size_t running = 0;
    auto child = [&]() -> leat::task<> {
        ++begun;
        const presence here(running, limit);
        co_await leat::sleep(3 * draw_moment());
    };
    auto parent = leat::spawn([&]() -> leat::task<> {
        co_await leat::with_task_group({.limit = limit}, [&](leat::task_group& group) -> leat::task<> {
            for (int count = 0; count < 20; ++count) {
                const auto made = co_await leat::move_on_after(draw_moment(), group.spawn_when_free(child));
                started += made.has_value() ? 1 : 0;
                if (draw(30) == 0) {
                    group.cancel();
                }
            }
            co_await group.wait();
        });
    });
    co_await leat::sleep(20 * draw_moment());
    if (draw(2) == 0) {
        parent.cancel();
    }
    co_await parent.join();
    CHECK(begun == started);
    CHECK(running == 0);
}
