// SPDX-License-Identifier: MIT
#include <leat/sync/queue.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Gets until the queue is closed and drained; each takes `time` to be done.
leat::task<> work(leat::queue<int>& jobs, leat::duration time, std::vector<int>& into) {
    while (auto job = co_await jobs.get()) {
        co_await leat::sleep(time);
        into.push_back(*job);
        jobs.done();
    }
}

template <typename Queue>
leat::task<> put(Queue& queue, int value) {
    co_await queue.put(value);
}

// What can be got without waiting.
template <typename Queue>
auto drain(Queue& queue) {
    std::vector<typename decltype(queue.try_get())::value_type> all;
    while (auto value = queue.try_get()) {
        all.push_back(std::move(*value));
    }
    return all;
}

struct by_priority {
    bool operator()(const std::pair<int, std::string>& a,
                    const std::pair<int, std::string>& b) const noexcept {
        return a.first < b.first;
    }
};

}  // namespace

VIRTUAL_TEST("joining a queue waits until everything that was put is done, not only got") {
    leat::queue<int> jobs;
    std::vector<int> worked;
    auto worker = leat::spawn(work, std::ref(jobs), 1s, std::ref(worked));
    for (int i = 0; i < 3; ++i) {
        co_await jobs.put(i);
    }
    CHECK(jobs.unfinished() == 3);
    const auto before = leat::now();
    co_await jobs.join();
    CHECK(leat::now() - before == 3s);
    CHECK(worked == std::vector{0, 1, 2});
    CHECK(jobs.unfinished() == 0);
    jobs.close();
    co_await worker;
}

VIRTUAL_TEST("joining an idle queue does not wait, and who joined goes on although more is put then") {
    leat::queue<int> jobs;
    co_await jobs.join();
    co_await jobs.put(1);
    bool joined = false;
    auto joining = leat::spawn([&]() -> leat::task<> {
        co_await jobs.join();
        joined = true;
    });
    co_await leat::sleep(1s);
    CHECK(!joined);
    CHECK(jobs.try_get() == 1);
    jobs.done();
    CHECK(jobs.try_put(2));
    co_await joining;
    const bool again = co_await leat::move_on_after(1s, jobs.join());
    CHECK(!again);
}

LEAT_TEST("a full queue makes who puts wait, in the order of asking") {
    leat::queue<int> jobs(2);
    CHECK(jobs.empty());
    CHECK(jobs.try_put(1));
    CHECK(jobs.try_put(2));
    CHECK(jobs.full());
    CHECK(!jobs.try_put(3));
    auto third = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 3);
    auto fourth = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 4);
    co_await leat::yield();
    CHECK(jobs.unfinished() == 2);
    CHECK(jobs.try_get() == 1);
    CHECK(jobs.full());
    CHECK(jobs.unfinished() == 3);
    CHECK(!jobs.try_put(9));
    CHECK(drain(jobs) == std::vector{2, 3, 4});
    co_await leat::join_all(third, fourth);
    CHECK(jobs.size() == 0);
    CHECK(jobs.capacity() == 2);
}

LEAT_TEST("several tasks that get from a queue have one value each, in the order of asking") {
    leat::queue<int> jobs;
    std::string log;
    const auto get = [&](char name) -> leat::task<> {
        const auto value = co_await jobs.get();
        log += name + std::to_string(*value);
    };
    auto a = leat::spawn(get, 'a');
    auto b = leat::spawn(get, 'b');
    co_await leat::yield();
    CHECK(jobs.try_put(1));
    CHECK(jobs.try_put(2));
    CHECK(jobs.try_put(3));
    CHECK(jobs.size() == 1);
    co_await leat::join_all(a, b);
    CHECK(log == "a1b2");
}

VIRTUAL_TEST("a closed queue gives what it holds, then nothing, and takes nothing more") {
    leat::queue<int> jobs(1);
    co_await jobs.put(1);
    auto waiting = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 2);
    co_await leat::yield();
    jobs.close();
    jobs.close();
    CHECK(jobs.is_closed());
    const std::string refused = co_await leat::thrown_by(put(jobs, 3));
    CHECK(refused.find("the queue is closed") != std::string::npos);
    const auto& outcome = co_await waiting.join();
    CHECK_THROWS_AS(outcome.value(), leat::queue_closed);
    CHECK(!jobs.try_put(4));
    const auto one = co_await jobs.get();
    CHECK(one == 1);
    const auto none = co_await jobs.get();
    CHECK(!none.has_value());
    const bool done = co_await leat::move_on_after(1s, jobs.join());
    CHECK(!done);
    jobs.done();
    co_await jobs.join();
}

VIRTUAL_TEST("closing an empty queue ends the waits for a value") {
    leat::queue<int> jobs;
    std::vector<int> worked;
    auto worker = leat::spawn(work, std::ref(jobs), 1s, std::ref(worked));
    co_await leat::yield();
    jobs.close();
    co_await worker;
    CHECK(worked.empty());
}

