// SPDX-License-Identifier: MIT
#include <leat/system/process.hpp>

#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using leat::exit_status;
using leat::no_child_is_left;
using leat::process;
using leat::read_to_end;
using leat::redirect;

namespace {

leat::task<exit_status> end_of(leat::command_line command) {
    process child = process::spawn(command);
    co_return co_await child.wait();
}

// One that ends when its input does.
process new_cat() {
    return process::spawn({"cat"}, {.input = redirect::pipe, .output = redirect::pipe});
}

// One that has told that it ignores SIGTERM.
leat::task<process> stubborn() {
    process child =
        process::spawn({"sh", "-c", "trap '' TERM; echo ready; exec sleep 60"}, {.output = redirect::pipe});
    std::array<char, 6> ready;
    co_await child.output().recv_exactly(ready);
    co_return child;
}

}  // namespace

LEAT_TEST("a child that ends by itself tells its code, one that is killed the signal", on(kernel)) {
    const exit_status well = co_await end_of({"true"});
    CHECK(well.success());
    CHECK(well == exit_status::exited(0));
    CHECK(well.to_string() == "exit code 0");
    const exit_status seven = co_await end_of({"sh", "-c", "exit 7"});
    CHECK_FALSE(seven.success());
    CHECK(seven == exit_status::exited(7));
    CHECK(seven.code() == 7);
    CHECK_FALSE(seven.signal().has_value());
    CHECK(seven.to_string() == "exit code 7");
    const exit_status killed = co_await end_of({"sh", "-c", "kill -KILL $$"});
    CHECK_FALSE(killed.success());
    CHECK(killed == exit_status::killed(SIGKILL));
    CHECK(killed.signal() == SIGKILL);
    CHECK_FALSE(killed.code().has_value());
    CHECK(killed.to_string() == "killed by SIGKILL");
    CHECK(no_child_is_left());
}

LEAT_TEST("input and output of a child are streams", on(kernel)) {
    process child = new_cat();
    co_await child.input().send_all("one");
    std::array<char, 3> three;
    co_await child.output().recv_exactly(three);
    CHECK(std::string(three.data(), 3) == "one");
    co_await child.input().send_all("two");
    child.input().close();
    const std::string rest = co_await read_to_end(child.output());
    CHECK(rest == "two");
    const exit_status ended = co_await child.wait();
    CHECK(ended.success());
}

LEAT_TEST("a child's end is given as often and to as many as ask; who stops waiting leaves it alone",
          on(kernel)) {
    process child = new_cat();
    CHECK_FALSE(child.try_wait().has_value());
    auto first = leat::spawn([&]() { return child.wait(); });
    auto second = leat::spawn([&]() { return child.wait(); });
    auto third = leat::spawn([&]() { return child.wait(); });
    co_await leat::yield();
    first.cancel();
    const auto& cancelled = co_await first.join();
    CHECK(cancelled.cancelled());
    CHECK(::kill(child.id(), 0) == 0);
    child.input().close();
    const exit_status two = co_await second;
    const exit_status three = co_await third;
    const exit_status later = co_await child.wait();
    CHECK(two.success());
    CHECK(three.success());
    CHECK(later.success());
    CHECK(child.try_wait() == exit_status::exited(0));
}

LEAT_TEST("a wait inside a cancelled scope ends cancelled, though the child has ended", on(kernel)) {
    process child = process::spawn({"true"});
    co_await child.wait();
    const bool given = (co_await leat::move_on_after(0s, child.wait())).has_value();
    CHECK_FALSE(given);
}

LEAT_TEST("signal() reaches a child, and nobody once that has ended", on(kernel)) {
    process child = new_cat();
    CHECK_THROWS_AS(child.signal(999), std::system_error);
    child.signal(SIGUSR1);
    const exit_status ended = co_await child.wait();
    CHECK(ended == exit_status::killed(SIGUSR1));
    child.signal(SIGUSR1);
}

LEAT_TEST("stop() asks with SIGTERM, and kills what does not listen", on(kernel)) {
    process polite = new_cat();
    const exit_status asked = co_await polite.stop(1h);
    CHECK(asked == exit_status::killed(SIGTERM));
    process deaf = co_await stubborn();
    const exit_status forced = co_await deaf.stop(1ms);
    CHECK(forced == exit_status::killed(SIGKILL));
    const exit_status again = co_await deaf.stop(1ms);
    CHECK(again == forced);
}

