// SPDX-License-Identifier: MIT
// The moments at which a wait can be cancelled, and one round of trying it: the task is cancelled at that
// moment, it must have ended in one of the two ways that are allowed, and what it waited for must come to the
// next who asks. Shared by the matrices of operations, synchronisation and streams; the rounds are in
// cancel_moments.cpp.
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
#include <memory>
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

[[nodiscard]] const char* name_of(moment when);

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

// Lets the loop ask the kernel a few times, which it does once a turn.
leat::task<> let_the_loop_look();

// What an attempt waits for.
class waited_for {
public:
    waited_for() noexcept = default;
    waited_for(const waited_for&) = delete;
    waited_for& operator=(const waited_for&) = delete;
    virtual ~waited_for() = default;

    // As in a trial.
    virtual void await_begin() {}
    virtual void enable() = 0;
};

// A trial as the rounds see it, which are compiled once for all of them.
class any_trial : public waited_for {
public:
    any_trial(bool ends_alone, bool has_to_go_on, moment certain_from) noexcept
        : ends_by_itself(ends_alone), goes_on(has_to_go_on), delivers_from(certain_from) {}
    virtual leat::task<> prepare() = 0;
    virtual leat::task<> attempt() = 0;
    virtual leat::task<> verify(const std::string& where) = 0;
    virtual leat::task<> finish() = 0;
    [[nodiscard]] virtual int deliveries() const noexcept = 0;

    const bool ends_by_itself;
    const bool goes_on;
    const moment delivers_from;
};

// How often each moment is tried.
inline constexpr int rounds = 4;

using trial_maker = std::unique_ptr<any_trial> (*)();

// Cancels `victim`, which attempts, at `when`. True: it has been enabled by this.
leat::task<bool> cancel_at(moment when, waited_for& tried, leat::handle<>& victim);
// At one moment, several times with what was there before.
leat::task<> cancelled_at(moment when, trial_maker make, const char* what);
leat::task<> cancelled_at_any_moment(trial_maker make, const char* what);

inline leat::task<> nothing() {
    co_return;
}

template <typename Trial>
class trial_of final : public any_trial {
public:
    trial_of() : any_trial(Trial::ends_by_itself, Trial::goes_on, Trial::delivers_from) {}

    static std::unique_ptr<any_trial> make() { return std::make_unique<trial_of>(); }

    leat::task<> prepare() override {
        if constexpr (requires { tried_.prepare(); }) {
            return tried_.prepare();
        } else {
            return nothing();
        }
    }
    leat::task<> attempt() override { return tried_.attempt(); }
    void await_begin() override {
        if constexpr (requires { tried_.await_begin(); }) {
            tried_.await_begin();
        }
    }
    void enable() override { tried_.enable(); }
    leat::task<> verify(const std::string& where) override { return tried_.verify(where); }
    leat::task<> finish() override {
        if constexpr (requires { tried_.finish(); }) {
            return tried_.finish();
        } else {
            return nothing();
        }
    }
    [[nodiscard]] int deliveries() const noexcept override { return tried_.deliveries(); }

private:
    Trial tried_;
};

template <typename Trial>
leat::task<> cancelled_at(moment when, const char* what) {
    return cancelled_at(when, trial_of<Trial>::make, what);
}

template <typename Trial>
leat::task<> cancelled_at_any_moment(const char* what) {
    return cancelled_at_any_moment(trial_of<Trial>::make, what);
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
