// SPDX-License-Identifier: MIT
// The third outcome: what happens to a task that is cancelled through its handle.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

using names = std::vector<std::string>;

// Writes down that it died, and whether its task was unwinding then.
struct witness {
    witness(names& log, std::string name) : log_(log), name_(std::move(name)) {}
    witness(const witness&) = delete;
    ~witness() { log_.push_back(name_ + (leat::unwinding() ? " unwinds" : " returns")); }

private:
    names& log_;
    std::string name_;
};

leat::task<> nested(int depth, names& log) {
    const witness first(log, "first " + std::to_string(depth));
    const witness second(log, "second " + std::to_string(depth));
    if (depth == 0) {
        co_await stuck();
    } else {
        co_await nested(depth - 1, log);
    }
    log.emplace_back("not reached");
}

}  // namespace

using on_cancel = leat::virtual_kernel::on_cancel;

LEAT_TEST("a cancelled task's frames die innermost first, each one's locals in reverse order") {
    names log;
    auto victim = leat::spawn(nested, 2, std::ref(log));
    co_await leat::yield();
    victim.cancel();
    CHECK(log.empty());
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == names{"second 0 unwinds", "first 0 unwinds", "second 1 unwinds", "first 1 unwinds",
                       "second 2 unwinds", "first 2 unwinds"});
}

LEAT_TEST("the arguments and captures of a cancelled task die while it unwinds") {
    names log;
    auto victim = leat::spawn([captured = std::make_unique<witness>(log, "captured")](
                                  std::unique_ptr<witness>) -> leat::task<> { co_await stuck(); },
                              std::make_unique<witness>(log, "argument"));
    co_await leat::yield();
    victim.cancel();
    co_await victim.join();
    CHECK(log == names{"argument unwinds", "captured unwinds"});
    CHECK_FALSE(leat::unwinding());
}

LEAT_TEST("no catch clause sees a cancellation") {
    bool caught = false;
    auto victim = leat::spawn([&]() -> leat::task<> {
        try {
            co_await stuck();
        } catch (...) {
            caught = true;
        }
    });
    co_await leat::yield();
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK_FALSE(caught);
}

LEAT_TEST("awaiting a cancelled task throws task_cancelled, which is a system_error") {
    auto victim = leat::spawn(stuck);
    victim.cancel();
    std::error_code code;
    try {
        co_await victim;
    } catch (const leat::task_cancelled& error) {
        code = error.code();
    }
    CHECK(code == std::errc::operation_canceled);
}

LEAT_TEST("awaiting a cancelled task tells why it was cancelled, the nearest cause first") {
    auto by_handle = leat::spawn(stuck);
    by_handle.cancel("the client hung up");
    by_handle.cancel("it was too late to ask again");
    const auto& first = co_await by_handle.join();
    CHECK(first.why().text() == "the client hung up");

    leat::handle<> by_group;
    leat::handle<> by_itself;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        by_group = group.spawn(stuck);
        by_itself = group.spawn(stuck);
        by_itself.cancel("it was in the way");
        group.cancel("the server stops");
        co_return;
    });
    const auto& second = co_await by_group.join();
    CHECK(second.why().text() == "the server stops");
    const auto& third = co_await by_itself.join();
    CHECK(third.why().text() == "it was in the way");
}

VIRTUAL_TEST("a sibling's error, and a deadline around a group, are told as the reason") {
    leat::handle<> sibling;
    const auto fails = [&](leat::task_group& group) -> leat::task<> {
        sibling = group.spawn(stuck);
        group.spawn([]() -> leat::task<> { throw std::runtime_error("failed"); });
        co_return;
    };
    const auto thrown = co_await leat::thrown_by(leat::with_task_group(fails));
    CHECK(thrown == "failed");
    const auto& beside = co_await sibling.join();
    CHECK(beside.why() == leat::cancel_reason::error);

    leat::handle<> late;
    const bool finished =
        co_await leat::move_on_after(1s, leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                                         late = group.spawn(stuck);
                                         co_return;
                                     }));
    CHECK_FALSE(finished);
    const auto& ended = co_await late.join();
    CHECK(ended.why() == leat::cancel_reason::deadline);
}

