// SPDX-License-Identifier: MIT
// A program of its own, because it counts operator new: what allocates, and what happens when that fails.
#include <leat/testing/counted_memory.hpp>

#include <leat/backends/slab_pool.hpp>
#include <leat/fd.hpp>
#include <leat/from_callback.hpp>
#include <leat/runtime.hpp>
#include <leat/system/signals.hpp>
#include <leat/testing/backends.hpp>

#include "../support/sanitizers.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <new>
#include <thread>
#include <vector>

#include <sys/socket.h>

using namespace std::chrono_literals;
using namespace leat::testing::counted_memory;

namespace {

constexpr bool recycles = !leat::testing::address_sanitized;

leat::task<int> one() {
    co_return 1;
}

leat::task<> yield_once() {
    co_await leat::yield();
}

leat::generator<int> nested_items(int depth) {
    if (depth > 0) {
        co_yield leat::elements_of(nested_items(depth - 1));
    }
    co_yield depth;
}

leat::async_generator<int> slow_items(int end) {
    for (int i = 0; i < end; ++i) {
        co_await leat::yield();
        co_yield i;
    }
}

leat::task<> stuck() {
    co_await leat::sleep_until(leat::never);
}

struct socket_pair {
    socket_pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        here.reset(ends[0]);
        there.reset(ends[1]);
    }
    void send_byte() const { CHECK(::write(there.get(), "x", 1) == 1); }

    leat::fd here;
    leat::fd there;
};

// The allocations of 1000 rounds of `body` after 100 to warm up.
long steady_allocations(std::function<leat::task<>()> body) {
    long counted = -1;
    leat::run([&]() -> leat::task<> {
        for (int i = 0; i < 100; ++i) {
            co_await body();
        }
        const long before = allocations;
        for (int i = 0; i < 1000; ++i) {
            co_await body();
        }
        counted = allocations - before;
    });
    return counted;
}

}  // namespace

TEST_CASE("a steady program allocates nothing" * doctest::skip(!recycles)) {
    SUBCASE("when it awaits a task") {
        CHECK(steady_allocations([]() -> leat::task<> { co_await one(); }) == 0);
    }
    SUBCASE("when it yields") {
        CHECK(steady_allocations([]() -> leat::task<> { co_await leat::yield(); }) == 0);
    }
    SUBCASE("when it spawns a task and joins it") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  auto child = leat::spawn(one);
                  co_await child;
              }) == 0);
    }
    SUBCASE("when it sleeps") {
        CHECK(steady_allocations([]() -> leat::task<> { co_await leat::sleep(1ns); }) == 0);
    }
    SUBCASE("when a timeout does not pass") {
        CHECK(steady_allocations([]() -> leat::task<> { co_await leat::timeout(1h, yield_once()); }) == 0);
    }
    SUBCASE("when a deadline passes") {
        CHECK(steady_allocations(
                  []() -> leat::task<> { (void)co_await leat::move_on_after(0s, yield_once()); }) == 0);
    }
    SUBCASE("when it spawns a task and cancels it") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  auto child = leat::spawn(stuck);
                  co_await leat::yield();
                  child.cancel();
                  co_await child.join();
              }) == 0);
    }
    SUBCASE("when it asks generators") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  int sum = 0;
                  for (const int item : nested_items(3)) {
                      sum += item;
                  }
                  auto items = slow_items(sum);
                  while (co_await items.next()) {
                  }
              }) == 0);
    }
    SUBCASE("when it awaits a callback") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  co_await leat::from_callback([](leat::callback<> done) {
                      leat::spawn(
                          [](leat::callback<> kept) -> leat::task<> {
                              kept();
                              co_return;
                          },
                          std::move(done));
                  });
                  co_await leat::from_callback([](const leat::callback<>& done) { done(); }, [] {});
              }) == 0);
    }
    SUBCASE("when it runs a group") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  co_await leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                      group.spawn(yield_once);
                      co_await group.spawn_when_free(yield_once);
                  });
              }) == 0);
    }
    SUBCASE("when it gathers a few tasks") {
        CHECK(steady_allocations([]() -> leat::task<> { (void)co_await leat::gather(one(), one()); }) == 0);
    }
    SUBCASE("when it waits for a descriptor") {
        CHECK(steady_allocations([]() -> leat::task<> { co_await leat::writable(1); }) == 0);
    }
}

