// SPDX-License-Identifier: MIT
#include "made_up.hpp"
#include "small_terminal.hpp"

#include <fetch/views/terminal_view.hpp>

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t terminal_lines = 24;

struct shown_run {
    explicit shown_run(std::size_t columns, fetch::terminal_form form = {.unicode = true, .colours = false})
        : terminal(columns, terminal_lines),
          view(terminal.descriptor(), terminal.descriptor(), form),
          totals{.begin = leat::now()} {}

    made_up::one& begin(const std::string& url) {
        return *all.emplace_back(std::make_unique<made_up::one>(view, totals, all.size() + 1, url));
    }

    made_up::small_terminal terminal;
    fetch::terminal_view view;
    fetch::run_totals totals;
    std::vector<std::unique_ptr<made_up::one>> all;
};

// `body` takes shown_run& while it is drawn.
template <typename Body>
leat::task<> while_drawn(shown_run& run, Body body) {
    if (!run.terminal.is_there()) {
        MESSAGE("no terminal can be opened");
        co_return;
    }
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return run.view.draw(run.totals); });
        group.spawn([&]() -> leat::task<> {
            for (;;) {
                (void)run.terminal.seen();
                co_await leat::sleep(10ms);
            }
        });
        co_await body(run);
        group.cancel();
    });
}

std::string last_line(shown_run& run) {
    const std::vector<std::string> lines = run.terminal.seen().lines();
    REQUIRE(lines.size() >= 2);
    CHECK(lines.back().empty());  // where the cursor is
    return lines[lines.size() - 2];
}

