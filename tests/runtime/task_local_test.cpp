// SPDX-License-Identifier: MIT
#include <leat/task_local.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

constinit leat::task_local<int> number;
constinit leat::task_local<std::string> name;
constinit leat::task_local<std::shared_ptr<int>> shared;

// What they are bound to; 0 and "-" when they are not.
std::string bound() {
    const int* found = number.get();
    const std::string* named = name.get();
    return std::to_string(found != nullptr ? *found : 0) + (named != nullptr ? *named : "-");
}

leat::task<std::string> bound_later() {
    co_await leat::sleep(1s);
    co_return bound();
}

leat::task<> fail() {
    co_await leat::yield();
    throw std::runtime_error("failed while " + bound());
}

// Notes what is bound when it is destroyed.
struct noting {
    explicit noting(std::string& where) noexcept : log(where) {}
    noting(const noting&) = delete;
    noting& operator=(const noting&) = delete;
    ~noting() { log += bound() + " "; }
    std::string& log;
};

leat::task<> note_and_wait(std::string& log) {
    const noting end(log);
    co_await number.with(2, [&]() -> leat::task<> {
        const noting inner(log);
        co_await name.with("deep", stuck());
    });
}

leat::task<> nest(int depth, leat::event& go) {
    if (depth == 0) {
        leat::spawn([&go]() -> leat::task<> { co_await go.wait(); });
        co_return;
    }
    co_await number.with(depth, nest(depth - 1, go));
}

// Keeps in a task of its own what is bound there.
class keeper final : public leat::service {
public:
    explicit keeper(leat::scheduler& loop) {
        const auto background = [](std::string& into) -> leat::task<> {
            into = bound();
            co_await stuck();
        };
        leat::detail::spawn_call(loop.background(), std::source_location::current(), background,
                                 std::ref(seen));
    }
    std::string seen;
};

}  // namespace

TEST_CASE("a task_local is unbound outside tasks") {
    CHECK(number.get() == nullptr);
}

VIRTUAL_TEST("a task_local is bound in what it is bound for, and unbound before and after") {
    CHECK(bound() == "0-");
    const std::string in_task = co_await number.with(1, bound_later());
    CHECK(in_task == "1-");
    CHECK(bound() == "0-");
    const std::string in_callable = co_await name.with("a", [&]() -> leat::task<std::string> {
        const std::string inner = co_await number.with(7, bound_later);
        co_return inner + bound();
    });
    CHECK(in_callable == "7a0a");
    CHECK(bound() == "0-");
}

LEAT_TEST("an inner binding hides the outer one until it ends") {
    std::string log;
    co_await number.with(1, [&]() -> leat::task<> {
        co_await number.with(2, [&]() -> leat::task<> {
            log += bound();
            co_return;
        });
        log += bound();
    });
    CHECK(log == "2-1-");
}

VIRTUAL_TEST("task_locals nest in one expression, around any awaitable") {
    const std::string both = co_await number.with(1, name.with("b", bound_later()));
    CHECK(both == "1b");
    co_await number.with(1, leat::sleep(1s));
    const auto in_time = co_await leat::timeout(5s, number.with(3, leat::timeout(5s, bound_later())));
    CHECK(in_time == "3-");
    CHECK(bound() == "0-");
}

