// SPDX-License-Identifier: MIT
// A wait for a callback, cancelled at each moment, with APIs that can be stopped and those that cannot, which
// call on the own thread or on another one: the API has the last word, and a result that came is delivered.
#include <leat/from_callback.hpp>

#include "cancel_moments.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;
using leat::callback;

namespace {

enum class thread { own, other };

// An API that answers to a request when it is enabled, with one number after the other.
template <thread where_it_calls>
class api_trial : public trial {
public:
    void enable() {
        ++enabled_;
        answer();
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(!asked_.has_value(), where);
        CHECK_MESSAGE(enabled_ == 0, where);
        CHECK_MESSAGE(got_ == answered_, where);
        CHECK_MESSAGE(stops_ <= requests_, where);
        requests_ = 0;
        stops_ = 0;
        co_return;
    }

protected:
    auto request() {
        return [this](callback<int> done) {
            ++requests_;
            asked_.emplace(std::move(done));
            answer();
        };
    }
    void got(int number) {
        got_.push_back(number);
        delivered();
    }
    static auto begin(auto request) {
        if constexpr (where_it_calls == thread::own) {
            return leat::from_callback<int>(std::move(request));
        } else {
            return leat::from_callback_anywhere<int>(std::move(request));
        }
    }
    static auto begin(auto request, auto stop) {
        if constexpr (where_it_calls == thread::own) {
            return leat::from_callback<int>(std::move(request), std::move(stop));
        } else {
            return leat::from_callback_anywhere<int>(std::move(request), std::move(stop));
        }
    }
    // On the thread that this API calls on. What it has done there is done when this returns.
    static void call(std::invocable auto function) {
        if constexpr (where_it_calls == thread::own) {
            function();
        } else {
            std::thread(std::move(function)).join();
        }
    }

    std::optional<callback<int>> asked_;
    int stops_ = 0;  // how often it was asked to stop

private:
    void answer() {
        if (enabled_ > 0 && asked_.has_value()) {
            --enabled_;
            answered_.push_back(static_cast<int>(answered_.size()));
            call([done = std::move(*asked_), number = answered_.back()]() { done(number); });
            asked_.reset();
        }
    }

    int enabled_ = 0;
    int requests_ = 0;
    std::vector<int> answered_;
    std::vector<int> got_;
};

template <thread where_it_calls>
class unstoppable_trial : public api_trial<where_it_calls> {
public:
    static constexpr bool goes_on = true;
    leat::task<> attempt() {
        const int number = co_await this->begin(this->request());
        this->got(number);
    }
};

// It is asked to stop, and answers all the same.
template <thread where_it_calls>
class deaf_trial : public api_trial<where_it_calls> {
public:
    static constexpr bool goes_on = true;
    leat::task<> attempt() {
        const int number = co_await this->begin(this->request(), [this]() noexcept { ++this->stops_; });
        this->got(number);
    }
};

// It stops by forgetting the callback.
template <thread where_it_calls>
class dropping_trial : public api_trial<where_it_calls> {
public:
    leat::task<> attempt() {
        const int number = co_await this->begin(this->request(), [this]() noexcept {
            ++this->stops_;
            if (this->asked_.has_value()) {
                this->call([dropped = std::move(*this->asked_)]() {});
                this->asked_.reset();
            }
        });
        this->got(number);
    }
};

// It stops by calling with an error that says so.
template <thread where_it_calls>
class stopping_trial : public api_trial<where_it_calls> {
public:
    leat::task<> attempt() {
        const int number = co_await this->begin(this->request(), [this]() noexcept {
            ++this->stops_;
            if (this->asked_.has_value()) {
                this->call([done = std::move(*this->asked_)]() {
                    done.fail(std::make_error_code(std::errc::operation_canceled));
                });
                this->asked_.reset();
            }
        });
        this->got(number);
    }
};

}  // namespace

LEAT_TEST("a wait for a callback that is cancelled at any moment gives what comes all the same") {
    co_await cancelled_at_any_moment<unstoppable_trial<thread::own>>("a callback");
    co_await cancelled_at_any_moment<deaf_trial<thread::own>>("a callback of a deaf API");
}

LEAT_TEST("a callback whose API stops when its wait is cancelled at any moment does not come, or is given") {
    co_await cancelled_at_any_moment<dropping_trial<thread::own>>("a callback that is dropped");
    co_await cancelled_at_any_moment<stopping_trial<thread::own>>("a callback that is stopped");
}

LEAT_TEST(
    "a wait for another thread's callback that is cancelled at any moment gives what comes all the same",
    on(kernel)) {
    co_await cancelled_at_any_moment<unstoppable_trial<thread::other>>("a thread's callback");
    co_await cancelled_at_any_moment<deaf_trial<thread::other>>("a thread's callback of a deaf API");
}

LEAT_TEST("another thread's callback whose wait is cancelled at any moment is stopped, or is given",
          on(kernel)) {
    co_await cancelled_at_any_moment<dropping_trial<thread::other>>("a thread's callback that is dropped");
    co_await cancelled_at_any_moment<stopping_trial<thread::other>>("a thread's callback that is stopped");
}
