// SPDX-License-Identifier: MIT
// LEAT_TRACE: a run writes what its tasks do as Chrome trace events.
#include <leat/observe/core/trace.hpp>

#include "../../../crash/child_process.hpp"
#include "../../virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// A child process runs `body` with LEAT_TRACE set; its trace, parsed.
template <typename Body>
json trace_of(Body body, const std::string& suffix = "") {
    char folder[] = "/tmp/leat-trace-XXXXXX";
    REQUIRE(::mkdtemp(folder) != nullptr);
    const std::string path = std::string(folder) + "/trace.json";
    const leat::testing::child_end end = leat::testing::run_in_child([&] {
        ::setenv("LEAT_TRACE", path.c_str(), 1);
        body();
    });
    CHECK(end.status == 0);
    std::ifstream file(path + suffix);
    const json events = json::parse(file);
    for (const char* each : {"", ".2"}) {
        ::unlink((path + each).c_str());
    }
    ::rmdir(folder);
    return events;
}

int count(const json& events, const std::string& member, const json& value) {
    int found = 0;
    for (const json& event : events) {
        found += event.contains(member) && event[member] == value ? 1 : 0;
    }
    return found;
}

leat::task<> waits() {
    leat::event told;
    auto child = leat::spawn([&]() -> leat::task<> { co_await told.wait(); });
    child.name("a \"child\"");
    co_await leat::yield();
    told.set();
    co_await child;
}

}  // namespace

TEST_CASE("a trace has the steps, waits and ends of each task in its row") {
    const json events = trace_of([] { leat::run(waits); });
    CHECK(count(events, "cat", "step") == 5);
    CHECK(count(events, "cat", "wait") == 2);
    CHECK(count(events, "name", "another task") == 1);
    CHECK(count(events, "name", "an event") == 1);
    CHECK(count(events, "name", "thread_name") == 2);
    CHECK(count(events, "name", "completed") == 2);
    CHECK(count(events, "tid", 2) == 5);
    for (const json& event : events) {
        if (event.at("ph") == "X") {
            CHECK(event.at("dur") >= 0);
            CHECK(event.at("ts") > 0);
        }
    }
}

TEST_CASE("a trace is whole when the run throws or tasks are cancelled") {
    const json thrown = trace_of([] {
        try {
            leat::run([]() -> leat::task<> {
                leat::spawn(leat::stuck);
                co_await leat::yield();
                throw std::runtime_error("gone");
            });
        } catch (const std::runtime_error&) {
        }
    });
    CHECK(count(thrown, "name", "failed") == 1);
    CHECK(count(thrown, "name", "cancelled") == 1);
    const json deadlocked = trace_of([] {
        try {
            leat::run(leat::stuck);
        } catch (const leat::deadlock&) {
        }
    });
    CHECK(count(deadlocked, "name", "sleep") == 1);
}

TEST_CASE("a second run of a process writes a file of its own, and the observer hears as before") {
    struct : leat::observer {
        void task_ended(std::uint32_t, leat::ending) noexcept override { ++ends; }
        int ends = 0;
    } counts;
    const json events = trace_of(
        [&] {
            leat::run(waits);
            leat::run_options options;
            options.observer = &counts;
            leat::run(waits, options);
            ::_exit(counts.ends == 2 ? 0 : 1);
        },
        ".2");
    CHECK(count(events, "name", "completed") == 2);
}

TEST_CASE("the file of a trace is closed on exec") {
    trace_of([] {
        const int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(first);
        leat::run([first]() -> leat::task<> {
            if ((::fcntl(first, F_GETFD) & FD_CLOEXEC) == 0) {
                ::_exit(2);
            }
            co_return;
        });
    });
}

TEST_CASE("a trace that cannot be written is an error that names its file") {
    const leat::testing::child_end end = leat::testing::run_in_child([] {
        ::setenv("LEAT_TRACE", "/no/such/folder/trace", 1);
        return leat::run_main(waits);
    });
    CHECK(end.status == 1);
    CHECK(end.errors == "error: LEAT_TRACE=/no/such/folder/trace: No such file or directory\n");
}
