// SPDX-License-Identifier: MIT
// When every task waits and nothing can wake one, run() says so instead of hanging.
#include "virtual_kernel.hpp"

#include <leat/from_callback.hpp>
#include <leat/runtime.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

// What deadlock says when `body` is run; empty when it ends otherwise.
template <typename Body>
std::string deadlock_of(Body body) {
    try {
        leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> { co_await body(); });
    } catch (const leat::deadlock& error) {
        return error.what();
    }
    return "";
}

bool mentions(const std::string& text, const std::string& what) {
    return text.find(what) != std::string::npos;
}

std::string line(int number) {
    return "deadlock_test.cpp:" + std::to_string(number);
}

}  // namespace

TEST_CASE("a deadlock lists every task: where it was spawned, what it waits for, and where") {
    const int first = __LINE__ + 2;
    const std::string text = deadlock_of([]() -> leat::task<> {
        auto waiter = leat::spawn(stuck);                                                 // + 0
        auto other = leat::spawn([&]() -> leat::task<> { co_await waiter; });             // + 1
        auto many = leat::spawn([](int, int, int, int) { return stuck(); }, 1, 2, 3, 4);  // + 2
        co_await other;                                                                   // + 3
    });
    INFO(text);
    CHECK(mentions(text, line(first)));
    CHECK(mentions(text, line(first + 1)));
    CHECK(mentions(text, line(first + 2)));
    CHECK(mentions(text, line(first + 3)));
    CHECK(mentions(text, "waits for sleep"));
    CHECK(mentions(text, "waits for another task"));
    CHECK(mentions(text, "stuck"));
    CHECK(mentions(text, "task 4"));
    CHECK_FALSE(mentions(text, "task 6"));
}

TEST_CASE("a deadlock lists the tasks of groups and what is nested below deadlines that never pass") {
    const int first = __LINE__ + 3;
    const std::string text = deadlock_of([]() -> leat::task<> {
        co_await leat::with_task_group({.limit = 1}, [](leat::task_group& group) -> leat::task<> {
            co_await group.spawn_when_free(stuck);
            co_await leat::timeout_at(leat::never, group.spawn_when_free(stuck));
        });
    });
    INFO(text);
    CHECK(mentions(text, line(first)));
    CHECK(mentions(text, line(first + 1)));
    CHECK(mentions(text, "room in its group"));
}

TEST_CASE("two tasks that await each other are a deadlock") {
    const std::string text = deadlock_of([]() -> leat::task<> {
        leat::handle<> second;
        auto first = leat::spawn([&]() -> leat::task<> { co_await second; });
        second = leat::spawn([&]() -> leat::task<> { co_await first; });
        co_await first;
    });
    CHECK(mentions(text, "waits for another task"));
}

TEST_CASE("what waits behind a timer that will pass is no deadlock") {
    CHECK(deadlock_of([]() -> leat::task<> {
              leat::spawn(stuck);
              co_await leat::sleep(1000h);
              (void)co_await leat::move_on_after(1000h, stuck());
          }) == "");
}

TEST_CASE("what waits for an operation of the kernel is no deadlock") {
    leat::run_virtually([](leat::virtual_kernel& kernel) -> leat::task<> {
        kernel.script.push_back([] {});
        kernel.script.push_back([] {});
        kernel.script.push_back([&] { kernel.complete(7); });
        co_await leat::transfer(7);
    });
}

TEST_CASE("a deadlock unwinds all tasks, and run can be used again") {
    int unwound = 0;
    struct last {
        int& unwound;
        ~last() { ++unwound; }
    };
    for (int i = 0; i < 2; ++i) {
        CHECK(deadlock_of([&]() -> leat::task<> {
                  const last local{unwound};
                  auto child = leat::spawn([&]() -> leat::task<> {
                      const last inner{unwound};
                      co_await stuck();
                  });
                  co_await child;
              }) != "");
    }
    CHECK(unwound == 4);
}

TEST_CASE("a deadlock unwinds what waits behind shields, also the children of groups") {
    std::string log;
    struct last {
        std::string& log;
        ~last() { log += leat::unwinding() ? "unwound " : "returned "; }
    };
    auto held = [&]() -> leat::task<> {
        const last local{log};
        co_await leat::shield(stuck());
        log += "not reached ";
    };
    SUBCASE("a child behind a shield") {
        CHECK(deadlock_of([&]() -> leat::task<> {
                  co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                      group.spawn(held);
                      co_return;
                  });
                  log += "not reached ";
              }) != "");
    }
    SUBCASE("a shield around a group") {
        CHECK(deadlock_of([&]() -> leat::task<> {
                  co_await leat::shield(leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                      group.spawn(held);
                      co_await group.wait();
                  }));
                  log += "not reached ";
              }) != "");
    }
    SUBCASE("a cleanup that waits for a child") {
        CHECK(deadlock_of([&]() -> leat::task<> {
                  co_await leat::finally(stuck(), [&]() -> leat::task<> {
                      co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                          group.spawn(held);
                          co_return;
                      });
                      log += "not reached ";
                  });
                  log += "not reached ";
              }) != "");
    }
    CHECK(log == "unwound ");
}

TEST_CASE("a main task that ended before the others were stuck keeps its own outcome") {
    const auto lingering = [](leat::virtual_kernel&) {
        leat::spawn([]() -> leat::task<> { co_await stuck(); });
    };
    CHECK_THROWS_WITH_AS(leat::run_virtually([&](leat::virtual_kernel& kernel) -> leat::task<> {
                             lingering(kernel);
                             co_await leat::yield();
                             throw std::runtime_error("its own");
                         }),
                         "its own", std::runtime_error);
    const int value = leat::run_virtually([&](leat::virtual_kernel& kernel) -> leat::task<int> {
        lingering(kernel);
        co_await leat::yield();
        co_return 3;
    });
    CHECK(value == 3);
}

TEST_CASE("a callback that nobody can call is a deadlock, behind a shield and in a cleanup too") {
    std::vector<leat::callback<int>> kept;
    const auto keep = [&](const leat::callback<int>& done) { kept.push_back(done); };
    const std::string shielded =
        deadlock_of([&]() -> leat::task<> { (void)co_await leat::shield(leat::from_callback<int>(keep)); });
    CHECK(mentions(shielded, "waits for a callback"));
    const std::string cleanup = deadlock_of([&]() -> leat::task<> {
        co_await leat::finally(stuck,
                               [&]() -> leat::task<> { (void)co_await leat::from_callback<int>(keep); });
    });
    CHECK(mentions(cleanup, "waits for sleep"));
    CHECK(kept.size() == 2);
}
