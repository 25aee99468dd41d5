// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include "virtual_kernel.hpp"

#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

leat::task<int> doubled(int number) {
    co_await leat::yield();
    co_return 2 * number;
}

leat::task<std::size_t> length_of(const std::string& text) {
    co_await leat::yield();
    co_return text.size();
}

leat::task<int> fails(std::string text) {
    co_await leat::yield();
    throw std::runtime_error(text);
}

}  // namespace

LEAT_TEST("a spawned task runs beside its spawner and gives its result to its handle") {
    auto half = leat::spawn(doubled(1));
    auto whole = leat::spawn(doubled, 2);
    CHECK_FALSE(half.done());
    const int sum = co_await half + co_await whole;
    CHECK(sum == 6);
    CHECK(whole.done());
}

LEAT_TEST("a callable's arguments live as long as its task") {
    auto length = leat::spawn(length_of, std::string(1000, 'x'));
    CHECK(co_await length == 1000);
}

LEAT_TEST("what an argument is converted to for a reference lives as long as the task") {
    const char* text = "a literal that is longer than a short string";
    auto by_function = leat::spawn(length_of, text);
    auto by_lambda = leat::spawn(
        [](const std::string& given, const long& number) -> leat::task<std::size_t> {
            co_await leat::yield();
            co_return given.size() + static_cast<std::size_t>(number);
        },
        "another literal that is longer than a short string", 5);
    const std::size_t first = co_await by_function;
    const std::size_t second = co_await by_lambda;
    CHECK(first == 44);
    CHECK(second == 50 + 5);
}

LEAT_TEST("a lambda's captures live as long as its task") {
    auto owned = std::make_unique<int>(42);
    auto answer = leat::spawn([owned = std::move(owned)]() -> leat::task<int> {
        co_await leat::yield();
        co_return *owned;
    });
    CHECK(co_await answer == 42);
}

LEAT_TEST("a spawned task does not run before its spawner waits, and runs in the order of spawning") {
    std::string log;
    auto note = [&](char name) -> leat::task<> {
        log += name;
        co_return;
    };
    auto a = leat::spawn(note, 'a');
    auto b = leat::spawn(note, 'b');
    log += '-';
    co_await leat::yield();
    CHECK(log == "-ab");
    CHECK(a.done());
    CHECK(b.done());
}

LEAT_TEST("a member function is spawned with its object, and a reference_wrapper stays one") {
    struct counter {
        leat::task<int> add(const int& more) {
            co_await leat::yield();
            co_return total += more;
        }
        int total = 0;
    };
    counter wrapped;
    const int sum = co_await leat::spawn(&counter::add, &wrapped, 3);
    CHECK(sum == 3);
    const int same = co_await leat::spawn(
        [](counter& held) -> leat::task<int> { co_return co_await held.add(4); }, std::ref(wrapped));
    CHECK(same == 7);
    CHECK(wrapped.total == 7);
}

LEAT_TEST("a task takes any number of arguments, and references only when wrapped") {
    int sum = 0;
    auto add = [](int& to, int a, int b, std::unique_ptr<int> c, const std::string& d) -> leat::task<> {
        co_await leat::yield();
        to += a + b + *c + static_cast<int>(d.size());
    };
    co_await leat::spawn(add, std::ref(sum), 1, 2, std::make_unique<int>(3), "four");
    CHECK(sum == 10);
}

LEAT_TEST("a handle tells whether its task is done and how it ended") {
    auto good = leat::spawn(doubled, 4);
    auto bad = leat::spawn(fails, "oh");
    auto gone = leat::spawn(stuck);
    CHECK_FALSE(good.done());
    CHECK_FALSE(good.ok());
    CHECK(bad.error() == nullptr);
    co_await leat::yield();
    gone.cancel();
    co_await leat::join_all(good, bad, gone);
    CHECK(good.done());
    CHECK(good.ok());
    CHECK(good.error() == nullptr);
    CHECK(good.value() == 8);
    CHECK(bad.done());
    CHECK_FALSE(bad.ok());
    CHECK(bad.error() != nullptr);
    CHECK_FALSE(bad.cancelled());
    CHECK_THROWS_WITH_AS((void)bad.value(), "oh", std::runtime_error);
    CHECK(gone.done());
    CHECK_FALSE(gone.ok());
    CHECK(gone.cancelled());
    CHECK(gone.error() == nullptr);
    CHECK_THROWS_AS(gone.value(), leat::task_cancelled);
}

