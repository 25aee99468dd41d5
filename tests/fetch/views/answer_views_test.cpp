// SPDX-License-Identifier: MIT
#include "made_up.hpp"

#include <fetch/views/answer_views.hpp>

#include <leat/sleep.hpp>
#include <leat/testing/doctest.hpp>

#include <chrono>

using namespace std::chrono_literals;

LEAT_TEST("a plan is a line for each file", on(simulated)) {
    const made_up::pipe_pair lines;
    const made_up::pipe_pair errors;
    fetch::plan_view view(lines.writes.get(), errors.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one next(view, totals, 1, "http://h/a");
    next.of.file = "a";
    view.planned(next.of);
    next.of.there = 7;
    view.planned(next.of);
    next.of.state = fetch::transfer_state::kept;
    view.planned(next.of);
    next.of.file = "";
    next.fails({.kind = fetch::failure_kind::bad_input, .text = "http://h/a: it is wrong"});
    view.summarize(totals, "");
    CHECK(lines.text() ==
          "a\thttp://h/a\na\thttp://h/a\tafter 7 bytes\na\thttp://h/a\tkept\n"
          "1 URLs, nothing was asked, 1 would fail\n");
    CHECK(errors.text() == "error: http://h/a: it is wrong\n");
    co_return;
}

LEAT_TEST("a head is a line of columns, whatever the server has put into it", on(simulated)) {
    const made_up::pipe_pair lines;
    const made_up::pipe_pair errors;
    fetch::head_view view(lines.writes.get(), errors.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one full(view, totals, 1, "http://h/a");
    made_up::one bare(view, totals, 2, "http://h/b");
    full.asks();
    full.of.status = 200;
    full.of.size = 12;
    full.of.fields = fetch::answer_fields{.type = "text/\tplain", .last_modified = "", .etag = "\"v\x1b\""};
    full.of.final_url = "http://h/c";
    full.ends(fetch::transfer_state::fetched);
    bare.asks();
    bare.of.status = 204;
    bare.ends(fetch::transfer_state::fetched);
    co_await leat::sleep(1s);
    totals.jobs = 2;
    view.summarize(totals, "");
    CHECK(lines.text() ==
          "200\t12\ttext/?plain\t-\t\"v?\"\thttp://h/a\thttp://h/c\n"
          "204\t-\t-\t-\t-\thttp://h/b\n"
          "2 of 2 URLs, 0 bytes in 1.000 s, 0 failed\n");
    CHECK(errors.text().empty());
}

LEAT_TEST("links are counted by status, and those that have failed are listed at the end", on(simulated)) {
    const made_up::pipe_pair lines;
    fetch::link_view view(lines.writes.get(), lines.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one good(view, totals, 1, "http://h/a");
    made_up::one moved(view, totals, 2, "http://h/b");
    made_up::one gone(view, totals, 3, "http://h/c");
    made_up::one mute(view, totals, 4, "http://h/d");
    for (made_up::one* const each : {&good, &moved, &gone, &mute}) {
        each->asks();
        each->of.status = 200;
    }
    mute.fails({.kind = fetch::failure_kind::connect, .text = "connection refused"});
    gone.of.status = 404;
    gone.fails({.kind = fetch::failure_kind::refused, .text = "the server answered 404", .status = 404});
    moved.of.final_url = "http://h/e";
    moved.ends(fetch::transfer_state::fetched);
    good.ends(fetch::transfer_state::fetched);
    co_await leat::sleep(1s);
    totals.jobs = 4;
    view.summarize(totals, "");
    CHECK(lines.text() ==
          "redirect: http://h/b leads to http://h/e\n"
          "STATUS\tURLS\n200\t2\n404\t1\nconnect\t1\n"
          "404\thttp://h/c: the server answered 404\n"
          "connect\thttp://h/d: connection refused\n"
          "2 of 4 URLs, 0 bytes in 1.000 s, 2 failed\n");
}