LEAT_TEST("a task that is cancelled before its first step runs to its first wait") {
    names log;
    auto victim = leat::spawn([&]() -> leat::task<> {
        const witness local(log, "local");
        log.emplace_back("started");
        co_await leat::yield();
        log.emplace_back("not reached");
    });
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == names{"started", "local unwinds"});
}

LEAT_TEST("a task that is cancelled but does not wait any more ends with its value") {
    auto survivor = leat::spawn([]() -> leat::task<int> { co_return 5; });
    survivor.cancel();
    const int value = co_await survivor;
    CHECK(value == 5);
}

LEAT_TEST("a task that cancels itself goes on to its next wait") {
    names log;
    leat::handle<> self;
    self = leat::spawn([&]() -> leat::task<> {
        self.cancel();
        log.emplace_back("still here");
        co_await leat::yield();
        log.emplace_back("not reached");
    });
    const auto& ended = co_await self.join();
    CHECK(ended.cancelled());
    CHECK(log == names{"still here"});
}

LEAT_TEST("cancelling twice, or a task that has ended, has no effect") {
    auto victim = leat::spawn(stuck);
    auto ended = leat::spawn([]() -> leat::task<int> { co_return 1; });
    co_await leat::yield();
    victim.cancel();
    victim.cancel();
    ended.cancel();
    CHECK(ended.value() == 1);
    co_await victim.join();
    victim.cancel();
    const auto& how = co_await victim.join();
    CHECK(how.cancelled());
}

VIRTUAL_TEST("a cancelled operation that ends at once unwinds its task") {
    auto victim = leat::spawn([]() -> leat::task<std::size_t> { co_return co_await leat::transfer(7); });
    co_await leat::yield();
    victim.cancel();
    CHECK(kernel.cancelled == std::vector{7});
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
}

VIRTUAL_TEST("the frame of a cancelled operation stays until the kernel has let go of it") {
    names log;
    kernel.cancelling = on_cancel::stays;
    auto victim = leat::spawn([&]() -> leat::task<> {
        const witness local(log, "local");
        co_await leat::transfer(7);
    });
    co_await leat::yield();
    victim.cancel();
    co_await leat::sleep(1s);
    CHECK(log.empty());
    CHECK(kernel.cancelled == std::vector{7});
    kernel.complete(7, -ECANCELED);
    co_await victim.join();
    CHECK(log == names{"local unwinds"});
}

VIRTUAL_TEST("a result that comes in spite of the request is delivered, and the next wait is cancelled") {
    names log;
    kernel.cancelling = on_cancel::succeeds_later;
    auto victim = leat::spawn([&]() -> leat::task<> {
        const std::size_t got = co_await leat::transfer(7);
        log.push_back("got " + std::to_string(got));
        co_await leat::checkpoint();
        log.emplace_back("not reached");
    });
    co_await leat::yield();
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log == names{"got 1"});
}

VIRTUAL_TEST("a result that is there already when the task is cancelled is delivered") {
    int got = 0;
    auto victim = leat::spawn([&]() -> leat::task<> {
        got = static_cast<int>(co_await leat::transfer(7));
        co_await leat::transfer(8);
        got = -1;
    });
    co_await leat::yield();
    kernel.script.push_back([&] {
        kernel.complete(9);
        kernel.complete(7, 3);
    });
    co_await leat::transfer(9);  // both are collected: the victim is ready after this task
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(got == 3);
    CHECK(kernel.submitted == 2);
}

