// SPDX-License-Identifier: MIT
#include <leat/outcome.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct no_default {
    explicit no_default(int number) noexcept : value(number) {}
    int value;
};

// Counts its living objects, to see that each is destroyed once.
struct counted {
    counted() noexcept { ++alive; }
    counted(const counted&) noexcept { ++alive; }
    counted(counted&&) noexcept { ++alive; }
    counted& operator=(const counted&) = default;
    counted& operator=(counted&&) = default;
    ~counted() { --alive; }
    static inline int alive = 0;
};

std::exception_ptr an_error() {
    return std::make_exception_ptr(std::runtime_error("broken"));
}

}  // namespace

TEST_CASE("an outcome that has a value gives it") {
    leat::outcome<std::string> ended;
    CHECK(ended.how() == leat::ending::none);
    ended.set_value("text");
    CHECK(ended.ok());
    CHECK_FALSE(ended.cancelled());
    CHECK(ended.error() == nullptr);
    CHECK(ended.value() == "text");
    CHECK(std::move(ended).get() == "text");
}

TEST_CASE("an outcome that has an error throws it, as often as it is asked") {
    leat::outcome<int> ended;
    ended.set_error(an_error());
    CHECK_FALSE(ended.ok());
    CHECK(ended.error() != nullptr);
    CHECK_THROWS_WITH_AS((void)ended.value(), "broken", std::runtime_error);
    CHECK_THROWS_WITH_AS((void)std::move(ended).get(), "broken", std::runtime_error);
}

TEST_CASE("the outcome of a cancelled task throws task_cancelled") {
    leat::outcome<void> ended;
    ended.set_cancelled();
    CHECK(ended.cancelled());
    CHECK_FALSE(ended.ok());
    CHECK(ended.error() == nullptr);
    CHECK_THROWS_AS(ended.value(), leat::task_cancelled);
    CHECK_THROWS_AS(std::move(ended).get(), std::system_error);
}

TEST_CASE("the outcome of a cancelled task tells why, also in a copy and in what it throws") {
    leat::outcome<std::string> ended;
    CHECK(ended.why() == leat::cancel_reason::none);
    ended.set_cancelled("the client hung up");
    const leat::outcome<std::string> copy = ended;
    const leat::outcome<std::string> moved = std::move(ended);
    CHECK(copy.why().text() == "the client hung up");
    CHECK(moved.why() == copy.why());
    CHECK_THROWS_WITH_AS((void)copy.value(),
                         "the awaited task was cancelled because the client hung up: Operation canceled",
                         leat::task_cancelled);
    ended.set_value("over");
    CHECK(ended.why() == leat::cancel_reason::none);
}

TEST_CASE("reasons are equal when their words are") {
    CHECK(leat::cancel_reason() == leat::cancel_reason::none);
    CHECK_FALSE(leat::cancel_reason::none.given());
    CHECK(leat::cancel_reason::none.text().empty());
    CHECK(leat::cancel_reason("its deadline passed") == leat::cancel_reason::deadline);
    CHECK_FALSE(leat::cancel_reason("the client hung up") == leat::cancel_reason::requested);
}

TEST_CASE("an outcome holds references, and values that are neither default constructible nor copyable") {
    int number = 5;
    leat::outcome<int&> reference;
    reference.set_value(number);
    CHECK(&reference.value() == &number);
    CHECK(&std::move(reference).get() == &number);

    leat::outcome<const int&> constant;
    constant.set_value(number);
    CHECK(&constant.value() == &number);

    leat::outcome<no_default> value;
    value.set_value(7);
    CHECK(std::move(value).get().value == 7);

    leat::outcome<std::unique_ptr<int>> owned;
    owned.set_value(std::make_unique<int>(9));
    leat::outcome<std::unique_ptr<int>> moved(std::move(owned));
    const std::unique_ptr<int> got = std::move(moved).get();
    CHECK(*got == 9);
}

TEST_CASE("an outcome destroys each value once, also when it is moved, copied or replaced") {
    {
        leat::outcome<counted> first;
        first.set_value();
        leat::outcome<counted> second(first);
        leat::outcome<counted> third(std::move(first));
        CHECK(third.ok());
        CHECK(counted::alive == 3);
        second = std::move(third);
        CHECK(counted::alive == 3);
        third = second;
        CHECK(third.ok());
        second.set_cancelled();
        CHECK(counted::alive == 2);
        third.set_error(an_error());
        CHECK(counted::alive == 1);
        third.set_value();
        CHECK(counted::alive == 2);
    }
    CHECK(counted::alive == 0);
}

namespace {

// Looks at the outcome that it is the value of while it dies.
struct looking_back {
    explicit looking_back(const leat::outcome<looking_back>& whole, leat::ending& into) noexcept
        : of(&whole), seen(&into) {}
    looking_back(looking_back&&) = delete;
    ~looking_back() { *seen = of->how(); }

    const leat::outcome<looking_back>* of;
    leat::ending* seen;
};

}  // namespace

TEST_CASE("a value that dies with its outcome finds that empty") {
    leat::ending seen = leat::ending::value;
    leat::outcome<looking_back> whole;
    whole.set_value(whole, seen);
    whole.set_cancelled();
    CHECK(seen == leat::ending::none);
    CHECK(whole.cancelled());
}
