// SPDX-License-Identifier: MIT
// Scopes within scopes: who absorbs a cancellation, and what a shield keeps away.
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

leat::task<> inner_within(leat::duration length, std::string& log) {
    log += co_await leat::move_on_after(length, stuck()) ? "inner finished " : "inner moved on ";
}

}  // namespace

VIRTUAL_TEST("an inner deadline that passes first ends the inner wait only") {
    std::string log;
    const bool finished = co_await leat::move_on_after(2s, inner_within(1s, log));
    CHECK(finished);
    CHECK(log == "inner moved on ");
}

VIRTUAL_TEST("an outer deadline that passes first ends both") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, inner_within(2s, log));
    CHECK_FALSE(finished);
    CHECK(log.empty());
    CHECK(leat::current_scheduler().alarms().empty());
}

VIRTUAL_TEST("when both deadlines pass in one turn the outer wins and nothing is thrown inside") {
    std::string log;
    const auto deadline = leat::now() + 1s;
    const bool finished = co_await leat::move_on_at(deadline, [&]() -> leat::task<> {
        try {
            co_await leat::timeout_at(deadline, stuck());
            log += "ended ";
        } catch (...) {
            log += "thrown ";
        }
    });
    CHECK_FALSE(finished);
    CHECK(log.empty());
}

VIRTUAL_TEST("an outer deadline that passes while the inner wait is still ending wins") {
    kernel.cancelling = leat::virtual_kernel::on_cancel::stays;
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(5s);
        kernel.complete(7, -ECANCELED);
    });
    std::string log;
    const bool finished = co_await leat::move_on_after(2s, [&]() -> leat::task<> {
        const auto got = co_await leat::move_on_after(1s, leat::transfer(7));
        log += got ? "value " : "inner moved on ";
    });
    CHECK_FALSE(finished);
    CHECK(log.empty());
    CHECK(kernel.cancelled == std::vector{7});
}

VIRTUAL_TEST("both deadlines in the past: the outer absorbs") {
    std::string log;
    const bool finished = co_await leat::move_on_after(0s, inner_within(0s, log));
    CHECK_FALSE(finished);
    CHECK(log.empty());
}

VIRTUAL_TEST("deadlines can be nested in one expression") {
    const auto outer_first =
        co_await leat::as_result(leat::timeout(1s, leat::move_on_after(2s, leat::sleep(3s))));
    CHECK(outer_first.error() == std::errc::timed_out);
    const bool inner_first = co_await leat::timeout(2s, leat::move_on_after(1s, leat::sleep(3s)));
    CHECK_FALSE(inner_first);
    const bool finished = co_await leat::timeout(3s, leat::move_on_after(2s, leat::sleep(1s)));
    CHECK(finished);
    CHECK(leat::current_scheduler().alarms().empty());
}

VIRTUAL_TEST("a task that is cancelled from outside does not stop at its deadlines") {
    std::string log;
    auto victim = leat::spawn([&]() -> leat::task<> { co_await inner_within(1s, log); });
    co_await leat::yield();
    victim.cancel();
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log.empty());
}

VIRTUAL_TEST("a task cancelled in the turn of its own deadline is cancelled, not timed out") {
    std::string log;
    auto victim = leat::spawn([&]() -> leat::task<> { co_await inner_within(1s, log); });
    co_await leat::yield();
    leat::spawn([&]() -> leat::task<> {
        victim.cancel();
        co_return;
    });
    kernel.advance(1s);
    const auto& ended = co_await victim.join();
    CHECK(ended.cancelled());
    CHECK(log.empty());
}

VIRTUAL_TEST("what runs behind a shield completes, and the wait after it is cancelled") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await leat::shield(leat::sleep(3s));
        log += "slept ";
        co_await leat::checkpoint();
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "slept ");
}

VIRTUAL_TEST("a shield entered after the cancellation holds too") {
    std::string log;
    const bool finished = co_await leat::move_on_after(0s, [&]() -> leat::task<> {
        co_await leat::shield(leat::sleep(3s));
        log += "slept ";
        co_await leat::yield();
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "slept ");
}

VIRTUAL_TEST("a deadline inside a shield passes and is absorbed there, also when the outside is cancelled") {
    std::string log;
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        co_await leat::shield([&]() -> leat::task<> { co_await inner_within(2s, log); });
        log += "shield left ";
        co_await leat::yield();
        log += "not reached";
    });
    CHECK_FALSE(finished);
    CHECK(log == "inner moved on shield left ");
}

VIRTUAL_TEST("many deadlines around one wait end in the right one") {
    for (int which = 0; which < 5; ++which) {
        int reached = 0;
        auto nest = [&](auto& self, int depth) -> leat::task<> {
            if (depth == 5) {
                co_await stuck();
            }
            const bool finished =
                co_await leat::move_on_after(depth == which ? 1s : 2s + depth * 1s, self(self, depth + 1));
            if (!finished) {
                reached = depth;
            }
        };
        co_await nest(nest, 0);
        CHECK(reached == which);
        CHECK(leat::current_scheduler().alarms().empty());
    }
}
