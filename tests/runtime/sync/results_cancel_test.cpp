// SPDX-License-Identifier: MIT
// Each wait for what one task tells others - a broadcast, the latest value, a result, the end of a task -
// cancelled at each moment: it was not taken, and the next who asks gets it, or it is delivered.
#include "../cancel_moments.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;

namespace {

// With a second subscriber, who gets all of it however the first is cancelled.
class broadcast_trial : public trial {
public:
    leat::task<> attempt() {
        const auto got = co_await subscribed_.receive();
        received_.push_back(*got);
        delivered();
    }
    void enable() {
        published_.push_back(static_cast<int>(published_.size()));
        CHECK(feed_.publish(published_.back()) == 2);
    }
    leat::task<> verify(const std::string& where) {
        seen_by_other_.push_back(other_.try_receive().value());
        CHECK_MESSAGE(received_ == published_, where);
        CHECK_MESSAGE(seen_by_other_ == published_, where);
        CHECK_MESSAGE(subscribed_.behind() == 0, where);
        CHECK_MESSAGE(subscribed_.missed() == 0, where);
        co_return;
    }

private:
    leat::broadcast<int> feed_{1};
    leat::broadcast<int>::subscription<> subscribed_ = feed_.subscribe(leat::ignore_missed);
    leat::broadcast<int>::subscription<> other_ = feed_.subscribe(leat::ignore_missed);
    std::vector<int> published_;
    std::vector<int> received_;
    std::vector<int> seen_by_other_;
};

// More is published than there is room for: what is missed is told once, and the rest comes.
class late_subscriber_trial : public trial {
public:
    leat::task<> attempt() {
        const auto got = co_await subscribed_.receive();
        CHECK(*got == published_);
        delivered();
    }
    void enable() {
        for (int i = 0; i < 3; ++i) {
            CHECK(feed_.publish(++published_) == 1);
        }
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(missed_ == 2 * static_cast<std::size_t>(deliveries()), where);
        CHECK_MESSAGE(subscribed_.behind() == 0, where);
        co_return;
    }

private:
    struct adds {
        std::size_t& sum;
        void operator()(std::size_t count) const noexcept { sum += count; }
    };
    leat::broadcast<int> feed_{1};
    std::size_t missed_ = 0;
    leat::broadcast<int>::subscription<adds> subscribed_ = feed_.subscribe(adds{missed_});
    int published_ = 0;
};

class latest_trial : public trial {
public:
    leat::task<> prepare() { (void)co_await watched_.next(); }
    leat::task<> attempt() {
        const int* const now = co_await watched_.next();
        REQUIRE(now != nullptr);
        CHECK(*now == version_);
        delivered();
    }
    void enable() { settings_.set(++version_); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(!watched_.changed(), where);
        CHECK_MESSAGE(settings_.get() == version_, where);
        co_return;
    }

private:
    int version_ = 0;
    leat::latest<int> settings_{0};
    leat::latest<int>::observer watched_ = settings_.observe();
};

class one_shot_trial : public trial {
public:
    leat::task<> attempt() {
        const std::unique_ptr<int> value = co_await *result_;
        REQUIRE(value != nullptr);
        CHECK(*value == 7);
        delivered();
    }
    void enable() { result_->set(std::make_unique<int>(7)); }
    leat::task<> verify(const std::string&) {
        result_.emplace();
        co_return;
    }

private:
    std::optional<leat::one_shot<std::unique_ptr<int>>> result_{std::in_place};
};

class one_shot_error_trial : public trial {
public:
    leat::task<> attempt() {
        std::string said;
        try {
            co_await *result_;
        } catch (const std::runtime_error& error) {
            said = error.what();
        }
        CHECK(said == "no answer");
        delivered();
    }
    void enable() { result_->set_error(std::make_exception_ptr(std::runtime_error("no answer"))); }
    leat::task<> verify(const std::string&) {
        result_.emplace();
        co_return;
    }

private:
    std::optional<leat::one_shot<>> result_{std::in_place};
};

// Only looks: the value stays for who takes it.
class one_shot_wait_trial : public trial {
public:
    leat::task<> attempt() {
        const auto& outcome = co_await result_->wait();
        CHECK(outcome.value() == "kept");
        delivered();
    }
    void enable() { result_->set("kept"); }
    leat::task<> verify(const std::string& where) {
        const std::string taken = co_await *result_;
        CHECK_MESSAGE(taken == "kept", where);
        result_.emplace();
    }

private:
    std::optional<leat::one_shot<std::string>> result_{std::in_place};
};

// A range with one task for each round.
class as_completed_trial : public trial {
public:
    as_completed_trial() {
        for (int i = 0; i < cancel_tests::rounds; ++i) {
            gates_.push_back(std::make_unique<leat::event>());
            tasks_.push_back(leat::spawn([&gate = *gates_.back(), i]() -> leat::task<int> {
                co_await gate.wait();
                co_return i;
            }));
        }
        done_.emplace(tasks_);
    }
    leat::task<> attempt() {
        const auto* const ended = co_await done_->next();
        REQUIRE(ended != nullptr);
        CHECK(ended->value() == deliveries());
        delivered();
    }
    void enable() { gates_[enabled_++]->set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(done_->left() == tasks_.size() - enabled_, where);
        CHECK_MESSAGE(done_->try_next() == nullptr, where);
        if (done_->left() == 0) {
            const auto* const none = co_await done_->next();
            CHECK_MESSAGE(none == nullptr, where);
        }
    }

private:
    std::vector<std::unique_ptr<leat::event>> gates_;
    std::vector<leat::handle<int>> tasks_;
    std::optional<leat::completions<int>> done_;
    std::size_t enabled_ = 0;
};

}  // namespace

LEAT_TEST("a subscriber whose receive is cancelled at any moment gets every value once, and so do others") {
    co_await cancelled_at_any_moment<broadcast_trial>("broadcast");
    co_await cancelled_at_any_moment<late_subscriber_trial>("broadcast to one who is late");
}

LEAT_TEST("an observer whose wait is cancelled at any moment has not seen the newest value, or gets it") {
    co_await cancelled_at_any_moment<latest_trial>("latest");
}

LEAT_TEST("the result in a one_shot stays for the next when a wait for it is cancelled at any moment") {
    co_await cancelled_at_any_moment<one_shot_trial>("one_shot");
    co_await cancelled_at_any_moment<one_shot_error_trial>("one_shot with an error");
    co_await cancelled_at_any_moment<one_shot_wait_trial>("a look at a one_shot");
}

LEAT_TEST("each ended task is given once when a wait for the next is cancelled at any moment") {
    co_await cancelled_at_any_moment<as_completed_trial>("as_completed");
}