LEAT_TEST("a cancelled put puts nothing, and the next one has its room") {
    leat::queue<int> jobs(1);
    co_await jobs.put(1);
    auto cancelled = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 2);
    auto next = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 3);
    co_await leat::yield();
    cancelled.cancel();
    CHECK(jobs.try_get() == 1);
    co_await leat::join_all(cancelled, next);
    CHECK(drain(jobs) == std::vector{3});
    CHECK(jobs.unfinished() == 2);
}

LEAT_TEST("a cancelled get leaves the value to the next one, and one that was given a value keeps it") {
    leat::queue<std::unique_ptr<int>> jobs;
    int got = 0;
    const auto get = [&]() -> leat::task<> {
        const auto value = co_await jobs.get();
        got += **value;
    };
    auto cancelled = leat::spawn(get);
    auto next = leat::spawn(get);
    co_await leat::yield();
    cancelled.cancel();
    CHECK(jobs.try_put(std::make_unique<int>(7)));
    next.cancel();
    co_await leat::join_all(cancelled, next);
    CHECK(got == 7);
    CHECK(jobs.unfinished() == 1);
}

LEAT_TEST("room in a queue can be reserved, and what is put there counts when it is put") {
    leat::queue<int> jobs(1);
    auto reserved = co_await jobs.reserve();
    CHECK(jobs.full());
    CHECK(!jobs.try_put(1));
    CHECK(jobs.unfinished() == 0);
    auto waiting = leat::spawn(put<leat::queue<int>>, std::ref(jobs), 1);
    co_await leat::yield();
    CHECK(jobs.try_get() == 1);
    CHECK(jobs.unfinished() == 1);
    co_await waiting;
    jobs.close();
    reserved.send(2);
    CHECK(jobs.unfinished() == 2);
    CHECK(drain(jobs) == std::vector{2});
}

LEAT_TEST("a lifo queue gives first what was put last, of those that it has taken in") {
    leat::lifo_queue<int> jobs(3);
    for (int value : {1, 2, 3}) {
        CHECK(jobs.try_put(value));
    }
    auto waiting = leat::spawn(put<leat::lifo_queue<int>>, std::ref(jobs), 4);
    co_await leat::yield();
    CHECK(drain(jobs) == std::vector{3, 4, 2, 1});
    co_await waiting;
}

LEAT_TEST("a priority queue gives the smallest first, and with greater the largest") {
    leat::priority_queue<int> smallest;
    leat::priority_queue<int, std::greater<>> largest;
    std::vector<int> sorted;
    for (int i = 0; i < 1000; ++i) {
        int value = (i * 7919) % 1009;
        CHECK(smallest.try_put(value));
        CHECK(largest.try_put(value));
        sorted.push_back(value);
    }
    std::ranges::sort(sorted);
    CHECK(drain(smallest) == sorted);
    std::ranges::reverse(sorted);
    CHECK(drain(largest) == sorted);
    co_return;
}

LEAT_TEST("values of one priority are given in the order in which they were put") {
    leat::priority_queue<std::pair<int, std::string>, by_priority> jobs;
    for (int i = 0; i < 20; ++i) {
        CHECK(jobs.try_put({i % 3, std::to_string(i / 3)}));
    }
    const auto all = drain(jobs);
    for (std::size_t i = 1; i < all.size(); ++i) {
        const bool same = all[i - 1].first == all[i].first;
        CHECK((same ? std::stoi(all[i - 1].second) < std::stoi(all[i].second) : all[i - 1] < all[i]));
    }
    co_return;
}

LEAT_TEST("a priority queue orders what it holds while it is being emptied and filled") {
    leat::priority_queue<std::unique_ptr<int>,
                         decltype([](const auto& a, const auto& b) noexcept { return *a < *b; })>
        jobs(3);
    for (int value : {5, 1, 3}) {
        CHECK(jobs.try_put(std::make_unique<int>(value)));
    }
    CHECK(**jobs.try_get() == 1);
    CHECK(jobs.try_put(std::make_unique<int>(2)));
    CHECK(**jobs.try_get() == 2);
    CHECK(**jobs.try_get() == 3);
    CHECK(jobs.try_put(std::make_unique<int>(9)));
    CHECK(**jobs.try_get() == 5);
    CHECK(**jobs.try_get() == 9);
    CHECK(jobs.empty());
    co_return;
}

LEAT_TEST("values that were never got die with the queue") {
    const auto counted = std::make_shared<int>(0);
    {
        leat::queue<std::shared_ptr<int>> fifo;
        leat::lifo_queue<std::shared_ptr<int>> lifo;
        leat::priority_queue<std::shared_ptr<int>> ordered;
        for (int i = 0; i < 10; ++i) {
            co_await fifo.put(counted);
            co_await lifo.put(counted);
            co_await ordered.put(counted);
        }
        CHECK(counted.use_count() == 31);
    }
    CHECK(counted.use_count() == 1);
}
