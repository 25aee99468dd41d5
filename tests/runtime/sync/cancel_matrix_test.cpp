// SPDX-License-Identifier: MIT
// Each wait for another task, cancelled at each moment: nothing was taken, or it is delivered, and the next
// who asks gets it. Also: a task that is cancelled takes nothing, even what it would not have to wait for.
#include "../cancel_moments.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using cancel_tests::trial;

namespace {

class event_trial : public trial {
public:
    leat::task<> attempt() {
        co_await event_.wait();
        delivered();
    }
    void enable() { event_.set(); }
    leat::task<> verify(const std::string&) {
        event_.reset();
        co_return;
    }

private:
    leat::event event_;
};

class mutex_trial : public trial {
public:
    mutex_trial() : held_(mutex_.try_lock()) {}
    leat::task<> attempt() {
        const auto guard = co_await mutex_.lock();
        delivered();
    }
    void enable() { held_.reset(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(!mutex_.is_locked(), where);
        held_ = mutex_.try_lock();
        CHECK_MESSAGE(held_.has_value(), where);
        co_return;
    }

private:
    leat::mutex mutex_;
    std::optional<leat::mutex_guard> held_;
};

// However it ends, it has the mutex again. A notification is kept by what it is about.
class condition_trial : public trial {
public:
    leat::task<> attempt() {
        auto guard = co_await mutex_.lock();
        while (!ready_) {
            co_await changed_.wait(guard);
        }
        CHECK(mutex_.is_locked());
        delivered();
    }
    void enable() {
        ready_ = true;
        changed_.notify_one();
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(!mutex_.is_locked(), where);
        ready_ = false;
        co_return;
    }

private:
    leat::mutex mutex_;
    leat::condition changed_;
    bool ready_ = false;
};

class semaphore_trial : public trial {
public:
    leat::task<> attempt() {
        const auto permits = co_await semaphore_.acquire(2);
        CHECK(permits.count() == 2);
        delivered();
    }
    void enable() { semaphore_.release(2); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(semaphore_.available() == 2, where);
        semaphore_.try_acquire(2)->forget();
        co_return;
    }

private:
    leat::semaphore semaphore_{0};
};

class latch_trial : public trial {
public:
    leat::task<> attempt() {
        co_await latch_->wait();
        delivered();
    }
    void enable() { latch_->count_down(); }
    leat::task<> verify(const std::string&) {
        latch_.emplace(1);
        co_return;
    }

private:
    std::optional<leat::latch> latch_{std::in_place, 1};
};

// Of two: the other one is the party that enables, and it passes only if one that was cancelled has not
// arrived and one that was not has.
class barrier_trial : public trial {
public:
    leat::task<> attempt() {
        (void)co_await barrier_.arrive_and_wait();
        delivered();
    }
    void enable() {
        other_ = leat::spawn([this]() -> leat::task<> { (void)co_await barrier_.arrive_and_wait(); });
    }
    leat::task<> verify(const std::string&) { co_await leat::timeout(20s, other_); }

private:
    leat::barrier barrier_{2};
    leat::handle<> other_;
};

class receive_trial : public trial {
public:
    leat::task<> attempt() {
        const auto value = co_await channel_.receive();
        received_.push_back(**value);
        delivered();
    }
    void enable() {
        CHECK(channel_.try_send(std::make_unique<int>(static_cast<int>(sent_.size()))));
        sent_.push_back(static_cast<int>(sent_.size()));
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        CHECK_MESSAGE(channel_.size() == 0, where);
        co_return;
    }

private:
    leat::channel<std::unique_ptr<int>> channel_{1};
    std::vector<int> sent_;
    std::vector<int> received_;
};

class send_trial : public trial {
public:
    send_trial() { CHECK(channel_.try_send(std::make_unique<int>(-1))); }
    leat::task<> attempt() {
        co_await channel_.send(std::make_unique<int>(7));
        delivered();
    }
    void enable() { CHECK(**channel_.try_receive() == -1); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(channel_.size() == 1, where);
        CHECK_MESSAGE(**channel_.try_receive() == 7, where);
        CHECK(channel_.try_send(std::make_unique<int>(-1)));
        co_return;
    }

private:
    leat::channel<std::unique_ptr<int>> channel_{1};
};

class rendezvous_trial : public trial {
public:
    leat::task<> attempt() {
        co_await channel_.send(7);
        delivered();
    }
    void enable() {
        other_ =
            leat::spawn([this]() -> leat::task<int> { co_return (co_await channel_.receive()).value(); });
    }
    leat::task<> verify(const std::string& where) {
        const int received = co_await leat::timeout(20s, other_);
        CHECK_MESSAGE(received == 7, where);
    }

private:
    leat::channel<int> channel_{0};
    leat::handle<int> other_;
};

class reserve_trial : public trial {
public:
    reserve_trial() { CHECK(channel_.try_send(1)); }
    leat::task<> attempt() {
        const auto room = co_await channel_.reserve();
        delivered();
    }
    void enable() { CHECK(channel_.try_receive() == 1); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(channel_.try_send(1), where);  // the room is free again
        co_return;
    }

private:
    leat::channel<int> channel_{1};
};

class join_trial : public trial {
public:
    leat::task<> attempt() {
        if (!other_.valid()) {
            other_ = leat::spawn([this] { return work(); });
        }
        const int value = co_await other_;
        CHECK(value == 7);
        delivered();
    }
    void enable() { event_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(other_.ok(), where);
        other_ = leat::handle<int>();
        event_.reset();
        co_return;
    }

private:
    leat::task<int> work() {
        co_await event_.wait();
        co_return 7;
    }
    leat::event event_;
    leat::handle<int> other_;
};

// A wait for time, which comes by itself.
class sleep_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const auto before = leat::now();
        co_await leat::sleep(2ns);
        CHECK(leat::now() - before >= 2ns);
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        co_await leat::yield();
        CHECK_MESSAGE(leat::current_scheduler().alarms().empty(), where);
    }
};