leat::task<> some_transfers(shown_run& run) {
    run.totals.jobs = 8;
    made_up::one& quick = run.begin("https://example.org/quick.txt");
    made_up::one& known = run.begin("https://example.org/pub/linux/debian-12.5.0-amd64-netinst.iso");
    made_up::one& wide = run.begin("https://example.org/%E6%BC%A2");
    made_up::one& open = run.begin("https://example.org/stream?endless=1");
    made_up::one& broken = run.begin("https://broken.example/file");
    run.begin("https://slow.example/a-path/that/is/much/too/long/for/one/line/of/any/terminal/index.html")
        .asks();
    run.begin("https://slow.example/b");
    for (made_up::one* const each : {&quick, &known, &wide, &open, &broken}) {
        each->asks();
    }
    known.is_answered(200, 400'000'000, "debian-12.5.0-amd64-netinst.iso");
    wide.of.there = wide.of.resumed = 500'000;
    wide.is_answered(206, 1'000'000, "漢字漢字漢字漢字漢字漢字漢字漢字.html");
    open.is_answered(200, {});
    quick.is_answered(200, 5);
    quick.receives(5);
    for (int tenth = 0; tenth < 20; ++tenth) {
        known.receives(5'000'000);
        wide.receives(10'000);
        open.receives(123'000);
        co_await leat::sleep(100ms);
        if (tenth == 3) {
            quick.ends(fetch::transfer_state::fetched);
            broken.fails({.kind = fetch::failure_kind::refused, .text = "the server answered 404 Not Found"});
        }
    }
}

void show(shown_run& run, const char* title) {
    if (std::getenv("LEAT_SHOW_SCREENS") != nullptr) {
        std::printf("---- %s\n%s", title, run.terminal.seen().text().c_str());
    }
}

}  // namespace

LEAT_TEST("no line is wider than the terminal, but those that stay", on(simulated)) {
    for (const std::size_t columns : {2U, 20U, 40U, 80U, 200U}) {
        for (const bool unicode : {true, false}) {
            shown_run run(columns, {.unicode = unicode, .colours = true});
            co_await while_drawn(run, some_transfers);
            show(run, std::to_string(columns).c_str());
            if (run.terminal.is_there()) {
                CHECK(fetch::columns_of(last_line(run)) < columns);
                CHECK(run.terminal.seen().coloured() > 0);
            }
        }
    }
}

LEAT_TEST("bars, amounts and rates stand in their columns, and what has ended above them", on(simulated)) {
    shown_run run(80);
    co_await while_drawn(run, some_transfers);
    if (!run.terminal.is_there()) {
        co_return;
    }
    CHECK(run.terminal.seen().text() ==
          "https://example.org/quick.txt (5 B, 0.4 s)\n"
          "error: https://broken.example/file: the server answered 404 Not Found\n"
          "debian-12.5.0-amd64-netinst.iso           ███▌░░░░░░░░░░  25%  48 MB/s    6.2 s\n"
          "漢字漢字漢字漢字漢字漢字漢字漢字.html     █████████▊░░░░  70%  97 kB/s    3.1 s\n"
          "https://example.org/stream?endless=1                   2.5 MB 1.2 MB/s\n"
          "https://slow.exampl…/terminal/index.html  asking\n"
          "https://slow.example/b                    waiting\n"
          "2 of 8 done, 5 under way, 1 failed, 103 MB, 51 MB/s, 13 s left\n"
          "\n");
    CHECK(run.terminal.seen().coloured() == 0);
    run.view.summarize(run.totals, "SIGINT");
    CHECK(run.terminal.seen().text() ==
          "https://example.org/quick.txt (5 B, 0.4 s)\n"
          "error: https://broken.example/file: the server answered 404 Not Found\n"
          "1 of 8 URLs, 102660005 bytes in 2.000 s, 1 failed, stopped by SIGINT\n"
          "\n");
}

LEAT_TEST("without Unicode bars are of ASCII, and so is all else", on(simulated)) {
    shown_run run(80, {});
    co_await while_drawn(run, some_transfers);
    show(run, "ASCII");
    if (run.terminal.is_there()) {
        const std::string text = run.terminal.seen().text();
        CHECK(text.find("debian-12.5.0-amd64-netinst.iso           [###---------]  25%") !=
              std::string::npos);
        CHECK(std::all_of(text.begin(), text.end(),
                          [](char each) { return each == '\n' || (each >= ' ' && each <= '~'); }));
    }
}

LEAT_TEST("with thousands at once as many lines as fit are drawn, and how many there are besides",
          on(simulated)) {
    shown_run run(80);
    co_await while_drawn(run, [](shown_run& all) -> leat::task<> {
        for (int i = 1; i <= 10'000; ++i) {
            made_up::one& each = all.begin("https://example.org/" + std::to_string(i));
            each.asks();
            if (i % 10 == 0) {
                each.is_answered(200, 1000);
                each.receives(500);
            }
        }
        co_await leat::sleep(1s);
        show(all, "10,000 at once");
        CHECK(all.terminal.seen().lines().size() <= terminal_lines);
        CHECK(all.terminal.seen().text().find("\nand 987 more, 9000 that wait\n0 done, ") !=
              std::string::npos);
        const std::size_t written = all.terminal.written();
        co_await leat::sleep(10s);  // in which only rates change
        CHECK(all.terminal.written() - written < 200'000);
        for (const auto& each : all.all) {
            each->ends(fetch::transfer_state::fetched);
        }
        co_await leat::sleep(1s);
        show(all, "10,000 done");
        // A screen of them is told by name.
        CHECK(all.terminal.seen().text().find("and 9970 more files are done\n") != std::string::npos);
        CHECK(all.terminal.seen().lines().size() < 40);
    });
}

LEAT_TEST("no failure is left out, however many there are", on(simulated)) {
    shown_run run(80);
    co_await while_drawn(run, [](shown_run& all) -> leat::task<> {
        for (int i = 0; i < 2000; ++i) {
            all.begin("http://h/" + std::to_string(i))
                .fails({.kind = fetch::failure_kind::name, .text = "no such host"});
        }
        co_await leat::sleep(5s);
        const std::vector<std::string> lines = all.terminal.seen().lines();
        CHECK(std::count_if(lines.begin(), lines.end(),
                            [](const std::string& each) { return each.starts_with("error: "); }) == 2000);
    });
}

LEAT_TEST("a window that changes its size while it is drawn keeps what has ended, and nothing twice",
          on(simulated)) {
    shown_run run(120);
    co_await while_drawn(run, [](shown_run& all) -> leat::task<> {
        all.totals.jobs = 9;
        all.begin("http://h/done").ends(fetch::transfer_state::fetched);
        for (int i = 0; i < 5; ++i) {
            made_up::one& each = all.begin("http://h/some/long/path/" + std::to_string(i));
            each.is_answered(200, 100'000);
            each.receives(50'000);
        }
        for (const std::size_t columns : {120U, 37U, 80U, 21U, 200U}) {
            all.terminal.resize(columns, terminal_lines);
            co_await leat::sleep(500ms);
            const std::vector<std::string> lines = all.terminal.seen().lines();
            show(all, "resized");
            CHECK(lines.front().starts_with("http://h/done"));
            CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& each) {
                      return each.find("1 of 9 done") != std::string::npos;
                  }) == 1);
        }
        all.terminal.resize(80, 4);
        co_await leat::sleep(500ms);
        CHECK(last_line(all).starts_with("1 of 9 done"));
    });
}

LEAT_TEST("the time that is left counts what this run has still to do", on(simulated)) {
    shown_run run(80);
    co_await while_drawn(run, [](shown_run& all) -> leat::task<> {
        all.totals.jobs = 2;
        made_up::one& resumed = all.begin("http://h/resumed");
        made_up::one& again = all.begin("http://h/again");
        resumed.of.there = resumed.of.resumed = 900'000;
        resumed.is_answered(206, 1'000'000);
        again.is_answered(200, 100'000);
        for (int tenth = 0; tenth < 100; ++tenth) {  // 2000 bytes a second
            again.receives(100);
            resumed.receives(100);
            if (tenth == 50) {  // it must begin again
                again.of.there = 0;
                again.tries_again({.kind = fetch::failure_kind::interrupted, .text = "it ended"}, 1s);
                again.is_answered(200, 100'000);
            }
            co_await leat::sleep(100ms);
        }
        // 90,000 of the one and 95,000 of the other.
        CHECK(last_line(all) == "0 of 2 done, 2 under way, 0 failed, 20 kB, 2.0 kB/s, 1:33 left");
    });
}

LEAT_TEST("a terminal that is stopped holds nothing up", on(simulated)) {
    shown_run run(80);
    if (!run.terminal.is_there()) {
        co_return;
    }
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return run.view.draw(run.totals); });
        for (int i = 0; i < 300; ++i) {
            run.begin("http://h/" + std::to_string(i)).ends(fetch::transfer_state::fetched);
            co_await leat::sleep(1s);
        }
        (void)run.terminal.seen();
        co_await leat::sleep(1s);
        (void)run.terminal.seen();
        co_await leat::sleep(1s);
        CHECK(last_line(run).starts_with("300 done"));
        group.cancel();
    });
}
