// SPDX-License-Identifier: MIT
// simulate and LEAT_SIMULATE: what makes a run fail, and the command that does it again.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../crash/child_process.hpp"
#include "../support/environment.hpp"

using namespace std::chrono_literals;
using leat::testing::seeds;
using leat::testing::simulate;
using leat::testing::simulate_options;
using leat::testing::simulation_report;

namespace {

// What a developer has set does not reach the runs of these tests.
struct plain_environment {
    leat::testing::changed_variable seed{"LEAT_SEED", nullptr};
    leat::testing::changed_variable seeds{"LEAT_SEEDS", nullptr};
};

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// Sends a text and takes it back.
leat::task<> exchange() {
    auto [client, server] = co_await leat::testing::stream_pair();
    auto echo = leat::spawn([&peer = server]() -> leat::task<> {
        while (auto chunk = co_await peer.recv_chunk()) {
            co_await peer.send_all(chunk);
        }
        peer.shutdown_send();
    });
    co_await client.send_all(std::string(3000, 'x'));
    client.shutdown_send();
    std::size_t received = 0;
    while (auto chunk = co_await client.recv_chunk()) {
        received += chunk.size();
    }
    CHECK(received == 3000);
    co_await echo;
}

leat::task<> yield_for_ever() {
    for (;;) {
        co_await leat::yield();
    }
}

// Fails with about one seed in sixteen.
leat::task<> exchange_or_fail() {
    co_await exchange();
    if (leat::current_scheduler().io().random() % 16 == 0) {
        throw std::runtime_error("the planted failure");
    }
}

}  // namespace

LEAT_SIMULATE("a text comes back on every simulation", seeds(50)) {
    const leat::simulation& world = leat::testing::current_simulation();
    co_await exchange();
    CHECK(world.events() > 0);
}

TEST_CASE("the same seed gives the same events, and another one gives others") {
    const plain_environment plain;
    const simulation_report once = simulate(exchange, seeds(7));
    const simulation_report again = simulate(exchange, seeds(7));
    const simulation_report other = simulate(exchange, seeds(8));
    CHECK(!once.failed);
    CHECK(once.seed == 7);
    CHECK(once.runs == 7);
    CHECK(once.events > 10);
    CHECK(once.event_hash == again.event_hash);
    CHECK(once.event_hash != other.event_hash);
}

TEST_CASE("a failure ends the runs and tells the command, which does the same again") {
    const plain_environment plain;
    simulate_options options = seeds(1000);
    options.arguments = "-tc=\"a name\"";
    const simulation_report failed = simulate(exchange_or_fail, options);
    REQUIRE(failed.failed);
    CHECK(failed.runs == failed.seed);
    CHECK(failed.seed < 1000);
    const std::string seed = std::to_string(failed.seed);
    CHECK(failed.replay == "LEAT_SEED=" + seed + " " + program_invocation_name + " -tc=\"a name\"");
    CHECK(has(failed.text(), "seed " + seed + " failed, run " + seed + ": it threw: the planted failure\n"));
    CHECK(has(failed.text(), "\nreplay: " + failed.replay + "\n"));

    const leat::testing::changed_variable asked("LEAT_SEED", seed.c_str());
    const simulation_report replayed = simulate(exchange_or_fail, options);
    CHECK(replayed.failed);
    CHECK(replayed.replayed);
    CHECK(replayed.runs == 1);
    CHECK(replayed.seed == failed.seed);
    CHECK(replayed.event_hash == failed.event_hash);
    CHECK(replayed.passed == failed.passed);
}

TEST_CASE("a seed that is asked for is told with its hash") {
    const leat::testing::changed_variable asked("LEAT_SEED", "12");
    const simulation_report report = simulate(exchange, seeds(3));
    CHECK(!report.failed);
    CHECK(report.text().starts_with("seed 12: " + std::to_string(report.events) + " events with hash "));
}

TEST_CASE("the environment sets the number of seeds, and is told what it got wrong") {
    const plain_environment plain;
    int runs = 0;
    const auto body = [&]() -> leat::task<> {
        ++runs;
        co_return;
    };
    {
        const leat::testing::changed_variable asked("LEAT_SEEDS", "3");
        CHECK(simulate(body, seeds(50)).runs == 3);
        CHECK(runs == 3);
    }
    const leat::testing::changed_variable asked("LEAT_SEED", "seven");
    CHECK_THROWS_WITH_AS((void)simulate(body), "LEAT_SEED=seven is not a whole number",
                         std::invalid_argument);
    CHECK(runs == 3);
}

