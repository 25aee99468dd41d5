// SPDX-License-Identifier: MIT
// Waiting for the children of a group: for room, and for all of them.
#include <leat/task_group.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::reports;
using leat::stuck;
using leat::task_group;
using leat::with_task_group;

namespace {

leat::task<> notes_after(leat::duration length, char name, std::string& log) {
    co_await leat::sleep(length);
    log += name;
}

leat::task<> throws_after(leat::duration length, const char* text) {
    co_await leat::sleep(length);
    throw std::runtime_error(text);
}

}  // namespace

VIRTUAL_TEST("spawn_when_free keeps a group at its limit and starts the next as soon as one ends") {
    std::size_t most = 0;
    std::size_t running = 0;
    int done = 0;
    auto work = [&](leat::duration length) -> leat::task<> {
        most = std::max(most, ++running);
        co_await leat::sleep(length);
        --running;
        ++done;
    };
    const auto before = leat::now();
    co_await with_task_group({.limit = 3}, [&](task_group& group) -> leat::task<> {
        for (int i = 0; i < 10; ++i) {
            co_await group.spawn_when_free(work, i == 0 ? 10s : 1s);
            CHECK(group.size() <= 3);
            CHECK(group.full() == (group.size() == 3));
        }
    });
    CHECK(most == 3);
    CHECK(done == 10);
    CHECK(leat::now() - before == 10s);
}

VIRTUAL_TEST("a wait for room in a group ends when the group is cancelled, and starts nothing") {
    int started = 0;
    co_await with_task_group({.limit = 1}, [&](task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            group.cancel();
            co_await stuck();
        });
        co_await group.spawn_when_free([&]() -> leat::task<> {
            ++started;
            co_return;
        });
    });
    CHECK(started == 0);
}

VIRTUAL_TEST("several tasks wait for room in a group, each gets some, in order") {
    std::string log;
    auto work = [&](char name) -> leat::task<> {
        log += name;
        co_await leat::sleep(1s);
    };
    co_await with_task_group({.limit = 1}, [&](task_group& group) -> leat::task<> {
        co_await with_task_group([&](task_group& spawners) -> leat::task<> {
            for (char name = 'a'; name < 'f'; ++name) {
                spawners.spawn(
                    [&group, &work, name]() -> leat::task<> { co_await group.spawn_when_free(work, name); });
            }
            co_return;
        });
    });
    CHECK(log == "abcde");
}

VIRTUAL_TEST("a deadline on the wait for room has no other effect") {
    co_await with_task_group({.limit = 1}, [&](task_group& group) -> leat::task<> {
        group.spawn([]() -> leat::task<> { co_await leat::sleep(2s); });
        const bool early = co_await leat::move_on_after(1s, group.below_limit());
        CHECK_FALSE(early);
        CHECK(group.size() == 1);
        const bool later = co_await leat::move_on_after(2s, group.below_limit());
        CHECK(later);
    });
}

VIRTUAL_TEST("a task spawned between the end of the last child and the group's return is awaited") {
    std::string log;
    task_group* open = nullptr;
    leat::handle<> last;
    auto intruder = leat::spawn([&]() -> leat::task<> {
        co_await leat::yield();
        co_await last.join();  // resumed before the group
        open->spawn(notes_after, 1s, 'x', std::ref(log));
    });
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        open = &group;
        last = group.spawn([]() -> leat::task<> { co_await leat::sleep(1s); });
        co_return;
    });
    CHECK(log == "x");
}

VIRTUAL_TEST("group.wait ends when all children have, and a body that ends with it may lend its locals") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        std::string local(100, 'x');
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            log = local;
        });
        co_await group.wait();
        CHECK(group.size() == 0);
    });
    CHECK(log == std::string(100, 'x'));
}

