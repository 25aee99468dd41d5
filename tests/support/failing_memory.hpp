// SPDX-License-Identifier: MIT
// failing_memory: a program in which one allocation fails, for each of its allocations in turn. For the test
// program whose operator new is counted.
//
//   check_each_allocation("a channel", every_backend, [](failing_memory& memory) -> leat::task<> {
//       leat::channel<int> values(1);                       // with memory
//       co_await memory.fails([&]() -> leat::task<> { co_await values.send(1); });
//       ...                                                  // with memory: all is as it was, or as it
//       should be
//   });
//
// In each round the body of fails() completes, or throws std::bad_alloc or a std::system_error of
// std::errc::not_enough_memory. Anything else fails the test, as do what is lost and what does not end.
#pragma once

#include <leat/testing/counted_memory.hpp>

#include <leat/core/frame_pool.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/leaks.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

namespace leat::testing {

class failing_memory {
public:
    explicit failing_memory(long which) noexcept : which_(which) {}

    // Runs `body()`, a task, while the allocation of this round fails.
    template <typename Body>
    task<> fails(Body body) {
        leat::detail::frame_pool::trim();
        counted_memory::fails_at = which_;
        counted_memory::may_fail = true;
        try {
            co_await body();
            completed = true;
        } catch (const std::bad_alloc&) {
            completed = false;
        } catch (const std::system_error& error) {
            counted_memory::may_fail = false;
            if (error.code() != std::errc::not_enough_memory) {
                throw;
            }
        }
        counted_memory::may_fail = false;
        reached = counted_memory::fails_at < 0;
    }

    bool completed = false;
    bool reached = false;  // there was such an allocation

private:
    long which_;
};

namespace detail {

template <typename Scenario>
void run_round(const tried_backend& each, Scenario& scenario, failing_memory& memory) {
    const auto body = [&]() -> task<> { co_await timeout(std::chrono::seconds(20), scenario(memory)); };
    if (each.name == "simulated") {
        run_simulated(body);
    } else {
        run(body, {.backend = each.name, .report = [](std::string_view) {}});
    }
}

// Whether there was no such allocation any more.
template <typename Scenario>
bool check_round(const tried_backend& each, Scenario& scenario, long round) {
    failing_memory memory(round);
    try {
        run_round(each, scenario, memory);
    } catch (const std::exception& error) {
        counted_memory::may_fail = false;
        FAIL_CHECK("it threw: ", std::string(error.what()));
    }
    CHECK((memory.reached || memory.completed));
    return !memory.reached;
}

template <typename Program>
long blocks_kept(Program program) {
    const long before = counted_memory::living;
    program();
    return counted_memory::living - before;
}

}  // namespace detail

// `scenario(memory)` gives a task. Threads of its own may keep memory: `counts_blocks` says that none does.
template <typename Scenario>
void check_each_allocation(const char* what, backend_set where, Scenario scenario,
                           bool counts_blocks = true) {
    constexpr long rounds_max = 1000;
    for (const tried_backend& each : backends(where)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        failing_memory warm(rounds_max);
        detail::run_round(each, scenario, warm);
        CHECK(warm.completed);
        bool over = false;
        for (long round = 0; !over && round < rounds_max; ++round) {
            INFO(std::string(what), ", backend: ", each.name, ", allocation: ", round);
            const resources before = resources_in_use();
            const auto kept = detail::blocks_kept([&] { over = detail::check_round(each, scenario, round); });
            CHECK(leaked_since(before) == "");
            // What is made once and kept is not lost.
            CHECK((!counts_blocks || kept == 0 ||
                   detail::blocks_kept([&] { detail::check_round(each, scenario, round); }) == 0));
        }
        CHECK(over);
    }
}

// Goes on while the memory of others fails.
class bystander {
public:
    bystander() : task_(spawn(counts, steps_)) {}
    ~bystander() { task_.cancel(); }
    bystander(const bystander&) = delete;

    // Whether it has gone on since it was asked last, and still does.
    task<bool> goes_on() {
        const int before = *steps_;
        co_await yield();
        co_await yield();
        co_return *steps_ > before && !task_.done();
    }

private:
    // Cancelled in a turn in which it is ready, it counts once more when the bystander is gone.
    static task<> counts(std::shared_ptr<int> steps) {
        for (;;) {
            co_await yield();
            ++*steps;
        }
    }

    std::shared_ptr<int> steps_ = std::make_shared<int>(0);
    handle<> task_;
};

// A scenario of one operation, beside a bystander, that works again once there is memory.
inline void check_operation(const char* what, task<> (*operation)(), backend_set where = every_backend) {
    check_each_allocation(what, where, [operation](failing_memory& memory) -> task<> {
        bystander other;
        const bool begins = co_await other.goes_on();
        CHECK(begins);
        co_await memory.fails(operation);
        const bool goes_on = co_await other.goes_on();
        CHECK(goes_on);
        co_await operation();
    });
}

}  // namespace leat::testing
