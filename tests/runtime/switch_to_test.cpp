// SPDX-License-Identifier: MIT
#include <leat/switch_to.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using namespace std::chrono_literals;

namespace {

leat::task<> note(char name, std::string& log) {
    log += name;
    co_await leat::yield();
    log += name;
}

}  // namespace

LEAT_TEST("the task that is switched to runs next, and the one that switched comes last") {
    std::string log;
    auto a = leat::spawn(note, 'a', std::ref(log));
    auto b = leat::spawn(note, 'b', std::ref(log));
    auto c = leat::spawn(note, 'c', std::ref(log));
    co_await leat::switch_to(c);
    log += '|';
    CHECK(log == "cab|");
    co_await leat::switch_to(b);
    log += '|';
    CHECK(log == "cab|bca|");
    co_await leat::join_all(a, b, c);
}

LEAT_TEST("switching to a task that waits, has ended or switches itself is a yield") {
    std::string log;
    auto waits = leat::spawn(leat::stuck);
    auto ended = leat::spawn([]() -> leat::task<> { co_return; });
    co_await leat::yield();
    auto other = leat::spawn(note, 'o', std::ref(log));
    co_await leat::switch_to(waits);
    CHECK(log == "o");
    co_await leat::switch_to(ended);
    CHECK(log == "oo");
    leat::handle<> self;
    self = leat::spawn([&]() -> leat::task<> {
        log += 's';
        co_await leat::switch_to(self);
        log += 's';
    });
    auto last = leat::spawn(note, 'l', std::ref(log));
    co_await leat::join_all(self, last, other);
    CHECK(log == "ooslsl");
    CHECK(!waits.done());
    waits.cancel();
}

VIRTUAL_TEST("a cancelled task does not come back from switching, and a cancelled one runs next to unwind") {
    std::string log;
    leat::handle<> a;
    auto switching = leat::spawn([&]() -> leat::task<> {
        co_await leat::switch_to(a);
        log += '!';
    });
    auto z = leat::spawn(note, 'z', std::ref(log));
    a = leat::spawn(note, 'a', std::ref(log));
    switching.cancel();
    co_await leat::join_all(switching, z, a);
    CHECK(log == "zaza");
    log.clear();
    auto b = leat::spawn(note, 'b', std::ref(log));
    auto waits = leat::spawn(leat::stuck);
    co_await leat::sleep(1s);
    auto c = leat::spawn(note, 'c', std::ref(log));
    waits.cancel();
    co_await leat::switch_to(waits);
    CHECK(waits.done());
    CHECK(log == "bbc");
    co_await leat::join_all(a, b, c);
}

LEAT_TEST("tasks that go on switching to each other do not keep the others from running") {
    leat::handle<> ping;
    leat::handle<> pong;
    bool over = false;
    int switches = 0;
    const auto switch_on = [&](leat::handle<>& other) -> leat::task<> {
        while (!over) {
            ++switches;
            co_await leat::switch_to(other);
        }
    };
    ping = leat::spawn(switch_on, std::ref(pong));
    pong = leat::spawn(switch_on, std::ref(ping));
    for (int i = 0; i < 100; ++i) {
        co_await leat::yield();
    }
    over = true;
    co_await leat::join_all(ping, pong);
    CHECK(switches > 100);
}
