// SPDX-License-Identifier: MIT
// Children that lead a process group: what they have started is reached as well, before and after their end.
// Each member of a group holds a pipe open, whose end tells that all have ended.
#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <string>
#include <utility>

#include <unistd.h>

using namespace std::chrono_literals;
using leat::exit_status;
using leat::no_child_is_left;
using leat::process;
using leat::read_to_end;
using leat::redirect;

namespace {

// A shell that leads a group, and has written a line.
leat::task<process> leader_of(std::string_view script) {
    process child = process::spawn({"sh", "-c", script},
                                   {.input = redirect::pipe, .output = redirect::pipe, .new_group = true});
    std::array<char, 6> begun;
    co_await child.output().recv_exactly(begun);
    CHECK(std::string(begun.data(), begun.size()) == "begun\n");
    co_return child;
}

// Far less than what the members sleep.
leat::task<std::string> rest_of(leat::pipe_reader& from) {
    co_return co_await leat::timeout(30s, read_to_end(from));
}

}  // namespace

LEAT_TEST("a group is killed with its process object, also after the end of its leader", on(kernel)) {
    for (const bool waited : {true, false}) {
        leat::pipe_reader output;
        {
            process child = co_await leader_of("sleep 61 & echo begun");
            output = std::move(child.output());
            if (waited) {
                const exit_status ended = co_await child.wait();
                CHECK(ended == exit_status::exited(0));
                CHECK(child.try_wait() == ended);
            }
        }
        const std::string rest = co_await rest_of(output);
        CHECK(rest.empty());
        while (!no_child_is_left()) {
            co_await leat::yield();
        }
    }
}

LEAT_TEST("stop() kills what is left of a group when its leader has ended", on(kernel)) {
    const auto deaf = "(trap '' TERM; echo begun; exec sleep 61) & wait";
    process child = co_await leader_of(deaf);
    const exit_status ended = co_await child.stop(1h);
    CHECK(ended == exit_status::killed(SIGTERM));
    CHECK(no_child_is_left());
    const std::string rest = co_await rest_of(child.output());
    CHECK(rest.empty());
    child.signal(SIGTERM);  // to nobody
    const exit_status again = co_await child.stop(1h);
    CHECK(again == ended);
}

LEAT_TEST("stop() of a group whose leader has ended before kills the others", on(kernel)) {
    process child = co_await leader_of("sleep 61 & echo begun; exit 3");
    const exit_status ended = co_await child.wait();
    CHECK(ended == exit_status::exited(3));
    const exit_status stopped = co_await child.stop(1h);
    CHECK(stopped == ended);
    const std::string rest = co_await rest_of(child.output());
    CHECK(rest.empty());
    CHECK(no_child_is_left());
}

LEAT_TEST("signal() reaches a group whose leader has ended", on(kernel)) {
    process child = co_await leader_of("sleep 61 & echo begun");
    (void)co_await child.wait();
    child.signal(SIGTERM);
    const std::string rest = co_await rest_of(child.output());
    CHECK(rest.empty());
    CHECK(child.try_wait() == exit_status::exited(0));
}

LEAT_TEST("a group whose leader other code has waited for is sent nothing", on(kernel)) {
    process child = co_await leader_of("exec 3<&0; cat <&3 & echo begun");
    (void)co_await child.wait();
    REQUIRE(::waitpid(child.id(), nullptr, 0) == child.id());
    child.signal(SIGKILL);
    CHECK(child.try_wait() == exit_status::exited(0));
    co_await child.input().send_all("alive");
    child.input().close();
    const std::string rest = co_await rest_of(child.output());
    CHECK(rest == "alive");
}

LEAT_TEST("the group of a detached child lives on, and its leader is reaped", on(kernel)) {
    leat::pipe_writer input;
    leat::pipe_reader output;
    {
        process child = co_await leader_of("exec 3<&0; cat <&3 & echo begun");
        input = std::move(child.input());
        output = std::move(child.output());
        (void)co_await child.wait();
        child.detach();
    }
    CHECK(no_child_is_left());
    co_await input.send_all("alive");
    input.close();
    const std::string rest = co_await rest_of(output);
    CHECK(rest == "alive");
}

LEAT_TEST("a run_process that is cancelled kills all of a group of its own", on(kernel)) {
    auto ends = leat::make_pipe();
    const std::string pipe =
        "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends.second.native_handle());
    const std::string script = "exec 3>" + pipe + "; echo begun >&3; sleep 61 | cat";
    auto running = leat::spawn([&] { return leat::run_process({"sh", "-c", script}, {.new_group = true}); });
    std::array<char, 6> begun;
    co_await ends.first.recv_exactly(begun);
    ends.second.close();
    running.cancel();
    const auto& outcome = co_await running.join();
    CHECK(outcome.cancelled());
    const std::string rest = co_await rest_of(ends.first);
    CHECK(rest.empty());
    CHECK(no_child_is_left());
}