LEAT_TEST("a result that can only be moved is moved out of its handle") {
    auto owner =
        leat::spawn([]() -> leat::task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); });
    const std::unique_ptr<int> first = co_await owner;
    CHECK(*first == 5);
}

LEAT_TEST("a spawned task gives a reference") {
    int value = 1;
    auto refer = leat::spawn([&]() -> leat::task<int&> { co_return value; });
    int& same = co_await refer;
    CHECK(&same == &value);
    CHECK(&refer.value() == &value);
}

LEAT_TEST("any number of tasks can join one, before and after its end, and learn how it ended") {
    auto target = leat::spawn(fails, "once");
    int told = 0;
    auto joiner = [&]() -> leat::task<> {
        const leat::outcome<int>& ended = co_await target.join();
        told += ended.error() != nullptr;
    };
    auto a = leat::spawn(joiner);
    auto b = leat::spawn(joiner);
    auto c = leat::spawn(joiner);
    co_await leat::join_all(a, b, c);
    CHECK(told == 3);
    co_await leat::spawn(joiner);
    CHECK(told == 4);
}

LEAT_TEST("an outcome can be kept longer than the handle it came from") {
    leat::outcome<int> kept;
    {
        auto target = leat::spawn(doubled, 21);
        kept = co_await target.join();
    }
    CHECK(kept.value() == 42);
}

LEAT_TEST("a spawn with many arguments has the place of the co_await before it") {
    const auto sum = [](int a, int b, int c, int d, int e) -> leat::task<int> {
        co_return a + b + c + d + e;
    };
    co_await leat::yield();
    const unsigned line = std::source_location::current().line() - 1;
    auto child = leat::spawn(sum, 1, 2, 3, 4, 5);
    const std::source_location& where = child.state().spawned_at;
    CHECK(std::string_view(where.file_name()).ends_with("spawn_test.cpp"));
    CHECK(where.line() == line);
    const int result = co_await child;
    CHECK(result == 15);
}

LEAT_TEST("joiners are resumed in the order they came") {
    std::string log;
    auto target = leat::spawn(doubled, 1);
    auto joiner = [&](char name) -> leat::task<> {
        co_await target.join();
        log += name;
    };
    auto a = leat::spawn(joiner, 'a');
    auto b = leat::spawn(joiner, 'b');
    auto c = leat::spawn(joiner, 'c');
    co_await c;
    CHECK(log == "abc");
}

LEAT_TEST("a callable that throws instead of giving a task fails that task") {
    auto refuse = [](bool given) -> leat::task<int> {
        return given ? doubled(1) : throw std::logic_error("no task");
    };
    auto thrower = leat::spawn(refuse, false);
    std::string caught;
    try {
        co_await thrower;
    } catch (const std::logic_error& error) {
        caught = error.what();
    }
    CHECK(caught == "no task");
}

LEAT_TEST("a handle can be dropped or overwritten while its task runs, which goes on") {
    int ended = 0;
    auto body = [&]() -> leat::task<> {
        co_await leat::yield();
        ++ended;
    };
    {
        auto dropped = leat::spawn(body);
    }
    auto overwritten = leat::spawn(body);
    overwritten = leat::spawn(body);
    overwritten = leat::handle<>();
    CHECK_FALSE(overwritten.valid());
    co_await leat::yield();
    co_await leat::yield();
    CHECK(ended == 3);
}

LEAT_TEST("a wait for a task keeps the task when the handle goes away meanwhile") {
    auto target = leat::spawn(doubled, 8);
    auto joiner = leat::spawn([&]() -> leat::task<int> { co_return co_await target; });
    co_await leat::yield();
    target = leat::handle<int>();
    const int got = co_await joiner;
    CHECK(got == 16);
}

LEAT_TEST("a handle that is given up to the wait refers to nothing then") {
    auto target = leat::spawn(doubled, 4);
    const int got = co_await std::move(target);
    CHECK(got == 8);
    CHECK_FALSE(target.valid());
}

