// SPDX-License-Identifier: MIT
// The code of docs/processes.md, as it stands there.
#include "../../support/folder.hpp"
#include "../../support/printed_by.hpp"
#include "children.hpp"

#include <leat/framing.hpp>
#include <leat/testing/doctest.hpp>

#include <cctype>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#define main main_of_the_page

// PROCESSES: begin
#include <leat/runtime.hpp>
#include <leat/system/process.hpp>

#include <cstdio>

leat::task<> print_sorted() {
    const auto sorted = co_await leat::run_process({"sort"}, {.input_text = "wheel\nmill\nwater\n"});
    std::printf("%s%s\n", sorted.output.c_str(), sorted.status.to_string().c_str());
}

int main() {
    return leat::run_main(print_sorted);
}
// PROCESSES: end

#undef main

using namespace std::chrono_literals;
using leat::no_child_is_left;
using leat::read_to_end;

namespace {

// PROCESSES: begin
leat::task<std::string> first_line(std::string path) {
    const auto head =
        co_await leat::timeout(5s, leat::run_process({"head", "-n", "1", path}, {.limit = 4096}));
    if (!head.status.success()) {
        throw std::runtime_error("head: " + head.status.to_string() + ": " + head.errors);
    }
    co_return head.output;
}
// PROCESSES: end

// PROCESSES: begin
leat::task<leat::exit_status> for_each_line(leat::command_line command,
                                            std::function<void(std::string_view)> each) {
    auto child = leat::process::spawn(command, {.output = leat::redirect::pipe});
    leat::buffered_reader output(child.output());
    while (const auto line = co_await output.line()) {
        each(*line);
    }
    co_return co_await child.wait();
}
// PROCESSES: end

// PROCESSES: begin
leat::task<std::string> filtered(leat::command_line filter, std::string text) {
    auto child =
        leat::process::spawn(filter, {.input = leat::redirect::pipe, .output = leat::redirect::pipe});
    std::string all;
    const auto send = [&]() -> leat::task<> {
        co_await child.input().send_all(text);
        child.input().close();  // the child sees the end of its input
    };
    const auto receive = [&]() -> leat::task<> {
        while (auto part = co_await child.output().recv_chunk()) {
            all += part.text();
        }
    };
    co_await leat::gather(send(), receive());  // at once: one after the other, both pipes could be full
    co_await child.wait();
    co_return all;
}
// PROCESSES: end

// PROCESSES: begin
leat::task<leat::exit_status> run_for(leat::duration limit, leat::command_line command) {
    auto child = leat::process::spawn(command, {.new_group = true});
    if (const auto ended = co_await leat::move_on_after(limit, child.wait())) {
        co_return *ended;
    }
    co_return co_await child.stop(5s);
}
// PROCESSES: end

// PROCESSES: begin
leat::task<std::string> listed(std::string folder) {
    const std::vector<std::string> sorted_by_bytes{"LC_ALL=C"};
    const auto ls = co_await leat::run_process({"ls"}, {.directory = folder, .environment = sorted_by_bytes});
    co_return ls.output;
}
// PROCESSES: end

// PROCESSES: begin
leat::task<> to_capitals(leat::pipe_reader from, leat::pipe_writer to) {
    while (auto part = co_await from.recv_chunk()) {
        std::string text(part.text());
        for (char& letter : text) {
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        }
        co_await to.send_all(text);
    }
}
// PROCESSES: end

// PROCESSES: begin
leat::task<> on_each_hangup(std::function<void()> reload) {
    leat::signal_set signals{SIGHUP};
    for (;;) {
        co_await signals.next();
        reload();
    }
}
// PROCESSES: end

leat::command_line shell(std::string_view script) {
    return {"sh", "-c", script};
}

}  // namespace

TEST_CASE("the program of the page about processes prints what its child has sorted") {
    CHECK(leat::testing::printed_by(main_of_the_page) == "mill\nwater\nwheel\nexit code 0\n");
}

LEAT_TEST("the first line of a file, or what the program says against it", on(kernel)) {
    const leat::testing::folder files;
    const std::string line = co_await first_line(files.file("two", "one\ntwo\n"));
    CHECK(line == "one\n");
    std::string said;
    try {
        (void)co_await first_line(files.path() + "/none");
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    CHECK(said.starts_with("head: exit code 1: "));
    CHECK(said.find("/none") != std::string::npos);
}

LEAT_TEST("each line of a child comes when it has been printed", on(kernel)) {
    std::vector<std::string> lines;
    const auto ended = co_await for_each_line(shell("echo a; echo bc; printf left; exit 2"),
                                              [&](std::string_view line) { lines.emplace_back(line); });
    CHECK(lines == std::vector<std::string>{"a", "bc", "left"});
    CHECK(ended == leat::exit_status::exited(2));
}

LEAT_TEST("a child filters more than its pipes hold", on(kernel)) {
    const std::string text(1'000'000, 'x');
    const std::string same = co_await filtered({"cat"}, text);
    CHECK(same == text);
}

LEAT_TEST("a child and its children end at the limit", on(kernel)) {
    const auto early = co_await run_for(1h, {"true"});
    CHECK(early.success());
    const auto late = co_await run_for(1ms, shell("sleep 60 & sleep 60"));
    CHECK(late == leat::exit_status::killed(SIGTERM));
    CHECK(no_child_is_left());
}

LEAT_TEST("a child has the folder and the environment that it is told", on(kernel)) {
    const leat::testing::folder files;
    (void)files.file("b", "");
    (void)files.file("C", "");
    const std::string names = co_await listed(files.path());
    CHECK(names == "C\nb\n");
}

LEAT_TEST("a filter of its own reads one pipe and writes the other", on(kernel)) {
    auto [input, typed] = leat::make_pipe();
    auto [shown, output] = leat::make_pipe();
    auto filter = leat::spawn(to_capitals(std::move(input), std::move(output)));
    co_await typed.send_all("mill");
    typed.close();
    const std::string all = co_await read_to_end(shown);
    CHECK(all == "MILL");
    co_await filter;
}

LEAT_TEST("a hangup is an event among others", on(kernel)) {
    leat::event reloaded;
    auto waiting = leat::spawn(on_each_hangup([&] { reloaded.set(); }));
    co_await leat::yield();
    ::raise(SIGHUP);
    co_await reloaded.wait();
    waiting.cancel();
    const auto& ended = co_await waiting.join();
    CHECK(ended.cancelled());
}
