// SPDX-License-Identifier: MIT
// The rules of cancelling that have no file of their own: who is asked, in which order, what counts as
// cancelled, and what a scope, a group or a run does with it.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::stuck;
using leat::task_group;
using on_cancel = leat::virtual_kernel::on_cancel;

namespace {

// Notes its end.
struct last {
    std::string& log;
    char name;
    ~last() { log += name; }
};

leat::task<> transfer_in(int descriptor, std::string& log) {
    const last local{log, static_cast<char>('a' + descriptor)};
    co_await leat::transfer(descriptor);
}

}  // namespace

VIRTUAL_TEST("the whole tree is marked and asked in order, bodies first, before a frame is destroyed") {
    std::string log;
    leat::cancel_scope* inner = nullptr;
    auto victim = leat::spawn([&]() -> leat::task<> {
        co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
            group.spawn(transfer_in, 0, std::ref(log));
            group.spawn([&]() -> leat::task<> {
                co_await leat::with_task_group([&](task_group& below) -> leat::task<> {
                    below.spawn(transfer_in, 1, std::ref(log));
                    below.spawn([&]() -> leat::task<> { co_await leat::shield(transfer_in(2, log)); });
                    co_await leat::timeout(1h, transfer_in(3, log));
                });
            });
            (void)co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
                inner = &scope;
                co_await transfer_in(4, log);
            });
        });
    });
    co_await leat::sleep(1s);
    victim.cancel();
    CHECK(kernel.cancelled == std::vector{4, 0, 3, 1});
    CHECK(inner->cancelled());
    CHECK(inner->reason() == leat::cancel_reason::none);  // it was not this scope that was cancelled
    CHECK(log.empty());
    co_await leat::sleep(1s);
    CHECK(log == "eadb");
    CHECK_FALSE(victim.done());
    kernel.complete(2);
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == "eadbc");
}

VIRTUAL_TEST("EINTR after a request counts as cancelled, and without one it is an error") {
    kernel.cancelling = on_cancel::stays;
    auto asked = leat::spawn([]() -> leat::task<> { co_await leat::transfer(7); });
    auto not_asked = leat::spawn([]() -> leat::task<> { co_await leat::transfer(8); });
    co_await leat::yield();
    asked.cancel();
    kernel.complete(7, -EINTR);
    kernel.complete(8, -EINTR);
    const auto& first = co_await asked.join();
    CHECK(first.cancelled());
    const auto& second = co_await not_asked.join();
    CHECK(second.error() != nullptr);
}

VIRTUAL_TEST("a cancelled task goes on through tasks that do not wait") {
    std::string log;
    auto inner = [&]() -> leat::task<int> {
        log += "inner ";
        co_return 1;
    };
    auto victim = leat::spawn([&]() -> leat::task<> {
        const int one = co_await inner();
        const int two = co_await leat::timeout(1h, inner);
        const int three = co_await leat::shield(inner());
        log += std::to_string(one + two + three);
        co_await leat::checkpoint();
        log += " not reached";
    });
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == "inner inner inner 3");
}

VIRTUAL_TEST("an outer deadline that passes during a cleanup wins over the inner one that began it") {
    std::string log;
    const auto before = leat::now();
    const bool finished = co_await leat::move_on_after(2s, [&]() -> leat::task<> {
        try {
            co_await leat::timeout(1s, leat::finally(stuck(), [&]() -> leat::task<> {
                                       co_await leat::sleep(5s);
                                       log += "cleaned ";
                                   }));
        } catch (...) {
            log += "thrown ";
        }
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "cleaned ");
    CHECK(leat::now() - before == 6s);
}

VIRTUAL_TEST("an inner deadline that passes during a cleanup is absorbed inside when no outer one has") {
    std::string log;
    const bool finished = co_await leat::move_on_after(7s, [&]() -> leat::task<> {
        const bool inner = co_await leat::move_on_after(
            1s, leat::finally(stuck(), []() -> leat::task<> { co_await leat::sleep(5s); }));
        log += inner ? "finished " : "moved on ";
    });
    CHECK(finished);
    CHECK(log == "moved on ");
}

VIRTUAL_TEST("a cleanup past its limit is abandoned, and the body's error goes on") {
    const std::string thrown = co_await leat::thrown_by(leat::finally(
        []() -> leat::task<> {
            co_await leat::yield();
            throw std::runtime_error("of the body");
        },
        [] { return stuck(); }, {.limit = 1s}));
    CHECK(thrown == "of the body");
}

VIRTUAL_TEST("a deadline moved to a moment that has passed cancels now, and one moved away never does") {
    leat::cancel_scope* shown = nullptr;
    auto mover = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        shown->set_deadline(leat::long_ago);
        CHECK(shown->reason() == leat::cancel_reason::deadline);
    });
    const auto before = leat::now();
    const bool finished =
        co_await leat::with_cancel_scope({.deadline = before + 1h}, [&](leat::cancel_scope& scope) {
            shown = &scope;
            return stuck();
        });
    CHECK_FALSE(finished);
    CHECK(leat::now() - before == 1s);
    co_await mover;
    for (const leat::duration away : {leat::duration::max(), leat::duration(1000h)}) {
        const bool waited = co_await leat::with_cancel_scope({.deadline = leat::now() + 2s},
                                                             [&](leat::cancel_scope& scope) -> leat::task<> {
                                                                 scope.set_timeout(away);
                                                                 co_await leat::sleep(999h);
                                                             });
        CHECK(waited);
    }
}

