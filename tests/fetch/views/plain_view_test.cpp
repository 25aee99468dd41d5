// SPDX-License-Identifier: MIT
#include "made_up.hpp"

#include <fetch/views/plain_view.hpp>

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/testing/doctest.hpp>

#include <chrono>

using namespace std::chrono_literals;

LEAT_TEST("a run is plain lines, and failures are on standard error", on(simulated)) {
    const made_up::pipe_pair lines;
    const made_up::pipe_pair errors;
    fetch::plain_view view(lines.writes.get(), errors.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one whole(view, totals, 1, "http://h/a");
    made_up::one slow(view, totals, 2, "http://h/b");
    made_up::one gone(view, totals, 3, "http://h/c");
    made_up::one known(view, totals, 4, "http://h/d");
    for (made_up::one* const each : {&whole, &slow, &gone, &known}) {
        each->asks();
    }
    whole.is_answered(200, 999);
    whole.receives(999);
    whole.ends(fetch::transfer_state::fetched);
    slow.tries_again({.kind = fetch::failure_kind::connect, .text = "connection refused"}, 1500ms);
    slow.asks();
    slow.of.there = slow.of.resumed = 1;
    slow.is_answered(206, 3, "b\n.bin");
    slow.receives(2);
    slow.ends(fetch::transfer_state::fetched);
    gone.fails({.kind = fetch::failure_kind::refused, .text = "the server answered 404 Not Found"});
    known.of.file = "d";
    known.ends(fetch::transfer_state::kept);
    co_await leat::sleep(2s);
    totals.jobs = 4;
    view.summarize(totals, "");
    CHECK(lines.text() ==
          "GET: http://h/a\nGET: http://h/b\nGET: http://h/c\nGET: http://h/d\n"
          "999 bytes received from http://h/a.\n"
          "again in 1.5 s: http://h/b: connection refused\n"
          "b?.bin: 2 bytes received from http://h/b, after 1 of an earlier run (asked 2 times).\n"
          "d: kept, it is as at http://h/d.\n"
          "3 of 4 URLs, 1001 bytes in 2.000 s, 1 failed, 1 kept, 1 tried again\n");
    CHECK(errors.text() == "error: http://h/c: the server answered 404 Not Found\n");
}

LEAT_TEST("what was stopped before the list was read says so", on(simulated)) {
    const made_up::pipe_pair lines;
    fetch::plain_view view(lines.writes.get(), lines.writes.get());
    const fetch::run_totals totals{.begun = 7, .fetched = 3, .begin = leat::now()};
    view.summarize(totals, "SIGINT");
    CHECK(lines.text() == "3 of at least 7 URLs, 0 bytes in 0.000 s, 0 failed, stopped by SIGINT\n");
    co_return;
}

LEAT_TEST("lines come while the run goes on", on(simulated)) {
    const made_up::pipe_pair lines;
    fetch::plain_view view(lines.writes.get(), lines.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return view.draw(totals); });
        made_up::one first(view, totals, 1, "http://h/a");
        co_await leat::sleep(1s);
        CHECK(lines.text() == "GET: http://h/a\n");
        group.cancel();
    });
}

LEAT_TEST("the quiet view says only what failed", on(simulated)) {
    const made_up::pipe_pair errors;
    fetch::quiet_view view(errors.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one whole(view, totals, 1, "http://h/a");
    made_up::one gone(view, totals, 2, "http://h/c");
    whole.ends(fetch::transfer_state::fetched);
    gone.fails({.kind = fetch::failure_kind::name, .text = "no such host"});
    view.summarize(totals, "");
    CHECK(errors.text() == "error: http://h/c: no such host\n");
    co_return;
}