class yield_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        co_await leat::yield();
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string&) { co_return; }
};

}  // namespace

CANCEL_TESTS("a wait for an event", event_trial)
CANCEL_TESTS("a wait for a latch", latch_trial)
CANCEL_TESTS("a wait at a barrier", barrier_trial)
CANCEL_TESTS("a lock of a mutex", mutex_trial)
CANCEL_TESTS("an acquire of a semaphore", semaphore_trial)
CANCEL_TESTS("a wait for a condition", condition_trial)
CANCEL_TESTS("a receive from a channel", receive_trial)
CANCEL_TESTS("a send to a channel that is full", send_trial)
CANCEL_TESTS("a send to a channel without room", rendezvous_trial)
CANCEL_TESTS("a reserve of a channel", reserve_trial)
CANCEL_TESTS("a wait for the result of a task", join_trial)
CANCEL_TESTS("a sleep", sleep_trial)
CANCEL_TESTS("a yield", yield_trial)

namespace {

// Runs `body` as a task that is cancelled before it begins; whether it ended so.
template <typename Body>
leat::task<bool> ends_at_its_first_wait(Body body) {
    bool went_on = false;
    auto victim = leat::spawn([&]() -> leat::task<> {
        co_await body();
        went_on = true;
    });
    victim.cancel();
    const auto& ended = co_await victim.join();
    co_return ended.cancelled() && !went_on;
}

}  // namespace

VIRTUAL_TEST("a cancelled task takes nothing that is there already") {
    leat::event event;
    event.set();
    leat::latch latch(0);
    leat::barrier barrier(1);
    leat::mutex mutex;
    leat::semaphore permits(1);
    leat::channel<int> channel(2);
    CHECK(channel.try_send(1));
    auto ended = leat::spawn([]() -> leat::task<int> { co_return 7; });
    co_await leat::yield();
    kernel.inline_results[7] = 1;
    std::string failed;
    const auto expect = [&](const char* what, bool holds) { failed += holds ? "" : what; };

    expect("event ", co_await ends_at_its_first_wait([&]() -> leat::task<> { co_await event.wait(); }));
    expect("latch ", co_await ends_at_its_first_wait([&]() -> leat::task<> { co_await latch.wait(); }));
    expect("barrier ", co_await ends_at_its_first_wait(
                           [&]() -> leat::task<> { (void)co_await barrier.arrive_and_wait(); }));
    expect("mutex ", co_await ends_at_its_first_wait(
                         [&]() -> leat::task<> { const auto guard = co_await mutex.lock(); }));
    expect("semaphore ", co_await ends_at_its_first_wait(
                             [&]() -> leat::task<> { const auto held = co_await permits.acquire(); }));
    expect("receive ",
           co_await ends_at_its_first_wait([&]() -> leat::task<> { (void)co_await channel.receive(); }));
    expect("send ", co_await ends_at_its_first_wait([&]() -> leat::task<> { co_await channel.send(2); }));
    expect("reserve ", co_await ends_at_its_first_wait(
                           [&]() -> leat::task<> { const auto room = co_await channel.reserve(); }));
    expect("handle ", co_await ends_at_its_first_wait([&]() -> leat::task<> { (void)co_await ended; }));
    expect("join ", co_await ends_at_its_first_wait([&]() -> leat::task<> { (void)co_await ended.join(); }));
    expect("join_all ",
           co_await ends_at_its_first_wait([&]() -> leat::task<> { co_await leat::join_all(ended); }));
    expect("sleep ", co_await ends_at_its_first_wait([]() -> leat::task<> { co_await leat::sleep(0s); }));
    expect("yield ", co_await ends_at_its_first_wait([]() -> leat::task<> { co_await leat::yield(); }));
    expect("checkpoint ",
           co_await ends_at_its_first_wait([]() -> leat::task<> { co_await leat::checkpoint(); }));
    expect("operation ",
           co_await ends_at_its_first_wait([]() -> leat::task<> { (void)co_await leat::transfer(7); }));
    expect("group ", co_await ends_at_its_first_wait([]() -> leat::task<> {
               co_await leat::with_task_group([](leat::task_group& group) -> leat::task<> {
                   co_await group.wait();  // for no children
               });
           }));
    expect("room ", co_await ends_at_its_first_wait([]() -> leat::task<> {
               co_await leat::with_task_group({.limit = 1}, [](leat::task_group& group) -> leat::task<> {
                   co_await group.below_limit();
               });
           }));
    int begun = 0;
    expect("spawn_when_free ", co_await ends_at_its_first_wait([&]() -> leat::task<> {
               co_await leat::with_task_group({.limit = 1}, [&](leat::task_group& group) -> leat::task<> {
                   (void)co_await group.spawn_when_free([&]() -> leat::task<> {
                       ++begun;
                       co_return;
                   });
               });
           }));
    CHECK(begun == 0);
    CHECK(failed == "");
    CHECK(!mutex.is_locked());
    CHECK(permits.available() == 1);
    CHECK(channel.size() == 1);
    CHECK(ended.value() == 7);
    CHECK(kernel.submitted == 0);
}