VIRTUAL_TEST("an error that is not the request's own is delivered to a cancelled task") {
    kernel.cancelling = on_cancel::stays;
    std::error_code code;
    auto victim = leat::spawn([&]() -> leat::task<> {
        const auto result = co_await leat::as_result(leat::transfer(7));
        code = result.error();
    });
    co_await leat::yield();
    victim.cancel();
    kernel.complete(7, -ECONNRESET);
    const auto& ended = co_await victim.join();
    CHECK(ended.ok());
    CHECK(code == std::errc::connection_reset);
}

VIRTUAL_TEST("ECANCELED that nobody asked for is an error, not a cancellation") {
    auto reader = leat::spawn([]() -> leat::task<std::size_t> { co_return co_await leat::transfer(7); });
    co_await leat::yield();
    kernel.complete(7, -ECANCELED);
    const auto& ended = co_await reader.join();
    CHECK(ended.error() != nullptr);
}

VIRTUAL_TEST("nothing is submitted for a task that is cancelled") {
    kernel.inline_results[7] = 1;
    auto victim = leat::spawn([]() -> leat::task<> { co_await leat::transfer(7); });
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(kernel.submitted == 0);
}

VIRTUAL_TEST("cancelling a task that waits for another leaves the other alone") {
    auto target = leat::spawn([]() -> leat::task<int> {
        co_await leat::sleep(1s);
        co_return 4;
    });
    auto waiter = leat::spawn([&]() -> leat::task<int> { co_return co_await target; });
    co_await leat::yield();
    waiter.cancel();
    co_await waiter.join();
    CHECK_FALSE(target.done());
    const int value = co_await target;
    CHECK(value == 4);
}

VIRTUAL_TEST("an exception on its way when the task is cancelled goes on") {
    auto victim = leat::spawn([&]() -> leat::task<> {
        co_await leat::transfer(7);
        throw std::runtime_error("stronger");
    });
    co_await leat::yield();
    kernel.script.push_back([&] {
        kernel.complete(9);
        kernel.complete(7);
    });
    co_await leat::transfer(9);
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.error() != nullptr);
}

LEAT_TEST("destructors of an unwinding task may spawn, cancel and ask for the time") {
    names log;
    auto other = leat::spawn(stuck);
    leat::handle<> spawned;
    struct busy {
        names& log;
        leat::handle<>& other;
        leat::handle<>& spawned;
        ~busy() {
            CHECK(leat::unwinding());
            spawned = leat::spawn([&log = log]() -> leat::task<> {
                CHECK_FALSE(leat::unwinding());
                co_await leat::yield();
                log.emplace_back("spawned ran");
            });
            other.cancel();
            CHECK(leat::now() > leat::time_point{});
        }
    };
    auto victim = leat::spawn([&]() -> leat::task<> {
        const busy local{log, other, spawned};
        co_await stuck();
    });
    co_await leat::yield();
    victim.cancel();
    co_await victim.join();
    const auto& ended = co_await other.join();
    CHECK(ended.cancelled());
    co_await spawned;
    CHECK(log == names{"spawned ran"});
}

LEAT_TEST("a destructor may cancel its own task while it unwinds") {
    leat::handle<> self;
    struct again {
        leat::handle<>& self;
        ~again() { self.cancel(); }
    };
    self = leat::spawn([&]() -> leat::task<> {
        const again local{self};
        co_await stuck();
    });
    co_await leat::yield();
    self.cancel();
    const auto& ended = co_await self.join();
    CHECK(ended.cancelled());
}

LEAT_TEST("tasks that are cancelled together unwind in the order they were spawned") {
    names log;
    auto group = leat::with_task_group([&](leat::task_group& children) -> leat::task<> {
        for (const char* name : {"a", "b", "c"}) {
            children.spawn([&log, name]() -> leat::task<> {
                const witness local(log, name);
                co_await stuck();
            });
        }
        co_await leat::yield();
        children.cancel();
    });
    co_await std::move(group);
    CHECK(log == names{"a unwinds", "b unwinds", "c unwinds"});
}
