// SPDX-License-Identifier: MIT
// latch and barrier: points that tasks of one scheduler wait for together, once or again and again.
#pragma once

#include <leat/core/wait_queue.hpp>

#include <cstddef>

namespace leat {

// Opens when it has been counted down, and stays open.
class latch {
public:
    explicit latch(std::size_t count) noexcept : left_(count) {}

    // Counting below zero is misuse.
    void count_down(std::size_t count = 1) noexcept {
        check(count <= left_, "a latch is not counted below zero");
        left_ -= count;
        if (left_ == 0) {
            waiting_.wake_all();
        }
    }
    [[nodiscard]] bool is_open() const noexcept { return left_ == 0; }

    // co_await latch.wait(): goes on once the latch is open. Cancelled: nothing has happened.
    class [[nodiscard]] wait_awaiter : public detail::leaf_awaiter<wait_awaiter> {
    public:
        explicit wait_awaiter(latch& awaited) noexcept : leaf_awaiter(latch_kind), awaited_(&awaited) {}
        bool take_now() const noexcept { return awaited_->is_open(); }
        void enqueue() noexcept { awaited_->waiting_.push_back(*this); }
        void await_resume() const noexcept {}

    private:
        latch* awaited_;
    };
    wait_awaiter wait() noexcept { return wait_awaiter(*this); }

private:
    static inline constinit const wait_kind latch_kind{"a latch", detail::wait_queue::leave};
    detail::wait_queue waiting_;
    std::size_t left_;
};

// Lets tasks through in rounds: when `parties` of them have arrived all go on, and the next round begins.
class barrier {
public:
    explicit barrier(std::size_t parties) noexcept : parties_(parties) {
        check(parties > 0, "a barrier is for one task or more");
    }

    // co_await barrier.arrive_and_wait() gives true to one task of each round, the last to arrive.
    // Cancelled: it has not arrived, and the others wait for one more.
    class [[nodiscard]] arrive_awaiter : public detail::leaf_awaiter<arrive_awaiter> {
    public:
        explicit arrive_awaiter(barrier& reached) noexcept : leaf_awaiter(barrier_kind), reached_(&reached) {}
        bool take_now() noexcept {
            if (reached_->arrived_ + 1 < reached_->parties_) {
                return false;
            }
            reached_->arrived_ = 0;
            reached_->waiting_.wake_all();
            last_ = true;
            return true;
        }
        void enqueue() noexcept {
            ++reached_->arrived_;
            reached_->waiting_.push_back(*this);
        }
        bool await_resume() const noexcept { return last_; }

    private:
        static bool cancel(leat::wait& self) noexcept {
            self.unlink();
            --static_cast<arrive_awaiter&>(self).reached_->arrived_;
            return true;
        }
        static inline constinit const wait_kind barrier_kind{"a barrier", cancel};

        barrier* reached_;
        bool last_ = false;
    };
    arrive_awaiter arrive_and_wait() noexcept { return arrive_awaiter(*this); }

private:
    detail::wait_queue waiting_;
    std::size_t parties_;
    std::size_t arrived_ = 0;
};

}  // namespace leat
