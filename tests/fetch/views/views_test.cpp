// SPDX-License-Identifier: MIT
#include "made_up.hpp"

#include <fetch/views/views.hpp>

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/testing/doctest.hpp>

#include <chrono>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

class noting_view final : public fetch::view {
public:
    noting_view(std::string& notes, bool breaks) : notes_(notes), breaks_(breaks) {}
    void began(const fetch::transfer& of) override { notes_ += "began " + of.shown + "; "; }
    void answered(const fetch::transfer& /*of*/) override { notes_ += "answered; "; }
    void received(const fetch::transfer& /*of*/, std::size_t bytes) override {
        notes_ += std::to_string(bytes) + "; ";
    }
    void tries_again(const fetch::transfer& /*of*/, leat::duration /*wait*/) override { notes_ += "again; "; }
    void planned(const fetch::transfer& /*of*/) override { notes_ += "planned; "; }
    void ended(const fetch::transfer& /*of*/) override { notes_ += "ended; "; }
    void stopped(const fetch::transfer& /*of*/) override { notes_ += "stopped; "; }
    leat::task<> draw(const fetch::run_totals& /*totals*/) override {
        for (;;) {
            notes_ += "draws; ";
            co_await leat::sleep(1s);
        }
    }
    void summarize(const fetch::run_totals& /*totals*/, std::string_view stopped) override {
        notes_ += "stopped by " + std::string(stopped);
        if (breaks_) {
            throw std::runtime_error("the disk is full");
        }
    }

private:
    std::string& notes_;
    bool breaks_;
};

}  // namespace

LEAT_TEST("several views are told the same, and one that breaks takes no last word from another",
          on(simulated)) {
    std::string notes[2];
    fetch::views all;
    all.add(std::make_unique<noting_view>(notes[0], true));
    all.add(std::make_unique<noting_view>(notes[1], false));
    fetch::run_totals totals{.begin = leat::now()};
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return all.draw(totals); });
        co_await leat::sleep(1500ms);
        group.cancel();
    });
    made_up::one some(all, totals, 1, "http://h/");
    all.planned(some.of);
    all.stopped(some.of);
    some.tries_again({}, 1s);
    some.is_answered(200, 7);
    some.receives(7);
    some.ends(fetch::transfer_state::fetched);
    CHECK_THROWS_WITH(all.summarize(totals, "SIGHUP"), "the disk is full");
    for (const std::string& each : notes) {
        CHECK(
            each ==
            "draws; draws; began http://h/; planned; stopped; again; answered; 7; ended; stopped by SIGHUP");
    }
}

LEAT_TEST("options choose the view", on(simulated)) {
    const auto shown = [](fetch::view_form form) {
        const made_up::pipe_pair lines;
        const auto view =
            fetch::views_of({.form = form, .output = lines.writes.get(), .errors = lines.writes.get()});
        const fetch::run_totals totals{.begin = leat::now()};
        view->summarize(totals, "");
        return lines.text().substr(0, 9);
    };
    CHECK(shown(fetch::view_form::automatic) == "0 of at l");
    CHECK(shown(fetch::view_form::plain) == "0 of at l");
    CHECK(shown(fetch::view_form::quiet).empty());
    CHECK(shown(fetch::view_form::json) == R"({"version)");
    co_return;
}