TEST_CASE("a child whose process object ends is killed and reaped, however the object ends") {
    leat::testing::run_test(
        []() -> leat::task<> {
            process returned_past = co_await stubborn();
            process assigned_over = co_await stubborn();
            assigned_over = process();
            auto unwound = leat::spawn([]() -> leat::task<> {
                process child = co_await stubborn();
                co_await child.wait();
            });
            const bool started = co_await leat::move_on_after(0s, []() -> leat::task<> {
                process child = process::spawn({"sleep", "60"});
                co_await child.wait();
            });
            CHECK_FALSE(started);
            co_await leat::yield();
        },
        leat::testing::kernel);
    CHECK(no_child_is_left());
}

LEAT_TEST("who waits for a child whose object ends learns that it was killed", on(kernel)) {
    std::optional<process> child(co_await stubborn());
    auto waiting = leat::spawn([&]() { return child->wait(); });
    co_await leat::yield();
    child.reset();
    const exit_status ended = co_await waiting;
    CHECK(ended == exit_status::killed(SIGKILL));
}

TEST_CASE("a process that outlives its run is waited for by the next, or killed and reaped without one") {
    for (const bool wait : {true, false}) {
        process kept;
        leat::run([&]() -> leat::task<> {
            kept = process::spawn({"cat"}, {.input = redirect::pipe});
            co_return;
        });
        if (wait) {
            const exit_status ended = leat::run([&]() -> leat::task<exit_status> {
                kept.input().close();
                co_return co_await kept.wait();
            });
            CHECK(ended.success());
        }
        kept = process();
        CHECK(no_child_is_left());
    }
}

LEAT_TEST("a detached child lives on, and the run reaps it", on(kernel)) {
    leat::pipe_writer input;
    leat::pipe_reader output;
    {
        process child = new_cat();
        input = std::move(child.input());
        output = std::move(child.output());
        child.detach();
    }
    co_await input.send_all("still here");
    input.close();
    const std::string answer = co_await read_to_end(output);
    CHECK(answer == "still here");
    while (!no_child_is_left()) {
        co_await leat::yield();
    }
}

LEAT_TEST("with a group of its own the child's children are signalled and killed as well", on(kernel)) {
    leat::pipe_reader output;
    {
        process child = process::spawn({"sh", "-c", "sleep 60 & echo started; wait"},
                                       {.output = redirect::pipe, .new_group = true});
        output = std::move(child.output());
        std::array<char, 8> started;
        co_await output.recv_exactly(started);
    }
    const std::string rest = co_await read_to_end(output);  // until nobody holds the pipe
    CHECK(rest.empty());
}

LEAT_TEST("a child that other code has waited for is an error that says so", on(kernel)) {
    process child = process::spawn({"true"});
    REQUIRE(::waitpid(child.id(), nullptr, 0) == child.id());
    const auto lost = co_await leat::as_result(child.wait());
    CHECK(lost.error() == std::errc::no_child_process);
    CHECK_THROWS_AS((void)child.try_wait(), std::system_error);
}

LEAT_TEST("SIGCHLD tells of children beside that, to whoever asks for it", on(kernel)) {
    leat::signal_set signals{SIGCHLD};
    process child = process::spawn({"sh", "-c", "exit 3"});
    const leat::signal_info told = co_await signals.next_info();
    CHECK(told.process == child.id());
    CHECK(told.code == CLD_EXITED);
    CHECK(told.status == 3);
    const exit_status ended = co_await child.wait();
    CHECK(ended == exit_status::exited(3));
}

LEAT_TEST("a hundred children at once", on(kernel)) {
    std::vector<process> children;
    for (int i = 0; i < 100; ++i) {
        children.push_back(new_cat());
    }
    for (int i = 0; i < 100; ++i) {
        co_await children[static_cast<std::size_t>(i)].input().send_all(std::to_string(i));
        children[static_cast<std::size_t>(i)].input().close();
    }
    int right = 0;
    for (int i = 0; i < 100; ++i) {
        process& child = children[static_cast<std::size_t>(i)];
        const std::string answer = co_await read_to_end(child.output());
        const exit_status ended = co_await child.wait();
        right += answer == std::to_string(i) && ended.success() ? 1 : 0;
    }
    CHECK(right == 100);
    CHECK(no_child_is_left());
}
