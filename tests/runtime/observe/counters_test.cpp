// SPDX-License-Identifier: MIT
// counters: what a scheduler says it has done.
#include <leat/observe/counters.hpp>

#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <numeric>
#include <string>

#include <sys/socket.h>

using namespace std::chrono_literals;

namespace {

leat::counters now() {
    return leat::current_scheduler().counters();
}

}  // namespace

VIRTUAL_TEST("turns and resumptions are counted") {
    const leat::counters before = now();
    for (int i = 0; i < 10; ++i) {
        co_await leat::sleep(1s);  // a turn that ends in waiting, and one that begins with the timer
    }
    const leat::counters after = now();
    CHECK(after.turns - before.turns == 20);
    CHECK(after.resumptions - before.resumptions == 10);
}

VIRTUAL_TEST("tasks, ready ones, frames and timers are those that are there now") {
    const leat::counters before = now();
    CHECK(before.tasks == 1);
    auto first = leat::spawn([]() -> leat::task<> { co_await leat::sleep(1h); });
    auto second = leat::spawn([]() -> leat::task<> { co_await leat::sleep(2h); });
    CHECK(now().tasks == 3);
    CHECK(now().spawned == before.spawned + 2);
    CHECK(now().ready == 2);
    co_await leat::yield();
    CHECK(now().ready == 0);
    CHECK(now().timers == 2);
    CHECK(now().frames == before.frames + 4);  // of each task the frame and the state
    co_await leat::join_all(first, second);
    CHECK(now().tasks == 1);
    CHECK(now().timers == 0);
    CHECK(now().frames == before.frames + 2);  // the states, which handles refer to
    first = leat::handle<>();
    second = leat::handle<>();
    CHECK(now().frames == before.frames);
}

TEST_CASE("operations, bytes and the lengths of turns are counted when the run counts") {
    leat::run_virtually(
        [](leat::virtual_kernel& kernel) -> leat::task<> {
            kernel.inline_results[7] = 100;
            co_await leat::transfer(7);
            kernel.script.push_back([&] { kernel.complete(8, 20); });
            co_await leat::transfer(8);
            for (int i = 0; i < 5; ++i) {
                leat::spawn(leat::stuck);
            }
            co_await leat::sleep(1s);
            const leat::counters counted = now();
            CHECK(counted.counted);
            CHECK(counted.bytes_in == 120);
            CHECK(counted.bytes_out == 0);
            CHECK(std::string(counted.operations[1].kind) == "recv");
            CHECK(counted.operations[1].count == 2);
            CHECK(counted.operations[0].count == 0);
            CHECK(counted.ready_most == 6);
            std::uint64_t turns = 0;
            for (const auto& bucket : counted.lag) {
                turns += bucket.turns;
            }
            CHECK(turns == counted.resumptions - 5);  // those five ran in one turn
        },
        {.counting = true});
}

TEST_CASE("the length of a turn is counted in the bucket that it belongs to") {
    leat::run_virtually(
        [](leat::virtual_kernel& kernel) -> leat::task<> {
            kernel.advance(1000ns);
            co_await leat::sleep(1s);
            const auto lag = now().lag;  // of the turn that is over
            REQUIRE(lag.size() == 1);
            CHECK(lag[0].below == 1024ns);
            CHECK(lag[0].turns == 1);
        },
        {.counting = true});
}

TEST_CASE("counters are shown as text and as JSON, with what was not asked for left out") {
    for (const bool counting : {false, true}) {
        leat::run_virtually(
            [&](leat::virtual_kernel&) -> leat::task<> {
                co_await leat::sleep(1s);
                const leat::counters counted = now();
                const auto json = nlohmann::json::parse(counted.to_json());
                CHECK(json.at("turns") == counted.turns);
                CHECK(json.at("tasks") == 1);
                CHECK(json.contains("operations") == counting);
                CHECK(json.contains("lag") == counting);
                CHECK(counted.to_text().starts_with("turns " + std::to_string(counted.turns) + "\n"));
            },
            {.counting = counting});
    }
}

LEAT_TEST("a run on a real kernel counts turns, and no operations unless asked") {
    const leat::counters before = now();
    for (int i = 0; i < leat::scheduler::steps_max; ++i) {  // more than fit into one turn
        co_await leat::yield();
    }
    CHECK(now().turns == before.turns + 1);
    CHECK_FALSE(now().counted);
}
