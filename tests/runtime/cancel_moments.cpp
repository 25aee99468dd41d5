// SPDX-License-Identifier: MIT
#include "cancel_moments.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

namespace cancel_tests {

namespace {

// How a cancelled attempt may have ended.
void check_ending(moment when, const any_trial& tried, bool delivered, const std::string& where) {
    if (!tried.ends_by_itself) {
        const moment certain = tried.goes_on ? moment::in_the_turn_it_begins : tried.delivers_from;
        const moment possible = tried.goes_on ? moment::in_the_turn_it_begins : moment::when_it_could_end;
        CHECK_MESSAGE((delivered || when < certain), where);
        CHECK_MESSAGE((!delivered || when >= possible), where);
    }
}

leat::task<> try_once(moment when, any_trial& tried, std::string where) {
    const int before = tried.deliveries();
    bool enabled = when == moment::before_it_begins_with_all_there;
    if (enabled) {
        tried.enable();
        co_await let_the_loop_look();
    }
    auto victim = leat::spawn([&] { return tried.attempt(); });
    const bool enabled_by_then = co_await cancel_at(when, tried, victim);
    enabled = enabled || enabled_by_then;
    if (tried.goes_on && !enabled && when > moment::before_it_begins) {
        co_await let_the_loop_look();
        CHECK_MESSAGE(!victim.done(), where);
        tried.enable();
        enabled = true;
    }
    const auto& ended = co_await victim.join();
    const bool delivered = tried.deliveries() > before;
    CHECK_MESSAGE(ended.cancelled() != delivered, where);
    check_ending(when, tried, delivered, where);
    if (!enabled) {
        tried.enable();
    }
    if (!delivered) {
        co_await leat::timeout(std::chrono::seconds(20), tried.attempt());
    }
    CHECK_MESSAGE(tried.deliveries() == before + 1, where);
    co_await tried.verify(where);
}

}  // namespace

const char* name_of(moment when) {
    switch (when) {
        case moment::before_it_begins_with_all_there:
            return "before it begins with all there";
        case moment::before_it_begins:
            return "before it begins";
        case moment::in_the_turn_it_begins:
            return "in the turn it begins";
        case moment::during_the_wait:
            return "during the wait";
        case moment::when_it_could_end:
            return "when it could end";
        case moment::when_it_has_ended:
            return "when it has ended";
        case moment::after_the_task_ended:
            return "after the task ended";
    }
    return "";
}

// A yield is no turn, nor is a sleep that is over before it begins, as one of a nanosecond is on a real
// clock.
leat::task<> let_the_loop_look() {
    leat::scheduler& loop = leat::current_scheduler();
    for (const std::uint64_t last = loop.counters().turns + 3; loop.counters().turns < last;) {
        co_await leat::sleep(std::chrono::nanoseconds(1));
    }
}

leat::task<bool> cancel_at(moment when, waited_for& tried, leat::handle<>& victim) {
    if (when <= moment::before_it_begins) {
        victim.cancel();
        co_return false;
    }
    co_await leat::yield();
    tried.await_begin();
    if (when >= moment::during_the_wait) {
        co_await let_the_loop_look();
    }
    if (when >= moment::when_it_could_end) {
        tried.enable();
    }
    if (when == moment::when_it_has_ended) {
        while (victim.state().waiting != nullptr) {
            co_await leat::yield();  // it is behind this task in the queue once its wait has ended
        }
    }
    if (when == moment::after_the_task_ended) {
        co_await victim.join();
    }
    victim.cancel();
    co_return when >= moment::when_it_could_end;
}

leat::task<> cancelled_at(moment when, trial_maker make, const char* what) {
    const auto tried = make();
    co_await tried->prepare();
    for (int round = 1; round <= rounds; ++round) {
        co_await try_once(
            when, *tried,
            std::string(what) + ", cancelled " + name_of(when) + ", round " + std::to_string(round));
    }
    co_await tried->finish();
}

leat::task<> cancelled_at_any_moment(trial_maker make, const char* what) {
    for (const moment when : moments) {
        co_await cancelled_at(when, make, what);
    }
}

}  // namespace cancel_tests
