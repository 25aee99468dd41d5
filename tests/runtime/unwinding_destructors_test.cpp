// SPDX-License-Identifier: MIT
// What destructors may do while their task unwinds: everything but wait and throw.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using leat::stuck;
using leat::task_group;

namespace {

// Calls `function` at its end.
template <typename Function>
class at_end {
public:
    explicit at_end(Function function) : function_(std::move(function)) {}
    at_end(const at_end&) = delete;
    at_end& operator=(const at_end&) = delete;
    ~at_end() { function_(); }

private:
    Function function_;
};

leat::task<> note_end(char name, std::string& log) {
    const at_end note([&] { log += name; });
    co_await stuck();
}

}  // namespace

LEAT_TEST("a destructor runs in the task that unwinds, and no exception is in flight") {
    int seen = 0;
    leat::handle<> victim;
    victim = leat::spawn([&]() -> leat::task<> {
        const at_end look([&] {
            seen += leat::unwinding() ? 1 : 0;
            seen += leat::this_thread.task == &victim.state() ? 10 : 0;
            seen += std::uncaught_exceptions() == 0 ? 100 : 0;
            seen += victim.done() ? 0 : 1000;
        });
        co_await stuck();
    });
    co_await leat::yield();
    victim.cancel();
    co_await victim.join();
    CHECK(seen == 1111);
}

VIRTUAL_TEST("a destructor that commits unless an exception is in flight commits on cancellation, too") {
    std::string log;
    const auto transaction = [&](bool fails) -> leat::task<> {
        const at_end commit([&log, before = std::uncaught_exceptions()] {
            log += std::uncaught_exceptions() > before ? "rolled back " : "committed ";
        });
        co_await leat::sleep(1s);
        if (fails) {
            throw std::runtime_error("half of it");
        }
        co_await stuck();
    };
    co_await leat::thrown_by(transaction(true));
    (void)co_await leat::move_on_after(2s, transaction(false));
    CHECK(log == "rolled back committed ");
}

VIRTUAL_TEST("a destructor wakes who waits for an event, a lock, a permit or a channel") {
    leat::event event;
    leat::mutex mutex;
    leat::semaphore permits(1);
    leat::channel<int> channel(0);
    auto victim = leat::spawn([&]() -> leat::task<> {
        const auto guard = co_await mutex.lock();
        const auto held = co_await permits.acquire();
        const at_end tell([&] {
            event.set();
            CHECK(channel.try_send(5));
        });
        co_await stuck();
    });
    std::string log;
    auto others = leat::spawn([&]() -> leat::task<> {
        co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn([&]() -> leat::task<> {
                co_await event.wait();
                log += 'e';
            });
            group.spawn([&]() -> leat::task<> {
                const auto guard = co_await mutex.lock();
                log += 'm';
            });
            group.spawn([&]() -> leat::task<> {
                const auto held = co_await permits.acquire();
                log += 's';
            });
            const auto value = co_await channel.receive();
            CHECK(value == 5);
        });
    });
    co_await leat::sleep(1s);
    CHECK(log.empty());
    victim.cancel();
    co_await others;
    CHECK(log == "esm");
    CHECK(!mutex.is_locked());
    CHECK(permits.available() == 1);
}

LEAT_TEST("a destructor cancels the scope that unwinds, one around it, and its group") {
    std::string log;
    leat::cancel_scope* outer = nullptr;
    const bool finished = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        outer = &scope;
        const bool inner = co_await leat::with_cancel_scope([&](leat::cancel_scope& own) -> leat::task<> {
            const at_end around([&] { outer->cancel(); });
            const at_end again([&] { own.cancel(); });
            own.cancel();
            co_await leat::yield();
        });
        // The outer one was cancelled before the inner could absorb.
        log += inner ? "finished" : "moved on";
    });
    CHECK_FALSE(finished);
    CHECK(log.empty());

    co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
        auto first = group.spawn([&]() -> leat::task<> {
            const at_end all([&] { group.cancel(); });
            co_await note_end('a', log);
        });
        group.spawn(note_end, 'b', std::ref(log));
        group.spawn(note_end, 'c', std::ref(log));
        co_await leat::yield();
        first.cancel();
        co_await note_end('m', log);
    });
    CHECK(log == "ambc");
}

LEAT_TEST("a destructor cancels tasks that are to unwind in the same turn, each ends once") {
    std::string log;
    leat::handle<> first;
    leat::handle<> second;
    first = leat::spawn([&]() -> leat::task<> {
        const at_end other([&] { second.cancel(); });
        co_await note_end('a', log);
    });
    second = leat::spawn([&]() -> leat::task<> {
        const at_end other([&] { first.cancel(); });
        co_await note_end('b', log);
    });
    co_await leat::yield();
    second.cancel();
    first.cancel();
    co_await leat::join_all(first, second);
    CHECK(log == "ba");
}

VIRTUAL_TEST("a destructor spawns into the group that is being cancelled, and the group waits for that") {
    std::string log;
    const auto before = leat::now();
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn([&]() -> leat::task<> {
                const at_end goodbye([&] {
                    group.spawn([&]() -> leat::task<> {
                        co_await leat::shield(leat::sleep(3s));
                        log += "goodbye ";
                        co_await leat::yield();
                        log += "not reached ";
                    });
                });
                co_await stuck();
            });
            co_return;
        });
        log += "not reached ";
    });
    CHECK_FALSE(finished);
    CHECK(log == "goodbye ");
    CHECK(leat::now() - before == 4s);
}

VIRTUAL_TEST("a destructor may throw and catch inside, and drop handles of tasks that failed") {
    std::string log;
    auto failed = leat::spawn([]() -> leat::task<> {
        throw std::runtime_error("nobody asked");
        co_return;
    });
    auto running = leat::spawn(stuck);
    auto victim = leat::spawn([&]() -> leat::task<> {
        const at_end busy([&, failed = std::make_optional(std::move(failed)),
                           running = std::make_optional(std::move(running))]() mutable {
            try {
                throw std::runtime_error("inside");
            } catch (const std::runtime_error& error) {
                log += error.what();
            }
            failed.reset();
            running.reset();
            CHECK(leat::unwinding());
        });
        co_await stuck();
    });
    co_await leat::yield();
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == "inside");
    REQUIRE(leat::reports.size() == 1);
    CHECK(leat::reports[0].find("nobody asked") != std::string::npos);
}