TEST_CASE("a wake-up from another thread allocates nothing" * doctest::skip(!recycles)) {
    SUBCASE("of a task that awaits a callback which may come from any") {
        CHECK(steady_allocations([]() -> leat::task<> {
                  co_await leat::from_callback_anywhere([](const leat::callback<>& done) { done(); });
                  co_await leat::from_callback_anywhere([](const leat::callback<>& done) { done(); }, [] {});
              }) == 0);
    }
    SUBCASE("of a task that waits for a signal, by another set of signals") {
        leat::signal_set waited{SIGUSR1};
        leat::signal_set taking{SIGUSR1};
        CHECK(steady_allocations([&]() -> leat::task<> {
                  auto waiting = leat::spawn([&] { return waited.next(); });
                  co_await leat::yield();
                  ::raise(SIGUSR1);
                  (void)taking.try_next();
                  (void)co_await waiting;
              }) == 0);
    }
}

namespace {

// Allocations while `cancel()` runs, and while all that it cancelled unwinds.
struct cancel_cost {
    long asking = -1;
    long unwinding = -1;
};

// Of a group with one child in each kind of wait, also below scopes, in groups and on the kernel.
leat::task<cancel_cost> cost_of_cancelling(int children_of_each_kind) {
    leat::event event;
    leat::mutex mutex;
    leat::semaphore permits(0);
    leat::channel<int> empty(0);
    const socket_pair sockets;
    auto holder = mutex.try_lock();
    auto endless = leat::spawn(stuck);
    auto victim = leat::spawn([&]() -> leat::task<> {
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            group.spawn([&]() -> leat::task<> { co_await leat::readable(sockets.here.get()); });
            for (int i = 0; i < children_of_each_kind; ++i) {
                group.spawn(stuck);
                group.spawn([&]() -> leat::task<> { co_await event.wait(); });
                group.spawn([&]() -> leat::task<> { const auto guard = co_await mutex.lock(); });
                group.spawn([&]() -> leat::task<> { const auto held = co_await permits.acquire(); });
                group.spawn([&]() -> leat::task<> { co_await empty.send(1); });
                group.spawn([&]() -> leat::task<> { co_await endless; });
                group.spawn([]() -> leat::task<> { co_await leat::timeout(1h, leat::timeout(2h, stuck())); });
                group.spawn([]() -> leat::task<> {
                    co_await leat::with_task_group([](leat::task_group& inner) -> leat::task<> {
                        inner.spawn(stuck);
                        co_await inner.wait();
                    });
                });
            }
            co_await group.wait();
        });
    });
    for (int turns = 0; turns < 20; ++turns) {
        co_await leat::sleep(1ns);  // until all of them wait
    }
    const long before = allocations;
    victim.cancel();
    const long asked = allocations;
    co_await victim.join();
    const long after = allocations;
    endless.cancel();
    co_await endless.join();
    co_return cancel_cost{asked - before, after - asked};
}

}  // namespace

TEST_CASE("cancelling allocates nothing, and neither does unwinding" * doctest::skip(!recycles)) {
    for (const auto& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        cancel_cost cost;
        leat::run([&]() -> leat::task<> { cost = co_await cost_of_cancelling(20); }, {.backend = each.name});
        CHECK(cost.asking == 0);
        CHECK(cost.unwinding == 0);
    }
}

TEST_CASE("what frames are allocated while tasks run is given back at the end of the run") {
    const auto use = [] {
        leat::run([]() -> leat::task<> {
            for (int i = 0; i < 100; ++i) {
                leat::spawn(yield_once);
            }
            co_await leat::yield();
            co_await leat::yield();
        });
    };
    use();
    const long before = living;
    use();
    CHECK(living == before);
}