TEST_CASE("time passes also for a task that waits for it without a wait") {
    const plain_environment plain;
    const auto report = simulate(
        []() -> leat::task<> {
            const leat::time_point later = leat::now() + 50ms;
            while (leat::now() < later) {
                co_await leat::yield();
            }
        },
        seeds(1));
    CHECK(report.why == "");
    CHECK(report.passed == 50ms);
}

TEST_CASE("tasks that are always ready are ended by the time limit") {
    const plain_environment plain;
    simulate_options options = seeds(1);
    options.time_limit = 2s;
    const auto ended = [&](leat::task<> (*body)()) {
        return simulate(body, options).why.starts_with("it has not ended in 2.000000 s of virtual time:\n");
    };
    CHECK(ended([]() -> leat::task<> {
        const auto other = leat::spawn([]() -> leat::task<> { co_await leat::sleep(1h); });
        co_await yield_for_ever();
    }));
    CHECK(ended([]() -> leat::task<> { co_await leat::shield(yield_for_ever()); }));
}

TEST_CASE("what a run reports is told when it fails, and only then") {
    const plain_environment plain;
    const auto fails = [](bool at_last) {
        return simulate([at_last]() -> leat::task<> {
            leat::current_scheduler().report("something is amiss");
            if (at_last) {
                throw std::runtime_error("the planted failure");
            }
            co_return;
        });
    };
    CHECK(fails(true).why == "it threw: the planted failure\nreported before that:\n  something is amiss");
    CHECK(fails(false).why == "");
}

TEST_CASE("a number of seeds that is asked for is told with what happened in all of them") {
    const plain_environment plain;
    const leat::testing::changed_variable asked("LEAT_SEEDS", "4");
    const auto report = simulate([]() -> leat::task<> { co_await leat::sleep(2h); });
    CHECK(report.total.passed == 8h);
    CHECK(report.total.events >= report.events);
    const std::string text = report.text();
    CHECK(text.starts_with("4 seeds, " + std::to_string(report.total.events) + " events, 0 faults injected"));
    CHECK(text.find("8 hours of virtual time in ") != std::string::npos);

    const auto faulty = simulate(exchange);
    CHECK(faulty.total.faults > 0);
    CHECK(!simulate(exchange, seeds(2)).failed);
}

TEST_CASE("tasks that wait for what cannot come fail a run") {
    const plain_environment plain;
    const auto report = simulate([]() -> leat::task<> {
        auto [client, server] = co_await leat::testing::stream_pair();
        (void)co_await server.recv_chunk();
    });
    INFO(report.text());
    CHECK(report.failed);
    CHECK(has(report.why, "every task waits and nothing can wake one"));
    CHECK(has(report.why, "waits for recv"));
}

TEST_CASE("more virtual time than is allowed fails a run, and the tasks are listed") {
    const plain_environment plain;
    simulate_options options = seeds(10);
    options.time_limit = 1h;
    int cleaned_up = 0;
    const auto report = simulate(
        [&]() -> leat::task<> {
            struct counts {
                int& ends;
                ~counts() { ++ends; }
            };
            const counts end{cleaned_up};
            for (;;) {
                co_await leat::sleep(1min);
            }
        },
        options);
    CHECK(report.failed);
    CHECK(report.runs == 1);
    CHECK(report.passed == 1h);
    CHECK(has(report.why, "it has not ended in 3600.000000 s of virtual time"));
    CHECK(has(report.why, "waits for sleep"));
    CHECK(cleaned_up == 1);
}

TEST_CASE("no shield holds against the limit of virtual time") {
    const plain_environment plain;
    const auto report = simulate([]() -> leat::task<> {
        for (;;) {
            co_await leat::shield(leat::sleep(1min));
        }
    });
    CHECK(has(report.why, "it has not ended in 86400.000000 s of virtual time"));
    CHECK(report.passed == 48h);
}