VIRTUAL_TEST("deadlines beyond the end of time are never, and not in the past") {
    using namespace std::chrono;
    const auto yields = []() -> leat::task<int> {
        co_await leat::sleep(1000h);
        co_return 1;
    };
    int sum = co_await leat::timeout(leat::duration::max(), yields());
    sum += co_await leat::timeout(hours::max(), yields());
    sum += co_await leat::timeout(std::chrono::duration<double>(std::numeric_limits<double>::infinity()),
                                  yields());
    sum += co_await leat::timeout(std::chrono::duration<float, std::ratio<3'600>>(1e30F), yields());
    sum += co_await leat::timeout_at(leat::time_point::max(), yields());
    sum += (co_await leat::move_on_at(leat::time_point::max() - 1ns, yields())).value_or(0);
    CHECK(sum == 6);
    const auto in_scope = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) {
        scope.set_timeout(seconds::max());
        CHECK(scope.deadline() == leat::never);
        return yields();
    });
    CHECK(in_scope == 1);
    CHECK(leat::current_scheduler().alarms().empty());
    const bool past = co_await leat::move_on_at(leat::time_point::min(), leat::yield());
    CHECK_FALSE(past);
    const bool nothing = co_await leat::move_on_after(
        std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()), leat::yield());
    CHECK_FALSE(nothing);
}

VIRTUAL_TEST("a free task is not reached by the scopes, deadlines and groups of its spawner") {
    std::string log;
    leat::handle<> free;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
            free = leat::spawn([&]() -> leat::task<> {
                co_await leat::sleep(5s);
                log += "free";
            });
            group.spawn(stuck);
            co_await group.wait();
        });
    });
    CHECK_FALSE(finished);
    CHECK_FALSE(free.done());
    co_await free;
    CHECK(log == "free");
}

LEAT_TEST("a free task is not protected by its spawner's shield") {
    leat::handle<> free;
    co_await leat::shield([&]() -> leat::task<> {
        free = leat::spawn(stuck);
        co_await leat::yield();
        free.cancel();
    });
    const auto& ended = co_await free.join();
    CHECK(ended.cancelled());
}

VIRTUAL_TEST("map and for_each that are cancelled from outside end what they run and do not return") {
    std::string log;
    const std::vector<int> items{0, 1, 2, 3, 4};
    const auto work = [&](int item) -> leat::task<int> {
        const last local{log, static_cast<char>('a' + item)};
        co_await stuck();
        co_return item;
    };
    const bool mapped = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        (void)co_await leat::map_concurrently(items, 2, work);
        log += "not reached";
    });
    CHECK_FALSE(mapped);
    CHECK(log == "ab");
    const auto visit = [&](int item) -> leat::task<> { (void)co_await work(item); };
    const bool visited = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await leat::for_each_concurrently(items, 3, visit);
        log += "not reached";
    });
    CHECK_FALSE(visited);
    CHECK(log == "ababc");
}

TEST_CASE("the end of a run waits for what is shielded") {
    std::string log;
    leat::run_virtually([&](leat::virtual_kernel& kernel) -> leat::task<> {
        const auto begun = kernel.now();
        leat::spawn([&log, begun]() -> leat::task<> {
            const last local{log, '.'};
            co_await leat::shield(leat::sleep(5s));
            log += leat::now() - begun == 5s ? "held" : "cut off";
            co_await leat::yield();
            log += " not reached";
        });
        co_await leat::yield();
    });
    CHECK(log == "held.");
}

VIRTUAL_TEST("a hundred thousand waiting tasks end once each, in the order of spawning") {
    constexpr int count = 100'000;
    std::vector<int> ended;
    ended.reserve(count);
    struct number {
        std::vector<int>& to;
        int value;
        ~number() { to.push_back(value); }
    };
    leat::event event;
    leat::semaphore permits(0);
    co_await leat::with_task_group([&](task_group& group) -> leat::task<> {
        for (int i = 0; i < count; ++i) {
            group.spawn([&, i]() -> leat::task<> {
                const number last{ended, i};
                if (i % 3 == 0) {
                    co_await leat::sleep(std::chrono::hours(i % 7 + 1));
                } else if (i % 3 == 1) {
                    co_await leat::timeout(2h, event.wait());
                } else {
                    const auto held = co_await permits.acquire();
                }
            });
        }
        co_await leat::sleep(1min);
        group.cancel();
        CHECK(ended.empty());
    });
    CHECK(ended.size() == count);
    CHECK(std::ranges::is_sorted(ended));
    CHECK(leat::current_scheduler().alarms().empty());
}
