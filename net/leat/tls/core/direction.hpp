// SPDX-License-Identifier: MIT
// direction: one half of the connection under a TLS stream, sending or receiving. In TLS a reader may have to
// send, and a sender may have to receive. So one task at a time uses a half, and others wait until it is
// free. Used by stream_state only.
#pragma once

#include <leat/core/wait_queue.hpp>

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
            half_.waiting_.wake_all();
        }

    private:
        direction& half_;
    };

    class [[nodiscard]] awaiter : public leat::detail::leaf_awaiter<awaiter> {
    public:
        explicit awaiter(direction& half) noexcept : leaf_awaiter(kind_of_wait), half_(half) {}
        bool take_now() const noexcept { return !half_.busy_; }
        void enqueue() noexcept { half_.waiting_.push_back(*this); }
        void await_resume() const noexcept {}

    private:
        static inline constinit const wait_kind kind_of_wait{"another task's turn at TLS",
                                                             leat::detail::wait_queue::leave};

        direction& half_;
    };

    [[nodiscard]] bool busy() const noexcept { return busy_; }
    // co_await: until the present turn has ended. Another task may take the next turn first.
    awaiter freed() noexcept { return awaiter(*this); }

private:
    leat::detail::wait_queue waiting_;
    bool busy_ = false;
};

}  // namespace leat::tls::detail