TEST_CASE("what a run leaves behind fails it") {
    const plain_environment plain;
    std::vector<leat::tcp_stream> streams;
    const auto open = simulate([&]() -> leat::task<> {
        auto [client, server] = co_await leat::testing::stream_pair();
        streams.push_back(std::move(client));
    });
    CHECK(open.failed);
    CHECK(has(open.why, "it left behind 1 open descriptor(s)"));
    streams.clear();

    leat::chunk kept;
    const auto held = simulate([&]() -> leat::task<> {
        auto [client, server] = co_await leat::testing::stream_pair();
        co_await client.send_all("kept");
        kept = co_await server.recv_chunk();
    });
    CHECK(held.failed);
    CHECK(held.why == "it left behind 1 buffer pool(s) of which a chunk is held");
    kept.reset();

    leat::handle<> handle;
    const auto state = simulate([&]() -> leat::task<> {
        handle = leat::spawn([]() -> leat::task<> { co_return; });
        co_await handle;
    });
    CHECK(state.failed);
    CHECK(state.why == "it left behind 1 frame(s) or state(s) of tasks and sockets");
}

TEST_CASE("assertions of a framework that counts them fail a run") {
    const plain_environment plain;
    static std::size_t failed = 0;
    simulate_options options = seeds(100);
    options.failures = [] { return failed; };
    const auto report = simulate(
        []() -> leat::task<> {
            failed += leat::testing::replay_command().starts_with("LEAT_SEED=5 ") ? 1 : 0;
            co_return;
        },
        options);
    CHECK(report.seed == 5);
    CHECK(report.why == "an assertion failed");
    CHECK(leat::testing::replay_command().empty());
}

TEST_CASE("the order of tasks is drawn on request, from the seed") {
    const plain_environment plain;
    std::string order;
    const auto body = [&]() -> leat::task<> {
        order.clear();
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            for (char letter = 'a'; letter <= 'h'; ++letter) {
                group.spawn([&order, letter]() -> leat::task<> {
                    order += letter;
                    co_return;
                });
            }
            co_return;
        });
    };
    CHECK(!simulate(body, seeds(3)).failed);
    CHECK(order == "abcdefgh");
    std::set<std::string> orders;
    simulate_options drawn = seeds(1);
    drawn.random_order = true;
    for (const char* seed : {"1", "2", "3", "4", "5"}) {
        const leat::testing::changed_variable asked("LEAT_SEED", seed);
        CHECK(!simulate(body, drawn).failed);
        const std::string first = order;
        CHECK(!simulate(body, drawn).failed);
        CHECK(order == first);
        orders.insert(order);
    }
    CHECK(orders.size() == 5);
}

TEST_CASE("switch_to takes a task to the front of a drawn order, too") {
    const plain_environment plain;
    simulate_options options = seeds(50);
    options.random_order = true;
    const auto report = simulate(
        []() -> leat::task<> {
            std::string order;
            std::vector<leat::handle<>> tasks;
            for (char letter = 'a'; letter <= 'h'; ++letter) {
                tasks.push_back(leat::spawn([&order, letter]() -> leat::task<> {
                    order += letter;
                    co_return;
                }));
            }
            co_await leat::switch_to(tasks[6]);
            CHECK(order.starts_with("g"));
            co_await leat::join_all(tasks);
        },
        options);
    CHECK(!report.failed);
}

TEST_CASE("a failed assertion in LEAT_SIMULATE is shown with the command, by doctest") {
    const plain_environment plain;
    const auto shown = leat::testing::run_in_child([] {
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        leat::testing::run_simulations(
            []() -> leat::task<> {
                const bool third = leat::testing::replay_command().starts_with("LEAT_SEED=3 ");
                CHECK_MESSAGE(!third, "planted");
                co_return;
            },
            "a \"name\", quoted", __FILE__, __LINE__, seeds(10));
        std::cout.flush();
    });
    CHECK(has(shown.errors, "planted"));
    CHECK(has(shown.errors, "seed 3 failed, run 3: an assertion failed"));
    CHECK(has(shown.errors,
              std::string("replay: LEAT_SEED=3 ") + program_invocation_name + " -tc=\"a ?name?? quoted\"\n"));
    CHECK(!has(shown.errors, "LEAT_SEED=4"));
}

TEST_CASE("a pattern in double quotes has nothing that a shell or a list would take apart") {
    CHECK(leat::testing::quoted_pattern("plain") == "\"plain\"");
    CHECK(leat::testing::quoted_pattern("a, \"b\" $c `d` \\e!") == "\"a? ?b? ?c ?d? ?e?\"");
}
