// SPDX-License-Identifier: MIT
#include <leat/generator.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using leat::elements_of;
using leat::generator;

static_assert(std::ranges::input_range<generator<int>>);
static_assert(std::ranges::input_range<generator<std::string&>>);
static_assert(std::ranges::input_range<generator<std::unique_ptr<int>>>);
static_assert(!std::ranges::forward_range<generator<int>>);
static_assert(!std::ranges::range<generator<int, int>>);
static_assert(!std::is_copy_constructible_v<generator<int>>);

// A generator does not wait.
template <typename Promise>
concept may_wait = requires(Promise& body) { body.await_transform(leat::yield()); };
static_assert(may_wait<leat::task<>::promise_type>);
static_assert(!may_wait<generator<int>::promise_type>);

namespace {

std::string told;  // what happened, in order

struct teller {
    explicit teller(std::string says) : name(std::move(says)) { told += "+" + name; }
    teller(const teller&) = delete;
    teller& operator=(const teller&) = delete;
    ~teller() { told += "-" + name; }
    std::string name;
};

// Counts how it is passed on.
struct passenger {
    explicit passenger(int is) : value(is) {}
    passenger(const passenger& other) : value(other.value), copies(other.copies + 1), moves(other.moves) {}
    passenger(passenger&& other) noexcept
        : value(std::exchange(other.value, 0)), copies(other.copies), moves(other.moves + 1) {}
    passenger& operator=(const passenger&) = delete;
    int value;
    int copies = 0;
    int moves = 0;
};

generator<int> count(int first, int end) {
    for (int i = first; i < end; ++i) {
        co_yield i;
    }
}

template <typename Range>
std::string joined(Range&& range) {
    std::string text;
    for (const auto& each : range) {
        if constexpr (requires { std::to_string(each); }) {
            text += std::to_string(each) + " ";
        } else {
            text += each;
        }
    }
    return text;
}

}  // namespace

TEST_CASE("a generator gives its values in order, and nothing runs before they are asked for") {
    told.clear();
    const auto body = []() -> generator<int> {
        told += "begun ";
        co_yield 1;
        told += "between ";
        co_yield 2;
        told += "ended ";
    };
    auto numbers = body();
    CHECK(told.empty());
    for (const int number : numbers) {
        told += std::to_string(number) + " ";
    }
    CHECK(told == "begun 1 between 2 ended ");
    CHECK(joined(numbers).empty());
}

TEST_CASE("a generator is a range for views and algorithms") {
    auto odd = count(0, 10) | std::views::filter([](int i) { return i % 2 == 1; }) |
               std::views::transform([](int i) { return i * 10; });
    CHECK(joined(odd) == "10 30 50 70 90 ");
    auto numbers = count(0, 10);
    CHECK(std::ranges::find(numbers, 4) != numbers.end());
    CHECK(joined(numbers) == "5 6 7 8 9 ");
}

TEST_CASE("next() gives the values one by one, and then nothing") {
    auto numbers = count(0, 2);
    CHECK(numbers.next() == 0);
    CHECK(numbers.next() == 1);
    CHECK(!numbers.next().has_value());
    CHECK(!numbers.next().has_value());
}

TEST_CASE("a loop that was left is continued by the next one and by next()") {
    auto numbers = count(0, 7);
    for (const int number : numbers) {
        if (number == 2) {
            break;
        }
    }
    CHECK(numbers.next() == 3);
    auto moved = std::move(numbers);
    CHECK(joined(moved) == "4 5 6 ");
}

TEST_CASE("a generator of references copies nothing, and lends the body's own") {
    passenger own(1);
    const auto body = [](passenger& kept) -> generator<passenger&> {
        co_yield kept;
        co_yield kept;
    };
    for (passenger& each : body(own)) {
        CHECK(&each == &own);
        ++each.value;
    }
    CHECK(own.value == 3);
    auto items = body(own);
    passenger* item = items.next();
    CHECK(item == &own);
    CHECK(own.copies + own.moves == 0);

    const auto text = []() -> generator<const std::string&> {
        const std::string kept = "kept ";
        co_yield kept;
        co_yield "temporary ";
    };
    CHECK(joined(text()) == "kept temporary ");
}

TEST_CASE("a yielded temporary is not copied, and what stays the body's own is copied once") {
    const auto body = []() -> generator<passenger> {
        co_yield passenger(1);
        passenger kept(2);
        co_yield kept;
        CHECK(kept.value == 2);
        co_yield std::move(kept);
    };
    std::string ways;
    for (passenger&& each : body()) {
        ways += std::to_string(each.value) + std::to_string(each.copies) + std::to_string(each.moves) + " ";
        [[maybe_unused]] const passenger taken = std::move(each);
    }
    CHECK(ways == "100 210 200 ");
    auto items = body();
    const auto first = items.next();
    CHECK(first->copies == 0);
    CHECK(first->moves == 1);
}

TEST_CASE("items may be move-only") {
    const auto body = []() -> generator<std::unique_ptr<int>> {
        for (int i = 0; i < 3; ++i) {
            co_yield std::make_unique<int>(i);
        }
    };
    std::vector<std::unique_ptr<int>> kept;
    auto items = body();
    kept.push_back(*items.next());
    for (auto&& each : items) {
        kept.push_back(std::move(each));
    }
    CHECK(kept.size() == 3);
    CHECK(*kept[2] == 2);
}

