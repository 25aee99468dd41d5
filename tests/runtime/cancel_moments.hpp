// SPDX-License-Identifier: MIT
// The moments at which a wait can be cancelled, and one round of trying it: the task is cancelled at that
// moment, it must have ended in one of the two ways that are allowed, and what it waited for must come to the
// next who asks. Shared by the matrices of operations, synchronisation and streams.
//
// A trial is a class with
//   static constexpr bool ends_by_itself     nobody need enable it: then it may have ended at any moment
//   static constexpr bool goes_on            once it has begun it ends by enable() only, and delivers
//   static constexpr moment delivers_from    cancelled from then on it delivers
//   task<> prepare()                         before all else, if there is one
//   task<> attempt()                         one wait; calls delivered() with its result right after it
//   void await_begin()                       blocks until another thread has begun it, if there is one
//   void enable()                            lets one attempt end: that under way, or the next. When another
//                                            thread ends it, that has done so when this returns
//   task<> verify(const std::string& where)  everything that was enabled has been delivered, once, in order
//   task<> finish()                          after all else, if there is one
#pragma once

#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace cancel_tests {

enum class moment {
    before_it_begins_with_all_there,  // it would not have to wait
    before_it_begins,
    in_the_turn_it_begins,  // the kernel has not heard of it
    during_the_wait,
    when_it_could_end,  // what it waits for has come, and nobody has looked
    when_it_has_ended,  // the result is there, the task has not been resumed
    after_the_task_ended,
};

inline constexpr std::array moments{moment::before_it_begins_with_all_there,
                                    moment::before_it_begins,
                                    moment::in_the_turn_it_begins,
                                    moment::during_the_wait,
                                    moment::when_it_could_end,
                                    moment::when_it_has_ended,
                                    moment::after_the_task_ended};

inline const char* name_of(moment when) {
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

// What all trials have: how many attempts have got what they waited for.
class trial {
public:
    static constexpr bool ends_by_itself = false;
    static constexpr bool goes_on = false;
    static constexpr moment delivers_from = moment::when_it_has_ended;
    [[nodiscard]] int deliveries() const noexcept { return deliveries_; }

protected:
    void delivered() noexcept { ++deliveries_; }

private:
    int deliveries_ = 0;
};

// Lets the loop ask the kernel a few times, which it does once a turn. A yield is no turn, nor is a sleep
// that is over before it begins, as one of a nanosecond is on a real clock.
inline leat::task<> let_the_loop_look() {
    leat::scheduler& loop = leat::current_scheduler();
    for (const std::uint64_t last = loop.counters().turns + 3; loop.counters().turns < last;) {
        co_await leat::sleep(std::chrono::nanoseconds(1));
    }
}

// Cancels `victim`, which attempts, at `when`. True: it has been enabled by this.
template <typename Trial>
leat::task<bool> cancel_at(moment when, Trial& tried, leat::handle<void>& victim) {
    if (when <= moment::before_it_begins) {
        victim.cancel();
        co_return false;
    }
    co_await leat::yield();
    if constexpr (requires { tried.await_begin(); }) {
        tried.await_begin();
    }
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

// How a cancelled attempt may have ended.
template <typename Trial>
void check_ending(moment when, bool delivered, const std::string& where) {
    if constexpr (!Trial::ends_by_itself) {
        const moment certain = Trial::goes_on ? moment::in_the_turn_it_begins : Trial::delivers_from;
        const moment possible = Trial::goes_on ? moment::in_the_turn_it_begins : moment::when_it_could_end;
        CHECK_MESSAGE((delivered || when < certain), where);
        CHECK_MESSAGE((!delivered || when >= possible), where);
    }
}

template <typename Trial>
leat::task<> try_once(moment when, Trial& tried, std::string where) {
    const int before = tried.deliveries();
    bool enabled = when == moment::before_it_begins_with_all_there;
    if (enabled) {
        tried.enable();
        co_await let_the_loop_look();
    }
    auto victim = leat::spawn([&] { return tried.attempt(); });
    const bool enabled_by_then = co_await cancel_at(when, tried, victim);
    enabled = enabled || enabled_by_then;
    if (Trial::goes_on && !enabled && when > moment::before_it_begins) {
        co_await let_the_loop_look();
        CHECK_MESSAGE(!victim.done(), where);
        tried.enable();
        enabled = true;
    }
    const auto& ended = co_await victim.join();
    const bool delivered = tried.deliveries() > before;
    CHECK_MESSAGE(ended.cancelled() != delivered, where);
    check_ending<Trial>(when, delivered, where);
    if (!enabled) {
        tried.enable();
    }
    if (!delivered) {
        co_await leat::timeout(std::chrono::seconds(20), tried.attempt());
    }
    CHECK_MESSAGE(tried.deliveries() == before + 1, where);
    co_await tried.verify(where);
}

// How often each moment is tried.
inline constexpr int rounds = 4;

// At one moment, several times with what was there before.
template <typename Trial>
leat::task<> cancelled_at(moment when, const char* what) {
    Trial tried;
    if constexpr (requires { tried.prepare(); }) {
        co_await tried.prepare();
    }
    for (int round = 1; round <= rounds; ++round) {
        co_await try_once(
            when, tried,
            std::string(what) + ", cancelled " + name_of(when) + ", round " + std::to_string(round));
    }
    if constexpr (requires { tried.finish(); }) {
        co_await tried.finish();
    }
}

template <typename Trial>
leat::task<> cancelled_at_any_moment(const char* what) {
    for (const moment when : moments) {
        co_await cancelled_at<Trial>(when, what);
    }
}

}  // namespace cancel_tests

// One LEAT_TEST for each moment: CANCEL_TESTS("a recv", recv_trial).
#define CANCEL_TEST(what, name, Trial, when)                                        \
    LEAT_TEST(what " that is cancelled " name) {                                    \
        return cancel_tests::cancelled_at<Trial>(cancel_tests::moment::when, what); \
    }
#define CANCEL_TESTS(what, Trial)                                                                \
    CANCEL_TEST(what, "before it begins with all there", Trial, before_it_begins_with_all_there) \
    CANCEL_TEST(what, "before it begins", Trial, before_it_begins)                               \
    CANCEL_TEST(what, "in the turn it begins", Trial, in_the_turn_it_begins)                     \
    CANCEL_TEST(what, "during the wait", Trial, during_the_wait)                                 \
    CANCEL_TEST(what, "when it could end", Trial, when_it_could_end)                             \
    CANCEL_TEST(what, "when it has ended", Trial, when_it_has_ended)                             \
    CANCEL_TEST(what, "after the task ended", Trial, after_the_task_ended)
