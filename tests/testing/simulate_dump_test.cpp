// SPDX-License-Identifier: MIT
// simulate: a run that fails lists its tasks as they were then.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <functional>
#include <stdexcept>
#include <string>

#include "../support/environment.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int slept = __LINE__ + 2;
leat::task<> wait_for_ever() {
    co_await leat::sleep(100h);
}

leat::testing::simulation_report failed(const std::function<leat::task<>()>& body,
                                        leat::testing::simulate_options options = {}) {
    const leat::testing::changed_variable seed("LEAT_SEED", nullptr);
    const leat::testing::changed_variable seeds("LEAT_SEEDS", nullptr);
    return leat::testing::simulate(body, options);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string line(int number) {
    return "simulate_dump_test.cpp:" + std::to_string(number);
}

std::size_t planted_failures = 0;

}  // namespace

TEST_CASE("a timeout that fails a run lists the tasks as it passed, with the co_awaits inside") {
    const int first = __LINE__ + 2;
    const auto report = failed([]() -> leat::task<> {
        auto other = leat::spawn(wait_for_ever);
        other.name("other");
        co_await leat::timeout(3s, leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                                   group.spawn(wait_for_ever).name("child");
                                   co_await group.wait();
                               }));
    });
    const std::string& why = report.why;
    INFO(why);
    CHECK(why.starts_with("it threw: the timeout of 3 s at "));
    CHECK(has(why, ": Connection timed out\ntasks at that moment:\ntask 1 (spawned at "));
    CHECK(has(why, ") waits for its children, for "));
    CHECK(has(why, line(first + 4) + "\n"));  // where the group is waited for
    CHECK(has(why, "\"child\" (spawned at "));
    CHECK(has(why, "\"other\" (spawned at "));
    CHECK(has(why, line(slept)));
}

TEST_CASE("an exception that fails a run lists the tasks that are there when it leaves the body") {
    const auto report = failed([]() -> leat::task<> {
        auto other = leat::spawn(wait_for_ever);
        co_await leat::yield();
        throw std::runtime_error("the planted failure");
    });
    INFO(report.why);
    CHECK(report.why.starts_with("it threw: the planted failure\ntasks at that moment:\ntask 1 "));
    CHECK(has(report.why, ") waits for sleep, over in "));
    CHECK_FALSE(report.why.ends_with("\n"));
}

TEST_CASE("a timeout that was caught is not the moment of a later failure") {
    const auto report = failed([]() -> leat::task<> {
        auto other = leat::spawn(wait_for_ever);
        (void)co_await leat::as_result(leat::timeout(3s, wait_for_ever()));
        co_await leat::sleep(1s);
        throw leat::timed_out();
    });
    INFO(report.why);
    CHECK(report.why.starts_with(
        "it threw: the deadline passed: Connection timed out\ntasks at that moment:\n"));
    CHECK(has(report.why, ") runs\n"));
}

TEST_CASE("an assertion that fails a run lists the tasks of its moment, the first of several") {
    planted_failures = 0;
    leat::testing::simulate_options options;
    options.failures = [] { return planted_failures; };
    const auto report = failed(
        []() -> leat::task<> {
            auto other = leat::spawn(wait_for_ever);
            other.name("at the first");
            co_await leat::yield();
            ++planted_failures;
            leat::testing::detail::note_failure();
            other.name("later");
            ++planted_failures;
            leat::testing::detail::note_failure();
        },
        options);
    INFO(report.why);
    CHECK(report.why.starts_with("an assertion failed\ntasks at that moment:\ntask 1 "));
    CHECK(has(report.why, "\"at the first\""));
    CHECK_FALSE(has(report.why, "\"later\""));
}

TEST_CASE("where no task but the failing one is left nothing is listed") {
    CHECK(failed([]() -> leat::task<> {
              throw std::runtime_error("the planted failure");
              co_return;
          }).why == "it threw: the planted failure");
}