TEST_CASE("an exception of the body comes out where the item was asked for, and is the end") {
    const auto body = [](int good) -> generator<int> {
        for (int i = 0; i < good; ++i) {
            co_yield i;
        }
        throw std::runtime_error("no more");
    };
    for (const int good : {0, 1, 2}) {
        auto numbers = body(good);
        int seen = 0;
        CHECK_THROWS_WITH(
            [&] {
                for ([[maybe_unused]] const int number : numbers) {
                    ++seen;
                }
            }(),
            "no more");
        CHECK(seen == good);
        CHECK(!numbers.next().has_value());
    }
    auto numbers = body(0);
    CHECK_THROWS_WITH((void)numbers.next(), "no more");
    CHECK(joined(numbers).empty());
}

TEST_CASE("a generator that is left early destroys its frame at the co_yield") {
    told.clear();
    const auto body = []() -> generator<int> {
        const teller outer("outer");
        for (int i = 0;; ++i) {
            const teller inner("inner");
            co_yield i;
        }
    };
    for ([[maybe_unused]] const int number : body()) {
        break;
    }
    CHECK(told == "+outer+inner-inner-outer");

    told.clear();
    {
        auto kept = body();
        CHECK(kept.next() == 0);
        kept = body();
        CHECK(told == "+outer+inner-inner-outer");
    }
    CHECK(told == "+outer+inner-inner-outer");
}

namespace {

generator<int> nested(int depth) {
    const teller local(std::to_string(depth));
    co_yield depth;
    if (depth > 0) {
        co_yield elements_of(nested(depth - 1));
    }
    co_yield depth + 100;
}

}  // namespace

TEST_CASE("elements_of gives all items of another generator") {
    told.clear();
    CHECK(joined(nested(2)) == "2 1 0 100 101 102 ");
    CHECK(told == "+2+1+0-0-1-2");
}

TEST_CASE("elements_of gives what is left of a generator that has begun, or ended") {
    const auto rest = [](generator<int> begun) -> generator<int> {
        co_yield 7;
        co_yield elements_of(std::move(begun));
        co_yield 8;
    };
    auto begun = nested(2);
    for (const int number : begun) {
        if (number == 0) {
            break;
        }
    }
    CHECK(joined(rest(std::move(begun))) == "7 100 101 102 8 ");
    auto ended = count(0, 0);
    CHECK(!ended.next().has_value());
    CHECK(joined(rest(std::move(ended))) == "7 8 ");
}

TEST_CASE("nested generators that are left early are destroyed from the innermost outwards") {
    told.clear();
    for (const int number : nested(2)) {
        if (number == 0) {
            break;
        }
    }
    CHECK(told == "+2+1+0-0-1-2");
}

TEST_CASE("an exception of a nested generator is thrown from its elements_of") {
    told.clear();
    const auto failing = []() -> generator<int> {
        const teller local("failing");
        co_yield 1;
        throw std::runtime_error("inner");
    };
    const auto catching = [&]() -> generator<int> {
        try {
            co_yield elements_of(failing());
        } catch (const std::runtime_error& error) {
            told += error.what();
        }
        co_yield elements_of(failing());
    };
    auto numbers = catching();
    CHECK(numbers.next() == 1);
    CHECK(numbers.next() == 1);
    CHECK(told == "+failing-failinginner+failing");
    CHECK_THROWS_WITH((void)numbers.next(), "inner");
    CHECK(!numbers.next().has_value());
}

TEST_CASE("a co_yield gives what is sent, from the first next() to the end") {
    const auto average = [](int rounds) -> generator<double, double> {
        double sum = co_yield 0.0;
        for (int n = 1; n <= rounds; ++n) {
            const double& answer = co_yield sum / n;
            sum += answer;
        }
    };
    auto mean = average(2);
    CHECK(mean.next() == 0.0);
    CHECK(mean.send(3) == 3.0);
    CHECK(mean.send(5) == 4.0);
    CHECK(!mean.send(1).has_value());
    CHECK(!mean.send(1).has_value());
    CHECK(!mean.next().has_value());
}

TEST_CASE("what is sent may be move-only or a reference, and reaches a nested generator") {
    using pointer = std::unique_ptr<int>;
    const auto inner = []() -> generator<int, pointer> {
        pointer answer = co_yield 1;
        co_yield *answer + 1;
    };
    const auto outer = [&]() -> generator<int, pointer> {
        co_yield elements_of(inner());
        co_yield 20;
    };
    auto talk = outer();
    CHECK(talk.next() == 1);
    CHECK(talk.send(std::make_unique<int>(5)) == 6);
    CHECK(talk.send(nullptr) == 20);

    const auto filling = []() -> generator<int, std::string&> {
        for (int i = 0;; ++i) {
            std::string& into = co_yield i;
            into += "filled ";
        }
    };
    auto fill = filling();
    std::string mine;
    CHECK(fill.next() == 0);
    CHECK(fill.send(mine) == 1);
    CHECK(fill.send(mine) == 2);
    CHECK(mine == "filled filled ");
}

VIRTUAL_TEST("a generator in a task lives across its waits, and dies with it when it is cancelled") {
    told.clear();
    const auto body = []() -> generator<int> {
        const teller local("generator");
        for (int i = 0;; ++i) {
            co_yield i;
        }
    };
    auto consumer = leat::spawn([&]() -> leat::task<> {
        for (const int number : body()) {
            told += std::to_string(number);
            co_await leat::sleep(std::chrono::seconds(1));
        }
    });
    co_await leat::sleep(std::chrono::milliseconds(1500));
    consumer.cancel();
    co_await consumer.join();
    CHECK(told == "+generator01-generator");
}
