// SPDX-License-Identifier: MIT
// group.start: a child that says when it is ready.
#include <leat/task_group.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using leat::started;
using leat::stuck;
using leat::task_group;
using leat::thrown_by;
using leat::with_task_group;

namespace {

// Ready with its port after `length`; then runs for an hour.
leat::task<> server(started<int> ready, leat::duration length, int port, std::string& log) {
    struct witness {
        std::string& log;
        ~witness() { log += leat::unwinding() ? "unwound" : "returned"; }
    };
    const witness local{log};
    co_await leat::sleep(length);
    ready.set(port);
    co_await leat::sleep(1h);
}

}  // namespace

VIRTUAL_TEST("start gives the value that the child is ready with, and the child goes on in the group") {
    std::string log;
    const auto began = leat::now();
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        const int port = co_await group.start(server, 2s, 80, std::ref(log));
        CHECK(port == 80);
        CHECK(leat::now() - began == 2s);
        CHECK(group.size() == 1);
        CHECK(log.empty());
    });
    CHECK(log == "returned");
    CHECK(leat::now() - began == 1h + 2s);
}

VIRTUAL_TEST("a child is cancelled with the group once it has moved there") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        co_await group.start(server, 2s, 80, std::ref(log));
        group.cancel();
    });
    CHECK(log == "unwound");
}

VIRTUAL_TEST("a child that fails before it is ready fails the start and not the group") {
    std::string thrown;
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        auto refused = [](started<> ready) -> leat::task<> {
            co_await leat::sleep(1s);
            throw std::runtime_error("the port is taken");
            ready.set();
        };
        thrown = co_await thrown_by(group.start(refused));
        log = "went on";
        co_await leat::yield();
    });
    CHECK(thrown == "the port is taken");
    CHECK(log == "went on");
    CHECK(leat::reports.empty());
}

VIRTUAL_TEST("a child that fails when it was ready fails the group") {
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
        co_await group.start([](started<> ready) -> leat::task<> {
            ready.set();
            co_await leat::sleep(1s);
            throw std::runtime_error("later");
        });
        co_await stuck();
    }));
    CHECK(thrown == "later");
}

VIRTUAL_TEST("a child that ends without being ready is an error of the start") {
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        const std::string thrown = co_await thrown_by(group.start([](started<> dropped) -> leat::task<> {
            (void)dropped;
            co_await leat::sleep(1s);
        }));
        CHECK(thrown == "a task that was started ended without being ready");
    });
}

VIRTUAL_TEST("cancelling a start cancels its child, and waits for that") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        const auto began = leat::now();
        const auto port = co_await leat::move_on_after(1s, group.start(server, 5s, 80, std::ref(log)));
        CHECK_FALSE(port.has_value());
        CHECK(log == "unwound");
        CHECK(leat::now() - began == 1s);
        CHECK(group.size() == 0);
    });
}

VIRTUAL_TEST("a child that is ready in the turn of the cancellation is delivered and stays") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        leat::cancel_scope* around = nullptr;
        int port = 0;
        auto ready_and_cancel = [&](started<int> ready) -> leat::task<> {
            co_await leat::sleep(1s);
            ready.set(80);
            around->cancel();
            co_await leat::sleep(1s);
            log = "stayed";
        };
        const bool finished =
            co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
                around = &scope;
                port = co_await group.start(ready_and_cancel);
                co_await leat::checkpoint();
            });
        CHECK_FALSE(finished);
        CHECK(port == 80);
        co_await group.wait();
    });
    CHECK(log == "stayed");
}

VIRTUAL_TEST("a child that is ready while it is cancelled ends, and its value is not delivered") {
    std::string log;
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        auto stubborn = [&](started<int> ready) -> leat::task<> {
            co_await leat::shield(leat::sleep(3s));
            ready.set(80);
            log += "said ";
            co_await leat::checkpoint();
            log += "not reached";
        };
        const auto port = co_await leat::move_on_after(1s, group.start(stubborn));
        CHECK_FALSE(port.has_value());
        CHECK(group.size() == 0);
    });
    CHECK(log == "said ");
}

VIRTUAL_TEST("a child that becomes ready in a group that was cancelled meanwhile is cancelled with it") {
    std::string log;
    co_await with_task_group([&](task_group& outer) -> leat::task<> {
        task_group* inner = nullptr;
        outer.spawn([&]() -> leat::task<> {
            co_await with_task_group([&](task_group& group) -> leat::task<> {
                inner = &group;
                co_await leat::shield(leat::sleep(3s));
            });
        });
        co_await leat::yield();
        inner->cancel();
        const int port = co_await inner->start(server, 2s, 80, std::ref(log));
        CHECK(port == 80);
    });
    CHECK(log == "unwound");
}

LEAT_TEST("a start may give a value that can only be moved") {
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        const auto box = co_await group.start(
            [](started<std::unique_ptr<int>> ready, int number) -> leat::task<> {
                ready.set(std::make_unique<int>(number));
                co_return;
            },
            5);
        CHECK(*box == 5);
    });
}

namespace {

// Says at its end that the task is ready.
struct ready_at_its_end {
    explicit ready_at_its_end(started<int> given) noexcept : ready(std::move(given)) {}
    ready_at_its_end(ready_at_its_end&&) noexcept = default;
    ready_at_its_end& operator=(ready_at_its_end&&) noexcept = default;
    ~ready_at_its_end() { ready.set(80); }

    started<int> ready;
};

// `last` dies with the frame, after the task has its result.
leat::task<> ready_by_destruction(started<int> ready, std::unique_ptr<ready_at_its_end> last) {
    last = std::make_unique<ready_at_its_end>(std::move(ready));
    co_await leat::sleep(1s);
}

leat::task<> failing_by_destruction(started<int> ready, std::unique_ptr<ready_at_its_end> last) {
    last = std::make_unique<ready_at_its_end>(std::move(ready));
    co_await leat::sleep(1s);
    throw std::runtime_error("failed at last");
}

}  // namespace

VIRTUAL_TEST("a child that a destructor calls ready while it ends is delivered, and has ended in the group") {
    co_await with_task_group([&](task_group& group) -> leat::task<> {
        const int port = co_await group.start(ready_by_destruction, std::unique_ptr<ready_at_its_end>());
        CHECK(port == 80);
        CHECK(group.size() == 0);
        const int again = co_await group.start(ready_by_destruction, std::unique_ptr<ready_at_its_end>());
        CHECK(again == 80);
    });
}

VIRTUAL_TEST("a child that fails and is called ready by a destructor while it ends fails the group") {
    int port = 0;
    const std::string thrown = co_await thrown_by(with_task_group([&](task_group& group) -> leat::task<> {
        port = co_await group.start(failing_by_destruction, std::unique_ptr<ready_at_its_end>());
        co_await stuck();
    }));
    CHECK(port == 80);
    CHECK(thrown == "failed at last");
    CHECK(leat::reports.empty());
}
