// SPDX-License-Identifier: MIT
#include <leat/sync/event.hpp>

#include "../virtual_kernel.hpp"
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;

namespace {

leat::task<> note_when(leat::event& event, char name, std::string& log) {
    co_await event.wait();
    log += name;
}

}  // namespace

VIRTUAL_TEST("setting an event wakes all who wait, in order, and who comes later does not wait") {
    leat::event event;
    std::string log;
    auto a = leat::spawn(note_when, std::ref(event), 'a', std::ref(log));
    auto b = leat::spawn(note_when, std::ref(event), 'b', std::ref(log));
    co_await leat::sleep(1s);
    CHECK(log.empty());
    CHECK(!event.is_set());
    event.set();
    CHECK(event.is_set());
    co_await leat::join_all(a, b);
    co_await note_when(event, 'c', log);
    CHECK(log == "abc");
}

VIRTUAL_TEST("an event that is reset at once has woken those who waited") {
    leat::event event;
    std::string log;
    auto a = leat::spawn(note_when, std::ref(event), 'a', std::ref(log));
    co_await leat::yield();
    event.set();
    event.reset();
    co_await a;
    CHECK(log == "a");
    const bool again = co_await leat::move_on_after(1s, event.wait());
    CHECK(!again);
}

LEAT_TEST("a cancelled wait for an event leaves the others waiting") {
    leat::event event;
    std::string log;
    auto a = leat::spawn(note_when, std::ref(event), 'a', std::ref(log));
    auto b = leat::spawn(note_when, std::ref(event), 'b', std::ref(log));
    co_await leat::yield();
    a.cancel();
    co_await leat::yield();
    event.set();
    co_await leat::join_all(a, b);
    CHECK(log == "b");
}

LEAT_TEST("an event that is set and a cancel in the same turn: the event came first") {
    leat::event event;
    std::string log;
    auto a = leat::spawn(note_when, std::ref(event), 'a', std::ref(log));
    co_await leat::yield();
    event.set();
    a.cancel();
    co_await a.join();
    CHECK(log == "a");
}

LEAT_TEST("waiting for an event that is set again and again lets other tasks run") {
    leat::event event;
    event.set();
    bool others_ran = false;
    auto other = leat::spawn([&]() -> leat::task<> {
        others_ran = true;
        co_return;
    });
    int waits = 0;
    while (!others_ran && waits < 1000) {
        co_await event.wait();
        ++waits;
    }
    CHECK(others_ran);
    co_await other;
}

TEST_CASE("a task that waits for an event that nobody sets is a deadlock, and the list names the event") {
    std::string message;
    try {
        leat::run([]() -> leat::task<> {
            leat::event event;
            co_await event.wait();
        });
    } catch (const leat::deadlock& hopeless) {
        message = hopeless.what();
    }
    CHECK(message.find("waits for an event") != std::string::npos);
}

LEAT_SIMULATE("who waits for an event when it is set goes on, in any order, and nobody else does",
              {.seeds = 200, .random_order = true}) {
    leat::event event;
    waits waiting;
    int sets = 0;
    std::vector<leat::handle<>> tasks = spawn_several(6, [&](int number) -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            const bool was_set = event.is_set();
            const int before = sets;
            const waits::one wait(waiting, number);
            bool told = true;
            if (draw(2) == 0) {
                co_await event.wait();
            } else {
                told = co_await leat::move_on_after(draw_moment(), event.wait());
            }
            CHECK((!told || was_set || sets > before));
        }
    });
    auto setter = leat::spawn([&]() -> leat::task<> {
        for (int count = 0; count < 20; ++count) {
            co_await leat::sleep(draw_moment());
            const waits::counts those = waiting.begun();
            event.set();
            ++sets;
            if (draw(2) == 0) {
                event.reset();
            }
            co_await leat::sleep(1ms);
            CHECK(waiting.ended(those));
            event.reset();
        }
        event.set();
    });
    co_await cancel_some(tasks);
    co_await setter;
    co_await leat::join_all(tasks);
    CHECK(waiting.ended(waiting.begun()));
}
