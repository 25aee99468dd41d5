// SPDX-License-Identifier: MIT
// The coroutines of baozi, ping_pong and two_tasks, in simulated time too.
#include "../../examples/baozi.hpp"
#include "../../examples/ping_pong.hpp"
#include "../../examples/two_tasks.hpp"

#include <leat/testing/doctest.hpp>

#include <sstream>
#include <string>

using namespace std::chrono_literals;

LEAT_TEST("a producer hands each item to both consumers, in turn") {
    std::ostringstream printed;
    co_await examples::produce(printed);
    std::string expected = "--->starting eating baozi...\n--->starting eating baozi...\n";
    for (const std::string number : {"1", "2", "3", "4", "5"}) {
        expected += "[c1] is eating baozi " + number + "\n[c2] is eating baozi " + number +
                    "\n[producer] is making baozi " + number + "\n";
    }
    CHECK(printed.str() == expected);
}

LEAT_TEST("two coroutines switch to each other, and the one left behind is no deadlock") {
    std::ostringstream printed;
    co_await examples::play(printed);
    CHECK(printed.str() == "12\n56\n34\n78\n");
}

LEAT_TEST("tasks that are always ready come between the switches of others", on(leat::testing::simulated)) {
    std::ostringstream printed;
    auto busy = leat::spawn([]() -> leat::task<> {
        for (;;) {
            co_await leat::yield();
        }
    });
    co_await examples::play(printed);
    busy.cancel();
    CHECK(printed.str() == "12\n56\n34\n78\n");
}

LEAT_TEST("two tasks that sleep for 2 s and 1 s take 2 s together", on(leat::testing::simulated)) {
    std::ostringstream printed;
    const auto begun = leat::now();
    co_await examples::run_two_tasks(printed);
    CHECK(printed.str() == "1\n2\n2\n1\n");
    CHECK(leat::now() - begun >= 2s);
    CHECK(leat::now() - begun < 3s);
}
