// SPDX-License-Identifier: MIT
// group.stop: a soft end, then a hard one.
#include <leat/task_group.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <string>
#include <system_error>

using namespace std::chrono_literals;
using leat::stuck;
using leat::task_group;
using leat::thrown_by;
using leat::with_task_group;

namespace {

leat::task<> work(leat::duration length, char name, std::string& log) {
    struct witness {
        char name;
        std::string& log;
        ~witness() { log += leat::unwinding() ? std::string(1, name) + "! " : std::string(1, name) + ' '; }
    };
    const witness local{name, log};
    co_await leat::sleep(length);
}

}  // namespace

VIRTUAL_TEST("a group that stops cancels its body and lets the children finish") {
    std::string log;
    const auto began = leat::now();
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(work, 3s, 'a', std::ref(log));
        group.spawn(work, 5s, 'b', std::ref(log));
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            CHECK_FALSE(group.stopping());
            group.stop(1h);
            CHECK(group.stopping());
        });
        co_await work(1h, 'm', log);
        log += "not reached";
    });
    CHECK(log == "m! a b ");
    CHECK(leat::now() - began == 5s);
}

VIRTUAL_TEST("the children that have not ended after the grace are cancelled") {
    std::string log;
    leat::handle<> late;
    const auto began = leat::now();
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(work, 3s, 'a', std::ref(log));
        late = group.spawn(work, 1h, 'b', std::ref(log));
        group.stop(4s);
        co_await leat::checkpoint();
        log += "not reached";
    });
    CHECK(log == "a b! ");
    CHECK(leat::now() - began == 4s);
    const auto& ended = co_await late.join();
    CHECK(ended.why().text() == "the grace of its group passed");
}

VIRTUAL_TEST("a group that stops spawns nothing more, also for those who wait for room") {
    std::string thrown;
    std::string waited;
    co_await with_task_group({.limit = 2}, [&](task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            group.stop(1h);
            thrown = co_await thrown_by([](task_group& stopped) -> leat::task<> {
                stopped.spawn(stuck);
                co_return;
            }(group));
        });
        group.spawn([&]() -> leat::task<> {
            waited = co_await thrown_by(
                [](task_group& stopped) -> leat::task<> { co_await stopped.spawn_when_free(stuck); }(group));
        });
        co_await stuck();
    });
    CHECK(thrown == "the task group stops: Operation canceled");
    CHECK(waited == "the task group stops: Operation canceled");
}

VIRTUAL_TEST("a second stop moves the end of the grace, and none is left when the group has ended") {
    std::string log;
    const auto began = leat::now();
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(work, 1h, 'a', std::ref(log));
        group.stop(30min);
        group.stop(2s);
        co_return;
    });
    CHECK(log == "a! ");
    CHECK(leat::now() - began == 2s);
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.stop(1h);
        co_return;
    });
    CHECK(leat::current_scheduler().alarms().empty());
}

VIRTUAL_TEST("a stop without grace cancels all, and a body that owed a value throws why") {
    std::string log;
    const std::string thrown = co_await thrown_by([](std::string& to) -> leat::task<> {
        co_await with_task_group([&](task_group& group) -> leat::task<int> {
            group.spawn(work, 1h, 'a', std::ref(to));
            co_await leat::yield();
            group.stop(0s);
            co_await stuck();
            co_return 1;
        });
    }(log));
    CHECK(thrown == "the awaited task was cancelled because the group stops: Operation canceled");
    CHECK(log == "a! ");
}

VIRTUAL_TEST("an error of a child that was let finish is thrown all the same") {
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn([]() -> leat::task<> {
            co_await leat::sleep(1s);
            throw std::runtime_error("broken");
        });
        group.stop(1h);
        co_return;
    }));
    CHECK(thrown == "broken");
}

VIRTUAL_TEST("a group that stops lets the children finish for which its body waits") {
    std::string log;
    const auto began = leat::now();
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(work, 3s, 'a', std::ref(log));
        group.spawn(work, 1h, 'b', std::ref(log));
        group.spawn([&]() -> leat::task<> {
            co_await leat::sleep(1s);
            group.stop(4s);
        });
        co_await group.wait();
        log += "not reached";
    });
    CHECK(log == "a b! ");
    CHECK(leat::now() - began == 5s);
}

VIRTUAL_TEST("a body that waits for its children in a group that stops already lets them finish") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        group.spawn(work, 3s, 'a', std::ref(log));
        group.stop(4s);
        co_await group.wait();
        log += "not reached";
    });
    CHECK(log == "a ");
}
