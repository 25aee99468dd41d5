// SPDX-License-Identifier: MIT
// LEAT_TEST: a doctest case whose body is a coroutine, run once on every backend, the simulated one too.
// LEAT_SIMULATE: the same on simulations, once for each seed, each with its own faults.
//
//   LEAT_TEST("a connection carries bytes") {
//       co_await ...;
//       CHECK(...);            // doctest's macros work, also around a co_await
//   }
//
//   LEAT_TEST("a pipe carries bytes", on(kernel)) { ... }     // on these backends only
//
//   LEAT_SIMULATE("no byte is lost", seeds(1000)) { ... }     // or {.seeds = 1000, .random_order = true}
//
// A failed REQUIRE and an error throw. A task that refers to the body's variables is therefore spawned in a
// nursery (nursery.hpp): after a free spawn([&] ...) it would go on with variables that are gone.
//
// Each run also checks that the body has left nothing open: no descriptor, no frame, no chunk. A simulation
// that fails is the last, and the command that replays it is printed (simulate.hpp). A program that crashes
// first tells the backend, or that command, on standard error.
#pragma once

#include <leat/task.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/idle.hpp>
#include <leat/testing/nursery.hpp>
#include <leat/testing/simulate.hpp>
#include <leat/testing/stream_pair.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>

namespace leat::testing {

namespace detail {

// Counts the assertions that fail, which doctest tells its listeners only.
class failure_counter final : public doctest::IReporter {
public:
    explicit failure_counter(const doctest::ContextOptions& /*options*/) {}
    static std::size_t count() noexcept { return failures; }

    void log_assert(const doctest::AssertData& asserted) override {
        count_if(asserted.m_failed && !is_warning(asserted.m_at));
    }
    void log_message(const doctest::MessageData& message) override {
        count_if(!is_warning(message.m_severity));
    }
    void report_query(const doctest::QueryData& /*in*/) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& /*in*/) override {}
    void test_case_start(const doctest::TestCaseData& /*in*/) override {}
    void test_case_reenter(const doctest::TestCaseData& /*in*/) override {}
    void test_case_end(const doctest::CurrentTestCaseStats& /*in*/) override {}
    void test_case_exception(const doctest::TestCaseException& /*in*/) override {}
    void subcase_start(const doctest::SubcaseSignature& /*in*/) override {}
    void subcase_end() override {}
    void test_case_skipped(const doctest::TestCaseData& /*in*/) override {}

private:
    static bool is_warning(unsigned kind) noexcept { return (kind & doctest::assertType::is_warn) != 0; }
    static void count_if(bool failed) noexcept {
        if (failed) {
            ++failures;
            note_failure();
        }
    }
    static inline std::atomic<std::size_t> failures = 0;
};
inline const int failures_are_counted =
    doctest::registerReporter<failure_counter>("leat_failures", 0, /*isReporter=*/false);

}  // namespace detail

inline void run_test(task<> (*body)(), backend_set chosen = every_backend) {
    for (const tried_backend& each : backends(chosen)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        const resources before = resources_in_use();
        run_on(each, body);
        const std::string left_behind = leaked_since(before);
        CHECK_MESSAGE(left_behind.empty(), "left behind: ", left_behind);
    }
}

inline void run_simulations(task<> (*body)(), const char* name, const char* file, int line,
                            simulate_options options = {}) {
    const std::string arguments = "-tc=" + quoted_pattern(name);
    options.arguments = arguments;
    options.failures = detail::failure_counter::count;
    const simulation_report report = [&] {
        // For assertions that fail.
        INFO("replay: ", replay_command());
        return detail::simulate_function(body, options);
    }();
    if (report.failed) {
        ADD_FAIL_CHECK_AT(file, line, report.text());
    } else if (report.replayed || report.counted) {
        MESSAGE(report.text());
    }
}

}  // namespace leat::testing

#define LEAT_TEST_NAMED(function, name, ...)           \
    static ::leat::task<> function();                  \
    TEST_CASE(name) {                                  \
        using namespace ::leat::testing;               \
        run_test(function __VA_OPT__(, ) __VA_ARGS__); \
    }                                                  \
    static ::leat::task<> function()
#define LEAT_TEST(name, ...) LEAT_TEST_NAMED(DOCTEST_ANONYMOUS(leat_test_), name, __VA_ARGS__)

#define LEAT_SIMULATE_NAMED(function, name, ...)                                        \
    static ::leat::task<> function();                                                   \
    TEST_CASE(name) {                                                                   \
        using namespace ::leat::testing;                                                \
        run_simulations(function, name, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
    }                                                                                   \
    static ::leat::task<> function()
#define LEAT_SIMULATE(name, ...) LEAT_SIMULATE_NAMED(DOCTEST_ANONYMOUS(leat_simulate_), name, __VA_ARGS__)
