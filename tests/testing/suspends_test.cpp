// SPDX-License-Identifier: MIT
// suspends(X), and what LEAT_TEST finds left behind.
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/suspends.hpp>

#include <stdexcept>

using leat::testing::suspends;

namespace {

leat::task<int> ready() {
    co_return 1;
}

leat::task<> yields_below() {
    co_await leat::yield();
    (void)co_await ready();
}

}  // namespace

LEAT_TEST("suspends() tells what waits from what is done at once") {
    leat::event set;
    set.set();
    leat::channel<int> channel(1);
    const bool by_event = co_await suspends(set.wait());
    CHECK(!by_event);
    const bool by_send = co_await suspends(channel.send(1));
    CHECK(!by_send);
    const bool by_task = co_await suspends(ready());
    CHECK(!by_task);
    const bool by_callable = co_await suspends([] { return yields_below(); });
    CHECK(by_callable);
    const bool by_yield = co_await suspends(leat::yield());
    CHECK(by_yield);
    auto receiver = leat::spawn([&]() -> leat::task<> {
        co_await leat::yield();
        (void)co_await channel.receive();
    });
    const bool by_full_channel = co_await suspends(channel.send(2));
    CHECK(by_full_channel);
    co_await receiver;
}

LEAT_TEST("suspends() inside suspends() tells each what it asked") {
    bool inner = true;
    const bool outer = co_await suspends([&]() -> leat::task<> {
        co_await leat::yield();
        inner = co_await suspends(ready());
    });
    CHECK(outer);
    CHECK(!inner);
}

LEAT_TEST("suspends() throws what is thrown") {
    const auto fails = []() -> leat::task<> {
        throw std::runtime_error("as it was");
        co_return;
    };
    std::string what;
    try {
        (void)co_await suspends(fails());
    } catch (const std::runtime_error& error) {
        what = error.what();
    }
    CHECK(what == "as it was");
}
