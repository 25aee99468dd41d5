// SPDX-License-Identifier: MIT
// direction: one half of the connection under a TLS stream, sending or receiving. TLS needs both halves for
// either: a reader may have to answer, a sender may have to listen. So whoever comes first uses a half, and
// the others wait until it is free. Used by stream_state only.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/core/wait.hpp>


namespace leat::tls::detail {

class direction {
public:
    // The use of it by one task, which has found it free.
    class [[nodiscard]] turn {
    public:
        explicit turn(direction& half) noexcept : half_(half) {
            check(!half.busy_, "two tasks use one half of a connection at once");
            half.busy_ = true;
        }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;
        ~turn() {
            half_.busy_ = false;
            while (!half_.waiting_.empty()) {
                current_scheduler().finish(half_.waiting_.pop_front());
            }
        }

    private:
        direction& half_;
    };

    class [[nodiscard]] awaiter : public leat::detail::awaiter_of<awaiter>, wait {
    public:
        explicit awaiter(direction& half) noexcept : wait(kind_of_wait), half_(half) {}
        bool await_ready() noexcept {
            if (this_thread.task->cancelled()) {
                end = wait_end::cancelled;
                return false;
            }
            return !half_.busy_;
        }
        void suspend(frame& waiter) noexcept {
            if (end == wait_end::pending) {
                half_.waiting_.push_back(*this);
            }
            scheduler::suspend(waiter, *this);
        }
        void await_resume() const noexcept {}

    private:
        static bool stop_waiting(wait& self) noexcept {
            self.unlink();
            return true;
        }
        static inline constinit const wait_kind kind_of_wait{"another task's turn at TLS", stop_waiting};

        direction& half_;
    };

    [[nodiscard]] bool busy() const noexcept { return busy_; }
    // co_await: until the turn that is being taken has ended. Somebody else may be quicker then.
    awaiter freed() noexcept { return awaiter(*this); }

private:
    list<wait> waiting_;
    bool busy_ = false;
};

}  // namespace leat::tls::detail
