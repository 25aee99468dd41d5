// SPDX-License-Identifier: MIT
// What is said when a test crashes: the backend that a LEAT_TEST was on, the command that replays a
// LEAT_SIMULATE.
#include <leat/check.hpp>
#include <leat/sleep.hpp>
#include <leat/testing/core/crash_note.hpp>
#include <leat/testing/doctest.hpp>

#include "../../crash/child_process.hpp"
#include "../../support/environment.hpp"

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

using leat::testing::run_in_child;
using leat::testing::seeds;
using leat::testing::detail::crash_note;

namespace {

// The handlers of doctest and of sanitizers are not asked.
void forget_handlers() {
    for (const int each : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(each, SIG_DFL);
    }
}

leat::task<> raises_abort() {
    co_await leat::yield();
    std::abort();
}

leat::task<> fails_check() {
    leat::check(false, "planted");
    co_return;
}

leat::task<> writes_to_nowhere() {
    int* volatile nowhere = nullptr;
    *nowhere = 1;
    co_return;
}

template <int number>
leat::task<> raises() {
    co_await leat::yield();
    std::raise(number);
}

int fill_stack(int depth) {
    volatile char block[4096];
    block[0] = static_cast<char>(depth);
    return depth == 1'000'000'000 ? 0 : fill_stack(depth + 1) + block[0];
}

leat::task<> overflows_stack() {
    (void)fill_stack(0);
    co_return;
}

struct crash {
    int number;
    leat::task<> (*body)();
};
const crash crashes[] = {{SIGABRT, raises_abort},   {SIGABRT, fails_check},   {SIGSEGV, writes_to_nowhere},
                         {SIGBUS, raises<SIGBUS>},  {SIGFPE, raises<SIGFPE>}, {SIGILL, raises<SIGILL>},
                         {SIGSEGV, raises<SIGSEGV>}};

void write_earlier(int /*number*/) {
    constexpr std::string_view text = "the earlier handler\n";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(3);
}

}  // namespace

TEST_CASE("a test that crashes tells its backend, once, and the signal ends the program all the same") {
    for (const auto& each : leat::testing::backends(leat::testing::every_backend)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        for (const crash& how : crashes) {
            const auto ended = run_in_child([&] {
                forget_handlers();
                leat::testing::run_on(each, how.body);
            });
            INFO("backend ", each.name, ", signal ", how.number, ", it wrote: ", ended.errors);
            CHECK(ended.signal == how.number);
            const std::string note = "leat: crashed on the backend " + each.name + "\n";
            CHECK(ended.errors.ends_with(note));
            CHECK(ended.errors.find(note) == ended.errors.size() - note.size());
        }
    }
}

TEST_CASE("a simulation that crashes tells the command that replays it") {
    const leat::testing::changed_variable seed("LEAT_SEED", nullptr);
    const leat::testing::changed_variable many("LEAT_SEEDS", nullptr);
    const auto ended = run_in_child([] {
        forget_handlers();
        leat::testing::run_simulations(
            []() -> leat::task<> {
                co_await leat::yield();
                if (leat::testing::replay_command().starts_with("LEAT_SEED=3 ")) {
                    std::abort();
                }
            },
            "a \"name\"", __FILE__, __LINE__, seeds(10));
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors == std::string("leat: crashed in a simulation; replay: LEAT_SEED=3 ") +
                              program_invocation_name + " -tc=\"a ?name?\"\n");
}

TEST_CASE("the handler that was there before a test runs after the note") {
    for (const auto body : {raises_abort, writes_to_nowhere}) {
        const auto ended = run_in_child([body] {
            for (const int each : {SIGABRT, SIGSEGV}) {
                std::signal(each, write_earlier);
            }
            leat::testing::run_on({leat::testing::simulated, "simulated", ""}, body);
        });
        CHECK(ended.status == 3);
        CHECK(ended.errors.ends_with("leat: crashed on the backend simulated\nthe earlier handler\n"));
    }
}

TEST_CASE("a test whose stack overflows tells its backend where there is an alternate stack") {
    const auto ended = run_in_child([] {
        forget_handlers();
        const rlimit small{1 << 20, 1 << 20};
        ::setrlimit(RLIMIT_STACK, &small);
        std::vector<char> memory(1 << 16);
        const stack_t other{.ss_sp = memory.data(), .ss_flags = 0, .ss_size = memory.size()};
        ::sigaltstack(&other, nullptr);
        leat::testing::run_on({leat::testing::simulated, "simulated", ""}, overflows_stack);
    });
    CHECK(ended.signal == SIGSEGV);
    CHECK(ended.errors.ends_with("leat: crashed on the backend simulated\n"));
}

TEST_CASE("when a test has ended the handlers are those from before, and a crash tells no note") {
    const auto handler_of = [](int number) {
        struct sigaction action{};
        ::sigaction(number, nullptr, &action);
        return action.sa_handler;
    };
    const auto before = handler_of(SIGSEGV);
    {
        const crash_note outer;
        const auto inside = handler_of(SIGSEGV);
        CHECK((inside != before));
        {
            const crash_note inner;
            CHECK((handler_of(SIGSEGV) == inside));
        }
        CHECK((handler_of(SIGSEGV) == inside));
    }
    CHECK((handler_of(SIGSEGV) == before));
    const auto ended = run_in_child([] {
        forget_handlers();
        leat::testing::run_on({leat::testing::simulated, "simulated", ""},
                              []() -> leat::task<> { co_return; });
        std::abort();
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors == "");
}

TEST_CASE("notes are told from the inside to the outside, and by a thread that has none") {
    const auto say_both_and = [](void (*crashes_now)()) {
        return run_in_child([crashes_now] {
            forget_handlers();
            crash_note outer;
            outer.say({"outer"});
            crash_note inner;
            inner.say({"replaced"});
            inner.say({"in", "ner"});
            crashes_now();
        });
    };
    CHECK(say_both_and([] { std::abort(); }).errors == "inner\nouter\n");
    if (leat::testing::children_have_threads) {
        CHECK(say_both_and([] { std::thread([] { std::abort(); }).join(); }).errors == "outer\ninner\n");
    }
}

TEST_CASE("a note keeps what there is room for, and one too many is silent") {
    const auto ended = run_in_child([] {
        forget_handlers();
        std::vector<crash_note> notes(crash_note::most);
        crash_note one_too_many;
        one_too_many.say({"lost"});
        notes.front().say({std::string(2000, 'x')});
        std::abort();
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors == std::string(1023, 'x') + "\n");
}