VIRTUAL_TEST(
    "a cancelled group.wait cancels the children and ends when they have, before the body's locals") {
    std::string log;
    kernel.cancelling = leat::virtual_kernel::on_cancel::ends_later;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<> {
            struct last {
                std::string& log;
                char name;
                ~last() { log += name; }
            };
            const last local{log, 'm'};
            for (char name = 'a'; name < 'c'; ++name) {
                group.spawn([&log, name]() -> leat::task<> {
                    const last inner{log, name};
                    co_await leat::transfer(name);
                });
            }
            co_await group.wait();
            log += "not reached";
        });
    });
    CHECK_FALSE(finished);
    CHECK(log == "abm");
}

VIRTUAL_TEST("a deadline on group.wait cancels the children and nothing else") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(stuck);
        group.spawn(notes_after, 1s, 'a', std::ref(log));
        const bool finished = co_await leat::move_on_after(2s, group.wait());
        CHECK_FALSE(finished);
        CHECK(group.size() == 0);
        group.spawn(notes_after, 1s, 'b', std::ref(log));
    });
    CHECK(log == "ab");
}

VIRTUAL_TEST("the errors of an independent group's children are their own") {
    std::string log;
    std::string caught;
    co_await with_task_group({.independent = true}, [&](task_group& group) -> leat::task<> {
        group.spawn(notes_after, 3s, 'x', std::ref(log));
        group.spawn(throws_after, 1s, "reported");
        auto asked = group.spawn(throws_after, 2s, "asked for");
        try {
            co_await asked;
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
    });
    CHECK(log == "x");
    CHECK(caught == "asked for");
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].find("reported") != std::string::npos);
}

VIRTUAL_TEST("group.wait does not end while there is a child that was spawned as the last one ended") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        auto first = group.spawn(notes_after, 1s, 'a', std::ref(log));
        auto other = leat::spawn([&]() -> leat::task<> {
            co_await first.join();
            group.spawn(notes_after, 1s, 'b', std::ref(log));
        });
        co_await group.wait();
        CHECK(group.size() == 0);
        log += '.';
        co_await other;
    });
    CHECK(log == "ab.");
}

LEAT_TEST("each child that ends wakes one of those who wait to spawn") {
    constexpr int tasks = 1000;
    std::vector<int> order;
    const auto resumptions = [] { return leat::current_scheduler().counters().resumptions; };
    co_await with_task_group({.limit = 2}, [&](task_group& group) -> leat::task<> {
        co_await with_task_group([&](task_group& asking) -> leat::task<> {
            for (int i = 0; i < tasks; ++i) {
                asking.spawn([&, i]() -> leat::task<> {
                    (void)co_await group.spawn_when_free([&, i]() -> leat::task<> {
                        CHECK(group.size() <= 2);
                        order.push_back(i);
                        co_await leat::yield();
                    });
                });
            }
            co_return;
        });
    });
    CHECK(order.size() == tasks);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(resumptions() < 10 * tasks);
}

VIRTUAL_TEST("a place that cannot be used goes to the next who waits for one") {
    bool refuses = false;
    struct work {
        explicit work(bool& flag) : refused(flag) {}
        work(work&& other) : refused(other.refused) {
            if (refused) {
                throw std::runtime_error("not moved");
            }
        }
        leat::task<> operator()() const { return stuck(); }
        bool& refused;
    };
    std::string log;
    co_await with_task_group({.limit = 1}, [&](task_group& group) -> leat::task<> {
        group.spawn(notes_after, 1s, 'a', std::ref(log));
        auto unlucky = leat::spawn([&]() -> leat::task<> {
            try {
                (void)co_await group.spawn_when_free(work(refuses));
            } catch (const std::runtime_error&) {
                log += '!';
            }
        });
        auto next = leat::spawn([&]() -> leat::task<> {
            (void)co_await group.spawn_when_free(notes_after, 1s, 'b', std::ref(log));
        });
        co_await leat::yield();
        co_await leat::yield();
        refuses = true;
        co_await next;
    });
    CHECK(log == "a!b");
}
