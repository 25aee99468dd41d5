// SPDX-License-Identifier: MIT
#include <leat/testing/idle.hpp>

#include <leat/core/wait_queue.hpp>
#include <leat/sleep.hpp>

namespace leat::testing {

namespace {

class [[nodiscard]] idle_awaiter : public leat::detail::leaf_awaiter<idle_awaiter> {
public:
    idle_awaiter() noexcept : leaf_awaiter(idle_kind) {}
    static bool take_now() noexcept { return leat::detail::never_ready(); }
    void enqueue() noexcept { current_scheduler().finish_when_idle(*this); }
    void await_resume() const noexcept {}

private:
    static inline constinit const wait_kind idle_kind{"the others to be idle",
                                                      leat::detail::wait_queue::leave};
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