LEAT_TEST("a binding ends with an exception") {
    const std::string message =
        co_await leat::thrown_by([]() -> leat::task<> { co_await number.with(4, fail()); }());
    CHECK(message == "failed while 4-");
    CHECK(bound() == "0-");
    const auto no_task = []() -> leat::task<> { throw std::runtime_error("there is no task"); };
    bool thrown = false;
    try {
        co_await number.with(4, no_task);
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK(bound() == "0-");
}

VIRTUAL_TEST("a binding ends with an unwinding, in the middle of an expression too") {
    const auto both = [](bool finished, const std::string& now) {
        return (finished ? "finished " : "cancelled ") + now;
    };
    const bool outside = co_await leat::move_on_after(1s, number.with(1, name.with("x", stuck())));
    CHECK(both(outside, bound()) == "cancelled 0-");
    std::string log;
    co_await name.with("kept", [&]() -> leat::task<> {
        log += both(co_await leat::move_on_after(1s, number.with(1, number.with(2, stuck()))), bound());
        log += ", ";
        const bool inside = co_await number.with(3, leat::move_on_after(1s, number.with(4, stuck())));
        log += both(inside, bound());
    });
    CHECK(log == "cancelled 0kept, cancelled 0kept");
    CHECK(bound() == "0-");
}

VIRTUAL_TEST("what absorbs a cancellation inside a binding goes on with it") {
    std::string log;
    co_await number.with(1, [&]() -> leat::task<> {
        (void)co_await leat::move_on_after(1s, number.with(2, stuck()));
        log = bound();
    });
    CHECK(log == "1-");
}

LEAT_TEST("destructors that run in an unwinding see what is bound around them") {
    std::string log;
    auto waiting = leat::spawn(note_and_wait, std::ref(log));
    co_await leat::yield();
    waiting.cancel();
    co_await waiting.join();
    CHECK(log == "2- 0- ");
}

VIRTUAL_TEST("a child has what was bound at its spawn, and neither sees what the other binds later") {
    std::string log;
    std::optional<leat::handle<std::string>> free;
    co_await number.with(1, [&]() -> leat::task<> {
        free.emplace(leat::spawn([]() -> leat::task<std::string> {
            const std::string own = co_await name.with("child", bound_later());
            co_return own + " " + bound();
        }));
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            auto in_group = group.spawn(bound_later);
            co_await number.with(2, leat::sleep(2s));
            log += co_await in_group;
            log += " " + bound();
        });
    });
    CHECK(bound() == "0-");
    const std::string of_child = co_await *free;
    CHECK(of_child == "1child 1-");
    CHECK(log == "1- 1-");
    auto unbound = leat::spawn(bound_later);
    const std::string of_unbound = co_await unbound;
    CHECK(of_unbound == "0-");
}

VIRTUAL_TEST("a value lives until the last task that inherited it has ended, whoever holds its handle") {
    const auto value = std::make_shared<int>(1);
    std::optional<leat::handle<bool>> child;
    co_await shared.with(value, [&]() -> leat::task<> {
        child.emplace(leat::spawn([&]() -> leat::task<bool> {
            co_await leat::sleep(1s);
            co_return *shared.get() == value;
        }));
        CHECK(value.use_count() == 2);
        co_return;
    });
    CHECK(value.use_count() == 2);
    co_await leat::sleep(2s);
    CHECK(value.use_count() == 1);
    CHECK(child->value());
    {
        const auto never_awaited = shared.with(value, stuck());
        CHECK(value.use_count() == 2);
    }
    CHECK(value.use_count() == 1);
}

LEAT_TEST("what another thread posts runs unbound, and so do the tasks that it spawns") {
    std::string log;
    leat::event posted;
    const auto remote = leat::current_scheduler().remote();
    co_await number.with(1, [&]() -> leat::task<> {
        remote.post([&] {
            log += bound();
            leat::spawn([&]() -> leat::task<> {
                log += bound();
                posted.set();
                co_return;
            });
        });
        co_await posted.wait();
    });
    CHECK(log == "0-0-");
}

LEAT_TEST("a service does not inherit from the task that used it first") {
    std::string seen;
    co_await number.with(1, [&]() -> leat::task<> {
        const auto& used = leat::current_scheduler().use<keeper>();
        co_await leat::yield();
        seen = used.seen;
    });
    CHECK(seen == "0-");
}

LEAT_TEST("a list of very many bindings ends without recursion") {
    leat::event go;
    co_await nest(100'000, go);
    CHECK(number.get() == nullptr);
    go.set();
    co_await leat::yield();
}
