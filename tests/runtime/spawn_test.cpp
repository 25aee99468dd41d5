// SPDX-License-Identifier: MIT
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace {

leat::task<int> doubled(int number) {
    co_await leat::yield();
    co_return 2 * number;
}

leat::task<std::size_t> length_of(const std::string& text) {
    co_await leat::yield();
    co_return text.size();
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

LEAT_TEST("a lambda's captures live as long as its task") {
    auto owned = std::make_unique<int>(42);
    auto answer = leat::spawn([owned = std::move(owned)]() -> leat::task<int> {
        co_await leat::yield();
        co_return *owned;
    });
    CHECK(co_await answer == 42);
}
