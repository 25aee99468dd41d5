// SPDX-License-Identifier: MIT
#include <leat/testing/idle.hpp>

#include <leat/sleep.hpp>

namespace leat::testing {

namespace {

class [[nodiscard]] idle_awaiter : public leat::detail::awaiter_of<idle_awaiter>, wait {
public:
    idle_awaiter() noexcept : wait(idle_kind) {}
    bool await_ready() noexcept {
        end = this_thread.task->cancelled() ? wait_end::cancelled : wait_end::pending;
        return leat::detail::never_ready();
    }
    void suspend(frame& waiter) noexcept {
        if (end == wait_end::pending) {
            current_scheduler().finish_when_idle(*this);
        }
        scheduler::suspend(waiter, *this);
    }
    void await_resume() const noexcept {}

private:
    static bool cancel(wait& self) noexcept {
        self.unlink();
        return true;
    }
    static inline constinit const wait_kind idle_kind{"the others to be idle", cancel};
};

}  // namespace

task<> wait_until_idle() {
    co_await idle_awaiter();
}

task<> advance(duration length) {
    check(current_scheduler().io().time_is_virtual(), "advance() is called in a simulation");
    co_await sleep(length);
    co_await wait_until_idle();
}

}  // namespace leat::testing
