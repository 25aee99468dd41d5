// SPDX-License-Identifier: MIT
#include <leat/race.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::race;
using leat::stuck;

namespace {

leat::task<int> racing_number(leat::duration length, int number) {
    co_await leat::sleep(length);
    co_return number;
}

leat::task<> fails_after(leat::duration length) {
    co_await leat::sleep(length);
    throw std::runtime_error("broken");
}

// Gives what the operation gives, also when it is cancelled.
leat::task<std::size_t> received(int descriptor) {
    const std::size_t size = co_await leat::transfer(descriptor);
    co_return size;
}

struct witness {
    explicit witness(std::string& to) : log(to) {}
    ~witness() { log += leat::unwinding() ? "unwound " : "returned "; }
    std::string& log;
};

leat::task<int> logged(leat::duration length, std::string& log) {
    const witness local(log);
    co_await leat::sleep(length);
    co_return 1;
}

}  // namespace

VIRTUAL_TEST("a race gives the value of the first, and ends the others before it returns") {
    std::string log;
    const auto began = leat::now();
    const auto [slow, fast, nothing] =
        co_await race(logged(5s, log), racing_number(1s, 2), [] { return stuck(); });
    CHECK(leat::now() - began == 1s);
    CHECK_FALSE(slow.has_value());
    CHECK(fast == 2);
    CHECK_FALSE(nothing.has_value());
    CHECK(log == "unwound ");
}

VIRTUAL_TEST("a loser that succeeded anyway is returned too") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    const auto [first, second] = co_await race(received(7), racing_number(1s, 2));
    CHECK(first.has_value());
    CHECK(second == 2);
}

VIRTUAL_TEST("those that end in one turn are all returned") {
    const auto [first, second] = co_await race(racing_number(1s, 1), racing_number(1s, 2));
    CHECK(first == 1);
    CHECK(second == 2);
}

VIRTUAL_TEST("an error in a race cancels the others and is thrown") {
    std::string log;
    const auto began = leat::now();
    const std::string thrown = co_await leat::thrown_by(
        [](std::string& to) -> leat::task<> { co_await race(fails_after(1s), logged(5s, to)); }(log));
    CHECK(thrown == "broken");
    CHECK(log == "unwound ");
    CHECK(leat::now() - began == 1s);
    CHECK(leat::reports.empty());
}

VIRTUAL_TEST("racing a handle cancels only the wait for it") {
    auto other = leat::spawn(racing_number, 3s, 3);
    const auto [fast, joined] = co_await race(racing_number(1s, 1), std::move(other));
    CHECK(fast == 1);
    CHECK_FALSE(joined.has_value());
    auto kept = leat::spawn(racing_number, 3s, 4);
    const auto late = leat::spawn([&]() -> leat::task<int> { co_return co_await kept; });
    const auto [again, lost] = co_await race(racing_number(1s, 1), [&] { return racing_number(5s, 0); });
    CHECK(again.has_value());
    CHECK_FALSE(lost.has_value());
    const int value = co_await late;
    CHECK(value == 4);
}

VIRTUAL_TEST("a race of a range gives a vector in order, and one of nothing is an error") {
    std::vector<leat::task<int>> runners;
    for (int i = 0; i < 4; ++i) {
        runners.push_back(racing_number(i == 2 ? 1s : 9s, i));
    }
    const auto results = co_await race(std::move(runners));
    REQUIRE(results.size() == 4);
    CHECK(results[2] == 2);
    CHECK_FALSE(results[0].has_value());
    const std::string thrown =
        co_await leat::thrown_by([]() -> leat::task<> { co_await race(std::vector<leat::task<int>>()); }());
    CHECK(thrown == "a race of nothing has no end");
}

VIRTUAL_TEST("a race that is cancelled ends all that run in it, and does not return") {
    std::string log;
    bool returned = false;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await race(logged(5s, log), logged(6s, log));
        returned = true;
    });
    CHECK_FALSE(finished);
    CHECK_FALSE(returned);
    CHECK(log == "unwound unwound ");
}

VIRTUAL_TEST("a race that is cancelled when one has its value returns it, and the next wait is cancelled") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::succeeds_later;
    bool won = false;
    bool went_on = false;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        const auto [first, second] = co_await race(received(7), racing_number(5s, 2));
        won = first.has_value() && !second.has_value();
        co_await leat::checkpoint();
        went_on = true;
    });
    CHECK_FALSE(finished);
    CHECK(won);
    CHECK_FALSE(went_on);
}

LEAT_TEST("results of a race may be references, may be nothing, and may only be moved") {
    int number = 1;
    const auto refers = [&]() -> leat::task<int&> { co_return number; };
    const auto boxed = []() -> leat::task<std::unique_ptr<int>> { co_return std::make_unique<int>(2); };
    auto [reference, box] = co_await race(refers, boxed);
    REQUIRE(reference.has_value());
    CHECK(&reference->get() == &number);
    REQUIRE(box.has_value());
    CHECK(**box == 2);
}
