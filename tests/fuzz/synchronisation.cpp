// SPDX-License-Identifier: MIT
// Bytes as a program of tasks that share a semaphore, a mutex and a channel, and that are cancelled at any
// time: permits and locks come back, nobody is inside who may not be, and each value that was sent is
// received once and in order.
#include <leat/check.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

using fuzz::cancel_and_join;
using fuzz::choices;
using fuzz::some_task;
using leat::check;

namespace {

constexpr std::size_t all_permits = 3;

// Counts who is inside, also while they unwind.
class visit {
public:
    visit(std::size_t& inside, std::size_t count, std::size_t limit) : inside_(inside), count_(count) {
        inside_ += count_;
        check(inside_ <= limit, "no more are inside than may be");
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() { inside_ -= count_; }

private:
    std::size_t& inside_;
    std::size_t count_;
};

class world {
public:
    explicit world(choices& decide) : decide_(decide), values_(decide.below(4)) {}

    leat::task<> step() {
        const unsigned action = decide_.below(8);
        if (action == 0) {
            co_await leat::yield();
        } else if (action == 1) {
            co_await leat::sleep(pause());
        } else if (action == 2 && !tasks_.empty()) {
            co_await cancel_and_join(tasks_[decide_.below(tasks_.size())]);
        } else if (action == 3 && !tasks_.empty()) {
            if (some_task& one = tasks_[decide_.below(tasks_.size())]; one.has_value()) {
                one->cancel();  // and is not waited for
            }
        } else if (some_task* const place = free_place()) {
            place->emplace(leat::spawn([this, action, limit = pause(), length = pause(),
                                        count = 1 + decide_.below(all_permits)]() -> leat::task<> {
                (void)co_await leat::move_on_after(limit, act(action, length, count));
            }));
        }
    }

    leat::task<> settle() {
        for (some_task& each : tasks_) {
            co_await cancel_and_join(each);
        }
        check(permits_.available() == all_permits, "all permits have come back");
        check(!mutex_.is_locked(), "the lock is open");
        crowded_ = false;
        while (const auto value = values_.try_receive()) {
            note_received(*value);
        }
        for (const fate each : fates_) {
            check(each == fate::received || each == fate::cancelled, "what was sent is received");
        }
    }

private:
    enum class fate : std::uint8_t { offered, sent, received, cancelled };

    // What becomes of a value whose sender may be cancelled.
    class offer {
    public:
        explicit offer(std::vector<fate>& all) : all_(all), value_(all.size()) {
            all.push_back(fate::offered);
        }
        offer(const offer&) = delete;
        offer& operator=(const offer&) = delete;
        ~offer() {
            if (!sent_) {
                check(all_[value_] == fate::offered, "a cancelled send has sent nothing");
                all_[value_] = fate::cancelled;
            }
        }
        [[nodiscard]] std::size_t value() const noexcept { return value_; }
        void was_sent() noexcept {
            sent_ = true;
            if (all_[value_] == fate::offered) {
                all_[value_] = fate::sent;
            }
        }

    private:
        std::vector<fate>& all_;
        std::size_t value_;
        bool sent_ = false;
    };

    leat::task<> act(unsigned action, leat::duration length, std::size_t count) {
        if (action == 4) {
            const auto permit = co_await permits_.acquire(count);
            const visit here(inside_, count, all_permits);
            co_await leat::sleep(length);
        } else if (action == 5) {
            const auto guard = co_await mutex_.lock();
            const visit here(locked_, 1, 1);
            co_await leat::sleep(length);
        } else if (action == 6) {
            offer made(fates_);
            co_await values_.send(made.value());
            made.was_sent();
        } else {
            const visit here(receiving_, 1, SIZE_MAX);
            crowded_ = receiving_ > 1;
            const auto value = co_await values_.receive();
            check(value.has_value(), "an open channel does not end");
            note_received(*value);
        }
    }

    void note_received(std::size_t value) {
        check(fates_[value] != fate::received, "a value is received once");
        check(crowded_ || value >= least_, "values are received in the order of sending");
        check(fates_[value] != fate::cancelled, "a cancelled value is not received");
        fates_[value] = fate::received;
        least_ = std::max(least_, value + 1);
    }

    leat::duration pause() { return std::chrono::microseconds(decide_.byte() % 16 * 10); }

    some_task* free_place() {
        for (some_task& each : tasks_) {
            if (!each.has_value() || each->done()) {
                return &each;
            }
        }
        return tasks_.size() < 12 ? &tasks_.emplace_back() : nullptr;
    }

    choices& decide_;
    leat::semaphore permits_{all_permits};
    leat::mutex mutex_;
    leat::channel<std::size_t> values_;
    std::size_t inside_ = 0;
    std::size_t locked_ = 0;
    std::size_t receiving_ = 0;
    bool crowded_ = false;   // several receive: one may take the next value before another looks at its own
    std::size_t least_ = 0;  // no value before this one is received any more
    std::vector<fate> fates_;
    std::vector<some_task> tasks_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    leat::testing::run_simulated(
        [&]() -> leat::task<> {
            choices decide(data, size);
            world all(decide);
            while (decide.left()) {
                co_await all.step();
            }
            co_await all.settle();
        },
        {}, {.report = fuzz::nothing_is_reported});
    return 0;
}
