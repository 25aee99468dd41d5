// SPDX-License-Identifier: MIT
#include <leat/testing/simulate.hpp>

#include <leat/core/error_text.hpp>
#include <leat/core/number.hpp>
#include <leat/observe/dump.hpp>
#include <leat/testing/core/child_errors.hpp>
#include <leat/testing/core/crash_note.hpp>
#include <leat/testing/core/tasks_at_failure.hpp>
#include <leat/testing/leaks.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include <errno.h>

namespace leat::testing {

namespace {

constinit thread_local const std::string* replaying = nullptr;
constinit thread_local std::string* reported = nullptr;

// What a run reports is kept: of thousands of runs it is of interest only where one fails.
void keep_report(std::string_view line) {
    constexpr std::size_t kept_max = 16 * 1024;
    if (reported == nullptr) {
        leat::detail::print_report(line);  // by what has outlived its run
    } else if (reported->size() < kept_max) {
        reported->append("\n  ").append(line);
    }
}

// The whole number that the environment has under `name`.
std::optional<std::uint64_t> number_of(const char* name) {
    const char* const text = std::getenv(name);
    if (text == nullptr) {
        return std::nullopt;
    }
    const auto number = leat::detail::parse_number<std::uint64_t>(text);
    if (!number.has_value()) {
        throw std::invalid_argument(std::string(name) + "=" + text + " is not a whole number");
    }
    return number;
}

std::string command_for(std::uint64_t seed, std::string_view arguments) {
    std::string command = "LEAT_SEED=" + std::to_string(seed) + " " + program_invocation_name;
    if (!arguments.empty()) {
        command += " " + std::string(arguments);
    }
    return command;
}

std::string in_seconds(duration length) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(length).count();
    std::string fraction = std::to_string(micros % 1'000'000);
    fraction.insert(0, 6 - fraction.size(), '0');
    return std::to_string(micros / 1'000'000) + "." + fraction + " s";
}

// Cancels all tasks when the time is up, and lists them as they are then. Those that go on behind shields are
// ended when it is up again.
struct time_limit : timer {
    explicit time_limit(duration length) noexcept : timer(end), allowed(length) {}

    static void end(timer& self) noexcept {
        auto& limit = static_cast<time_limit&>(self);
        scheduler& loop = current_scheduler();
        if (limit.why.empty()) {
            limit.why =
                "it has not ended in " + in_seconds(limit.allowed) + " of virtual time:\n" + dump_tasks();
            loop.root().cancel("the time limit has passed");
        } else {
            loop.root().end_all_waits();
        }
        loop.alarms().arm(limit, after(now(), limit.allowed));
    }

    duration allowed;
    std::string why;
};

// Why this run failed; empty if it did not.
std::string run_one(simulation& world, const std::function<task<>()>& body, const simulate_options& options) {
    const detail::simulation_in_use used(world);
    const resources before = resources_in_use();
    const std::size_t failures = options.failures != nullptr ? options.failures() : 0;
    time_limit limit(options.time_limit);
    detail::tasks_at_failure tasks;
    std::string why;
    {
        scheduler loop(world.make_backend(), keep_report);
        if (options.random_order) {
            loop.draw_order();
        }
        loop.set_limit(limit);
        loop.alarms().arm(limit, after(world.now(), limit.allowed));
        try {
            detail::run_with_child_errors([&] {
                leat::detail::run_on(loop, std::source_location::current(),
                                     [&] { return tasks.watch(body); });
            });
        } catch (...) {
            why = "it threw: " + leat::detail::error_text(std::current_exception()) + tasks.text();
        }
        if (limit.armed()) {
            loop.alarms().disarm(limit);
        }
        if (loop.deadlocked()) {
            why = deadlock(loop.deadlock_dump()).what();
        }
    }
    if (options.failures != nullptr && options.failures() > failures) {
        return "an assertion failed" + tasks.text();
    }
    if (!limit.why.empty()) {
        return limit.why;
    }
    if (why.empty()) {
        why = leaked_since(before);
        why.insert(0, why.empty() ? "" : "it left behind ");
    }
    return why;
}

void run_seed(simulation_report& report, detail::crash_note& note, const std::function<task<>()>& body,
              const simulate_options& options) {
    simulation_options network = options.network;
    network.seed = report.seed;
    network.chaos = options.chaos;
    simulation world(network);
    const time_point start = world.now();
    report.replay = command_for(report.seed, options.arguments);
    note.say({"leat: crashed in a simulation; replay: ", report.replay});
    replaying = &report.replay;
    std::string lines;
    reported = &lines;
    report.why = run_one(world, body, options);
    reported = nullptr;
    replaying = nullptr;
    ++report.runs;
    report.failed = !report.why.empty();
    if (report.failed && !lines.empty()) {
        report.why += "\nreported before that:" + lines;
    }
    report.event_hash = world.event_hash();
    report.events = world.events();
    report.passed = world.now() - start;
    report.total.events += report.events;
    report.total.passed += report.passed;
    for (const injected_fault& each : world.faults_injected()) {
        report.total.faults += each.count;
    }
}

// How far ahead of the wall's the clocks of all runs went.
std::string speed_of(const simulation_report& report) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(report.total.passed).count();
    const double seconds = std::max(std::chrono::duration<double>(report.total.taken).count(), 1e-6);
    char text[128];
    std::snprintf(text, sizeof text, "%.3g hours of virtual time in %.3g s: %.3g hours a second", hours,
                  seconds, hours / seconds);
    return text;
}

}  // namespace

std::string simulation_report::text() const {
    if (counted && !failed) {
        return std::to_string(runs) + " seeds, " + std::to_string(total.events) + " events, " +
               std::to_string(total.faults) + " faults injected, " + speed_of(*this);
    }
    char hash[16];
    const auto end = std::to_chars(hash, hash + sizeof hash, event_hash, 16);
    std::string lines = "seed " + std::to_string(seed);
    if (failed) {
        lines += " failed, run " + std::to_string(runs) + ": " + why + "\nreplay: " + replay;
        lines += "\nseed " + std::to_string(seed);
    }
    return lines + ": " + std::to_string(events) + " events with hash " + std::string(hash, end.ptr) +
           " in " + in_seconds(passed) + " of virtual time";
}

simulation_report simulate(const std::function<task<>()>& body, const simulate_options& options) {
    const std::optional<std::uint64_t> only = number_of("LEAT_SEED");
    const std::optional<std::uint64_t> many = number_of("LEAT_SEEDS");
    const std::uint64_t first = only.value_or(1);
    const std::uint64_t last = only.value_or(many.value_or(options.seeds));
    if (first > last) {
        throw std::invalid_argument("simulate() runs with at least one seed");
    }
    simulation_report report;
    report.replayed = only.has_value();
    report.counted = many.has_value() && !only;
    detail::crash_note note;
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t left = last - first + 1; left > 0 && !report.failed; --left) {
        report.seed = first + report.runs;
        run_seed(report, note, body, options);
    }
    report.total.taken = std::chrono::steady_clock::now() - began;
    return report;
}

simulation_report detail::simulate_function(task<> (*body)(), const simulate_options& options) {
    return simulate(body, options);
}

std::string replay_command() {
    return replaying != nullptr ? *replaying : std::string();
}

std::string quoted_pattern(std::string_view text) {
    constexpr std::string_view taken_apart = ",\"\\$`!";
    std::string pattern = "\"";
    for (const char each : text) {
        pattern += taken_apart.find(each) != std::string_view::npos ? '?' : each;
    }
    return pattern + "\"";
}

}  // namespace leat::testing