TEST_CASE("a thread that ends gives back the frames that it recycled, without a run too") {
    const auto use = [] {
        leat::handle<int> kept;
        leat::run([&]() -> leat::task<> {
            kept = leat::spawn(one);
            co_await kept.join();
        });
        kept = leat::handle<int>();
        auto never_awaited = one();
    };
    std::thread(use).join();
    const long before = living;
    std::thread(use).join();
    CHECK(living == before);
}

namespace {

class receive_chunk : public leat::io_awaiter {
public:
    explicit receive_chunk(const leat::fd& from) noexcept
        : io_awaiter(leat::detail::recv_kind, leat::operation_kind::recv_chunk, from.get()) {}
    leat::chunk await_resume() {
        count().value("receive_chunk");
        return received();
    }
};

}  // namespace

// Two receives are told of their data in one turn, when the pool has one buffer left and may get no more.
static leat::task<> receive_without_memory() {
    const socket_pair first;
    const socket_pair second;
    std::vector<leat::chunk> held;
    for (std::uint32_t i = 1; i < leat::slab_pool::buffers_in_slab; ++i) {
        first.send_byte();
        held.push_back(co_await receive_chunk(first.here));
    }
    int failed = 0;
    auto receive = [&](const socket_pair& from) -> leat::task<> {
        try {
            held.push_back(co_await receive_chunk(from.here));
        } catch (const std::system_error& error) {
            failed += error.code() == std::errc::not_enough_memory;
        }
    };
    held.reserve(100);
    auto one_reader = leat::spawn(receive, std::cref(first));
    auto other_reader = leat::spawn(receive, std::cref(second));
    co_await leat::yield();
    first.send_byte();
    second.send_byte();
    auto both = leat::join_all(one_reader, other_reader);
    fails_at = 0;
    may_fail = true;
    co_await std::move(both);
    may_fail = false;
    CHECK(failed == 1);
    held.clear();
    first.send_byte();
    second.send_byte();
    const leat::chunk from_first = co_await receive_chunk(first.here);
    const leat::chunk from_second = co_await receive_chunk(second.here);
    CHECK(from_first.size() + from_second.size() == 3);  // the byte that found no memory is still there
}

TEST_CASE("a receive that finds no memory for its buffer fails alone, and the next one gets the bytes") {
    leat::run(receive_without_memory, {.backend = "epoll"});
}

namespace {

leat::task<> a_bit_of_everything() {
    auto child = leat::spawn(yield_once);
    co_await leat::sleep(1ns);
    co_await leat::timeout(1h, leat::timeout(2h, yield_once()));
    (void)co_await leat::move_on_after(0s, leat::writable(1));
    co_await leat::timeout(1h, leat::sleep(1ns));
    co_await leat::with_task_group({.limit = 2}, [](leat::task_group& group) -> leat::task<> {
        group.spawn(yield_once);
        co_await group.spawn_when_free(yield_once);
        co_await group.spawn_when_free(yield_once);
    });
    (void)co_await leat::gather(one(), one());
    leat::current_scheduler().remote().post([] {});
    for ([[maybe_unused]] const int item : nested_items(2)) {
    }
    auto items = slow_items(2);
    while (co_await items.next()) {
    }
    co_await leat::from_callback([](const leat::callback<>& done) { done(); }, [] {});
    co_await leat::from_callback([](const leat::callback<>& done) { done(); });
    co_await child;
}

}  // namespace

TEST_CASE("without memory for one more block a run throws bad_alloc, and nothing leaks") {
    leat::run(a_bit_of_everything);
    const long before = living;
    int failed = 0;
    bool completed = false;
    for (long i = 0; !completed && i < 1000; ++i) {
        fails_at = i;
        may_fail = true;
        try {
            leat::run(a_bit_of_everything);
        } catch (const std::bad_alloc&) {
            ++failed;
        }
        may_fail = false;
        completed = fails_at >= 0;
        REQUIRE(living == before);
    }
    CHECK(completed);
    CHECK(failed > 10);
}