LEAT_TEST("an argument that holds the task's own handle is dropped at its end") {
    struct slot {
        leat::handle<> own;
    };
    auto shared = std::make_shared<slot>();
    const std::weak_ptr<slot> watched = shared;
    shared->own = leat::spawn([shared]() -> leat::task<> { co_await leat::yield(); });
    shared.reset();
    CHECK_FALSE(watched.expired());
    co_await leat::yield();
    co_await leat::yield();
    CHECK(watched.expired());
}

TEST_CASE("a handle outlives the run that it came from") {
    leat::handle<int> ended;
    leat::handle<> cancelled;
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        ended = leat::spawn(doubled, 3);
        cancelled = leat::spawn(stuck);
        co_await ended.join();
    });
    CHECK(ended.value() == 6);
    CHECK(cancelled.done());
    CHECK_THROWS_AS(cancelled.value(), leat::task_cancelled);
    cancelled.cancel();
    ended.cancel();
    CHECK(ended.value() == 6);
}

LEAT_TEST("cancelling what has ended does nothing, also when its group has gone") {
    leat::handle<int> ended;
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        ended = group.spawn(doubled, 3);
        co_return;
    });
    ended.cancel();
    CHECK(ended.ok());
    CHECK(ended.value() == 6);
}

VIRTUAL_TEST("on_done calls back with the outcome, in the order of asking, before those who wait") {
    std::string log;
    auto victim = leat::spawn([]() -> leat::task<int> {
        co_await leat::sleep(1s);
        co_return 7;
    });
    auto waits = leat::spawn([&]() -> leat::task<> {
        co_await leat::join_all(victim);
        log += "joined ";
    });
    co_await leat::yield();
    victim.on_done(
        [&](const leat::outcome<int>& ended) { log += std::to_string(ended.value()) + " first "; });
    victim.on_done([&](const leat::outcome<int>&) { log += "second "; });
    co_await waits;
    CHECK(log == "7 first second joined ");
    victim.on_done([&](const leat::outcome<int>&) { log += "at once"; });
    CHECK(log == "7 first second joined at once");
    const int value = co_await victim;
    CHECK(value == 7);
}

VIRTUAL_TEST("on_done hears of errors, which are then not reported, and of cancellations") {
    std::string log;
    auto note = [&](const leat::outcome<void>& ended) {
        log += ended.cancelled() ? "cancelled " : ended.error() != nullptr ? "failed " : "done ";
    };
    leat::spawn([]() -> leat::task<> { throw std::runtime_error("broken"); }).on_done(note);
    auto victim = leat::spawn([]() -> leat::task<> { co_await leat::sleep_until(leat::never); });
    victim.on_done(note);
    victim.cancel();
    co_await leat::sleep(1s);
    CHECK(log == "failed cancelled ");
    CHECK(leat::reports.empty());
}

VIRTUAL_TEST("a callback of on_done may spawn and cancel, and what it holds dies when it was called") {
    auto held = std::make_shared<int>(1);
    bool ran = false;
    auto other = leat::spawn([]() -> leat::task<> { co_await leat::sleep_until(leat::never); });
    leat::spawn([]() -> leat::task<> { co_return; }).on_done([&, held](const leat::outcome<void>&) {
        other.cancel();
        leat::spawn([&]() -> leat::task<> {
            ran = true;
            co_return;
        });
    });
    CHECK(held.use_count() == 2);
    co_await leat::sleep(1s);
    CHECK(other.cancelled());
    CHECK(ran);
    CHECK(held.use_count() == 1);
}

TEST_CASE("what is held of a task that has ended may be asked and dropped on another thread") {
    std::optional<leat::handle<int>> kept;
    std::thread([&] {
        leat::run([&]() -> leat::task<> {
            kept = leat::spawn(doubled, 4);
            co_await kept->join();
        });
    }).join();
    CHECK(kept->done());
    CHECK(kept->value() == 8);
    int seen = 0;
    kept->on_done([&](const leat::outcome<int>& ended) { seen = ended.value(); });
    CHECK(seen == 8);
    kept->cancel();
    leat::run([&]() -> leat::task<> {
        const int taken = co_await *kept;
        CHECK(taken == 8);
    });
    kept.reset();
}
