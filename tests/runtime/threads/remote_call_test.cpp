// SPDX-License-Identifier: MIT
// remote.spawn and remote.call: tasks on the scheduler of another thread.
#include <leat/threads/remote_call.hpp>

#include "../other_thread.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using leat::other_thread;
using leat::stuck;

TEST_CASE("remote.spawn starts a task on the other thread, with arguments of its own") {
    std::string told;
    std::thread other;
    leat::run([&]() -> leat::task<> {
        leat::event done;
        other = std::thread([&told, &done, remote = leat::current_scheduler().remote()] {
            CHECK(remote.spawn(
                [&](const std::string& text, std::unique_ptr<int> number) -> leat::task<> {
                    co_await leat::yield();
                    told = text + std::to_string(*number);
                    done.set();
                },
                "number ", std::make_unique<int>(8)));
        });
        co_await done.wait();
    });
    other.join();
    CHECK(told == "number 8");
}

TEST_CASE("remote.spawn to a run on another thread that has ended is refused, and leaks nothing") {
    std::optional<leat::remote> kept;
    leat::run([&]() -> leat::task<> {
        kept = leat::current_scheduler().remote();
        co_return;
    });
    auto held = std::make_shared<int>(1);
    CHECK_FALSE(kept->spawn([held]() -> leat::task<> { co_return; }));
    CHECK(held.use_count() == 1);
}

LEAT_TEST("remote.call runs a task on the other thread and gives its result on this one", on(kernel)) {
    other_thread other;
    const auto there = co_await other.remote().call([]() -> leat::task<std::thread::id> {
        co_await leat::yield();
        co_return std::this_thread::get_id();
    });
    CHECK(there == other.id());
    const auto text = std::make_unique<std::string>("moved");
    auto given = co_await other.remote().call([&]() -> leat::task<std::unique_ptr<std::string>> {
        co_return std::make_unique<std::string>(*text);
    });
    CHECK(*given == "moved");
    int number = 0;
    int& same = co_await other.remote().call([&]() -> leat::task<int&> { co_return number; });
    CHECK(&same == &number);
}

LEAT_TEST("what a task throws on the other thread is thrown by its remote.call", on(kernel)) {
    other_thread other;
    const std::string said = co_await leat::thrown_by([](const leat::remote& remote) -> leat::task<> {
        co_await remote.call([]() -> leat::task<> {
            co_await leat::yield();
            throw std::runtime_error("not there");
        });
    }(other.remote()));
    CHECK(said == "not there");
}

LEAT_TEST("a cancelled remote.call ends when the task on the other thread has unwound", on(kernel)) {
    other_thread other;
    std::promise<void> begun;
    std::atomic<bool> unwound = false;
    struct note {
        std::atomic<bool>& unwound;
        ~note() { unwound = true; }
    };
    auto caller = leat::spawn([&]() -> leat::task<> {
        co_await other.remote().call([&]() -> leat::task<> {
            const note local{unwound};
            begun.set_value();
            co_await stuck();
        });
    });
    co_await leat::yield();
    begun.get_future().wait();
    CHECK_FALSE(unwound);
    caller.cancel();
    const auto& ended = co_await caller.join();
    CHECK(ended.cancelled());
    CHECK(unwound);
}

LEAT_TEST("a remote.call that is cancelled too late gives what came from the other thread", on(kernel)) {
    other_thread other;
    std::promise<void> begun;
    std::promise<void> go_on;
    int result = 0;
    auto caller = leat::spawn([&]() -> leat::task<> {
        result = co_await other.remote().call([&]() -> leat::task<int> {
            begun.set_value();
            go_on.get_future().wait();
            co_return 5;
        });
        co_await stuck();
    });
    co_await leat::yield();
    begun.get_future().wait();
    caller.cancel();
    go_on.set_value();
    const auto& ended = co_await caller.join();
    CHECK(ended.cancelled());
    CHECK(result == 5);
}

LEAT_TEST("the end of the run on the other thread ends a remote.call as cancelled", on(kernel)) {
    other_thread other;
    std::promise<void> begun;
    auto caller = leat::spawn([&]() -> leat::task<> {
        co_await other.remote().call([&]() -> leat::task<> {
            begun.set_value();
            co_await stuck();
        });
    });
    co_await leat::yield();
    begun.get_future().wait();
    other.stop();
    const auto& ended = co_await caller.join();
    CHECK_THROWS_AS(ended.value(), leat::task_cancelled);
    CHECK_FALSE(ended.cancelled());
}

LEAT_TEST("a remote.call to a run on another thread that has ended throws run_ended", on(kernel)) {
    other_thread other;
    other.stop();
    auto held = std::make_shared<int>(1);
    const std::string said =
        co_await leat::thrown_by([](const leat::remote& remote, std::shared_ptr<int> kept) -> leat::task<> {
            co_await remote.call([kept]() -> leat::task<> { co_return; });
        }(other.remote(), held));
    CHECK(said.starts_with("the run of this remote has ended"));
    CHECK(held.use_count() == 1);
}

LEAT_TEST("no remote.call to another thread begins inside a cancelled scope", on(kernel)) {
    other_thread other;
    std::atomic<bool> ran = false;
    const bool finished =
        co_await leat::move_on_after(std::chrono::seconds(0), other.remote().call([&]() -> leat::task<> {
            ran = true;
            co_return;
        }));
    other.stop();
    CHECK_FALSE(finished);
    CHECK_FALSE(ran);
}

LEAT_TEST("cancelling a remote.call and the end of its task meet on two threads: each ends once",
          on(kernel)) {
    other_thread other;
    int finished = 0;
    int cancelled = 0;
    for (int round = 0; round < 500; ++round) {
        auto caller = leat::spawn([&]() -> leat::task<> {
            co_await other.remote().call([round]() -> leat::task<> {
                for (int i = 0; i < round % 3; ++i) {
                    co_await leat::yield();
                }
            });
        });
        for (int i = 0; i < round % 11; ++i) {
            co_await leat::yield();
        }
        caller.cancel();
        const auto& ended = co_await caller.join();
        (ended.cancelled() ? cancelled : finished) += 1;
    }
    CHECK(finished + cancelled == 500);
}

TEST_CASE("two runs on two threads call each other while either may end: every remote.call ends") {
    for (int round = 0; round < 30; ++round) {
        std::promise<leat::remote> told[2];
        std::future<leat::remote> known[2] = {told[0].get_future(), told[1].get_future()};
        std::vector<std::thread> both;
        for (int self = 0; self < 2; ++self) {
            both.emplace_back([&, self] {
                leat::run([&]() -> leat::task<> {
                    told[self].set_value(leat::current_scheduler().remote());
                    const leat::remote peer = known[1 - self].get();
                    for (int i = 0; i < round + 10 * self; ++i) {
                        try {
                            co_await peer.call([]() -> leat::task<> { co_await leat::yield(); });
                        } catch (const leat::run_ended&) {
                            co_return;
                        } catch (const leat::task_cancelled&) {
                        }
                    }
                });
            });
        }
        for (std::thread& each : both) {
            each.join();
        }
    }
}
