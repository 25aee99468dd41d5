// SPDX-License-Identifier: MIT
// Each wait for a queue, in each of its orders, cancelled at each moment: a value is in the queue or with
// whoever got it, and what is not done is counted right.
#include "../cancel_moments.hpp"
#include "../virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;

namespace {

using value = std::unique_ptr<int>;  // one that is lost or doubled shows

struct by_number {
    bool operator()(const value& a, const value& b) const noexcept { return *a < *b; }
};

using fifo = leat::queue<value>;
using lifo = leat::lifo_queue<value>;
using sorted = leat::priority_queue<value, by_number>;

value make(int number) {
    return std::make_unique<int>(number);
}

// Two values come at once: who waits gets the first, and whoever asks later what the queue gives first.
template <typename Queue>
class get_trial : public trial {
public:
    leat::task<> attempt() {
        const auto got = co_await queue_.get();
        got_.push_back(**got);
        delivered();
    }
    void enable() {
        put(last_ + 2);
        put(last_ + 1);
        last_ += 2;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(queue_.size() == 1, where);
        while (const auto rest = queue_.try_get()) {
            got_.push_back(**rest);
        }
        CHECK_MESSAGE(queue_.unfinished() == got_.size(), where);
        std::ranges::sort(got_);
        CHECK_MESSAGE((got_ == std::vector{last_ - 1, last_}), where);
        for (; !got_.empty(); got_.pop_back()) {
            queue_.done();
        }
        co_return;
    }

private:
    void put(int number) { CHECK(queue_.try_put(make(number))); }

    Queue queue_;
    int last_ = 0;
    std::vector<int> got_;
};

// Of a full queue. What a put that was cancelled had is in nobody's count.
template <typename Queue>
class put_trial : public trial {
public:
    put_trial() { CHECK(queue_.try_put(make(-1))); }
    leat::task<> attempt() {
        co_await queue_.put(make(7));
        delivered();
    }
    void enable() { take(-1); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(queue_.size() == 1, where);
        CHECK_MESSAGE(queue_.unfinished() == 1, where);
        take(7);
        CHECK_MESSAGE(queue_.unfinished() == 0, where);
        CHECK(queue_.try_put(make(-1)));
        co_return;
    }

private:
    void take(int expected) {
        const auto taken = queue_.try_get();
        CHECK(**taken == expected);
        queue_.done();
    }

    Queue queue_{1};
};

template <typename Queue>
class reserve_trial : public trial {
public:
    reserve_trial() { CHECK(queue_.try_put(make(1))); }
    leat::task<> attempt() {
        auto room = co_await queue_.reserve();
        room.send(make(2));
        delivered();
    }
    void enable() { CHECK(**queue_.try_get() == 1); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(**queue_.try_get() == 2, where);
        CHECK_MESSAGE(queue_.try_put(make(1)), where);  // the room is free again
        CHECK_MESSAGE(queue_.full(), where);
        co_return;
    }

private:
    Queue queue_{1};
};

template <typename Queue>
class join_trial : public trial {
public:
    join_trial() { put(); }
    leat::task<> attempt() {
        co_await queue_.join();
        CHECK(queue_.unfinished() == 0);
        delivered();
    }
    void enable() { queue_.done(); }
    leat::task<> verify(const std::string&) {
        put();
        co_return;
    }

private:
    void put() {
        CHECK(queue_.try_put(make(1)));
        CHECK(queue_.try_get().has_value());
    }

    Queue queue_;
};

// A closed queue that has room reserved: nothing more comes once that is given up.
template <typename Queue>
class last_get_trial : public trial {
public:
    leat::task<> prepare() { co_await close_with_room_reserved(); }
    leat::task<> attempt() {
        const auto got = co_await queue_->get();
        CHECK(!got.has_value());
        delivered();
    }
    void enable() { room_.reset(); }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(queue_->empty(), where);
        co_await close_with_room_reserved();
    }
    leat::task<> finish() {
        room_.reset();
        co_return;
    }

private:
    leat::task<> close_with_room_reserved() {
        queue_.emplace(1);
        room_.emplace(co_await queue_->reserve());
        queue_->close();
    }

    std::optional<Queue> queue_;
    std::optional<typename Queue::reservation> room_;
};

}  // namespace

LEAT_TEST("a get from a queue of any order that is cancelled at any moment loses and doubles nothing") {
    co_await cancelled_at_any_moment<get_trial<fifo>>("get");
    co_await cancelled_at_any_moment<get_trial<lifo>>("get from a lifo_queue");
    co_await cancelled_at_any_moment<get_trial<sorted>>("get from a priority_queue");
}

LEAT_TEST("a put into a queue of any order that is cancelled at any moment has put nothing, or all") {
    co_await cancelled_at_any_moment<put_trial<fifo>>("put");
    co_await cancelled_at_any_moment<put_trial<lifo>>("put into a lifo_queue");
    co_await cancelled_at_any_moment<put_trial<sorted>>("put into a priority_queue");
}

LEAT_TEST(
    "room in a queue of any order is there for the next when a wait for it is cancelled at any moment") {
    co_await cancelled_at_any_moment<reserve_trial<fifo>>("reserve");
    co_await cancelled_at_any_moment<reserve_trial<lifo>>("reserve in a lifo_queue");
    co_await cancelled_at_any_moment<reserve_trial<sorted>>("reserve in a priority_queue");
}

LEAT_TEST("joining a queue of any order that is cancelled at any moment changes nothing") {
    co_await cancelled_at_any_moment<join_trial<fifo>>("join");
    co_await cancelled_at_any_moment<join_trial<lifo>>("join of a lifo_queue");
    co_await cancelled_at_any_moment<join_trial<sorted>>("join of a priority_queue");
}

LEAT_TEST("the end of a queue is told again to the next when a get is cancelled at any moment") {
    co_await cancelled_at_any_moment<last_get_trial<fifo>>("the last get");
    co_await cancelled_at_any_moment<last_get_trial<lifo>>("the last get from a lifo_queue");
    co_await cancelled_at_any_moment<last_get_trial<sorted>>("the last get from a priority_queue");
}
