// SPDX-License-Identifier: MIT
// Each wait at a task group, cancelled at each moment: nothing was started, or it belongs to the group; what
// was to end has ended; and the group is usable afterwards.
#include "cancel_moments.hpp"
#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;

namespace {

struct alive {
    explicit alive(int& counter) noexcept : count(counter) { ++count; }
    alive(const alive&) = delete;
    alive& operator=(const alive&) = delete;
    ~alive() { --count; }
    int& count;
};

// A group of one child at a time, open for as long as it is tried.
class group_trial : public trial {
public:
    leat::task<> prepare() {
        host_ = leat::spawn([this] {
            return leat::with_task_group({.limit = 1}, [this](leat::task_group& group) -> leat::task<> {
                group_ = &group;
                co_await leat::stuck();
            });
        });
        co_await leat::yield();
    }
    leat::task<> finish() {
        group_->cancel();
        co_await host_;
    }

protected:
    // One child at a time of the group. It counts those that live.
    leat::task<> child() {
        const alive self(living_);
        co_await gate_.wait();
    }
    void occupy() {
        gate_.reset();
        group_->spawn([this] { return child(); });
    }

    leat::task_group* group_ = nullptr;
    leat::event gate_;
    int living_ = 0;

private:
    leat::handle<> host_;
};

class below_limit_trial : public group_trial {
public:
    leat::task<> prepare() {
        co_await group_trial::prepare();
        occupy();
    }
    leat::task<> attempt() {
        co_await group_->below_limit();
        CHECK(!group_->full());
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(group_->size() == 0, where);
        occupy();
        co_return;
    }
};

class spawn_when_free_trial : public group_trial {
public:
    leat::task<> prepare() {
        co_await group_trial::prepare();
        occupy();
    }
    leat::task<> attempt() {
        started_ = co_await group_->spawn_when_free([this]() -> leat::task<int> {
            ++begun_;
            co_await last_.wait();
            co_return 7;
        });
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(group_->size() == 1, where);
        last_.set();
        const int value = co_await started_;
        CHECK_MESSAGE(value == 7, where);
        CHECK_MESSAGE(begun_ == deliveries(), where);
        CHECK_MESSAGE(group_->size() == 0, where);
        last_.reset();
        occupy();
    }

private:
    leat::handle<int> started_;
    leat::event last_;
    int begun_ = 0;
};

// A wait for the children cancels them; it has ended when they have.
class wait_trial : public group_trial {
public:
    leat::task<> attempt() {
        CHECK(living_ == 0);
        CHECK(group_->size() == 0);
        group_->spawn([this] { return child(); });
        co_await group_->wait();
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(living_ == 0, where);
        CHECK_MESSAGE(group_->size() == 0, where);
        gate_.reset();
        co_return;
    }
};

// A child that says when it is ready, and lives on.
class start_trial : public group_trial {
public:
    leat::task<> attempt() {
        CHECK(living_ == 0);
        const int value =
            co_await group_->start([this](leat::started<int> ready) { return serve(std::move(ready)); });
        CHECK(value == 7);
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(living_ == 1, where);
        CHECK_MESSAGE(group_->size() == 1, where);
        last_.set();
        co_await group_->wait();
        CHECK_MESSAGE(living_ == 0, where);
        CHECK_MESSAGE(served_ == deliveries(), where);
        gate_.reset();
        last_.reset();
    }

private:
    leat::task<> serve(leat::started<int> ready) {
        const alive self(living_);
        co_await gate_.wait();
        ready.set(7);
        co_await last_.wait();
        ++served_;
    }

    leat::event last_;
    int served_ = 0;
};

// One of two can have a value. Both have ended by the time that the race has, however it ends.
class race_trial : public trial {
public:
    leat::task<> attempt() {
        CHECK(living_ == 0);
        const auto [value, never] =
            co_await leat::race([this] { return run(true); }, [this] { return run(false); });
        CHECK(value == 7);
        CHECK(!never.has_value());
        delivered();
    }
    void enable() { gate_.set(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(living_ == 0, where);
        gate_.reset();
        co_return;
    }

private:
    leat::task<int> run(bool wins) {
        const alive self(living_);
        if (!wins) {
            co_await leat::stuck();
        }
        co_await gate_.wait();
        co_return 7;
    }

    leat::event gate_;
    int living_ = 0;
};

}  // namespace

LEAT_TEST("a wait for room in a group that is cancelled at any moment starts nothing, or one child") {
    co_await cancelled_at_any_moment<below_limit_trial>("below_limit");
    co_await cancelled_at_any_moment<spawn_when_free_trial>("spawn_when_free");
}

LEAT_TEST("a wait for the children of a group that is cancelled at any moment ends when they have ended") {
    co_await cancelled_at_any_moment<wait_trial>("wait");
}

LEAT_TEST("a start that is cancelled at any moment leaves a child in the group that is ready, or none") {
    co_await cancelled_at_any_moment<start_trial>("start");
}

LEAT_TEST("a race that is cancelled at any moment ends when both have ended, with the value if one has it") {
    co_await cancelled_at_any_moment<race_trial>("race");
}
