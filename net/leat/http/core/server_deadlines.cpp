// SPDX-License-Identifier: MIT
#include <leat/http/core/server_deadlines.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/io.hpp>

#include <algorithm>

#include <linux/tcp.h>
#include <sys/socket.h>

namespace leat::http::detail {
namespace {

// Later than any other deadline, but armed: a timer that only moves to a later time is one store.
constexpr time_point far = never - duration(1);

// How many bytes have to move within `length`.
std::uint64_t enough(duration length, std::uint64_t rate) noexcept {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
    const auto wanted = static_cast<long double>(rate) * static_cast<long double>(milliseconds) / 1000;
    return wanted < 1       ? 1
           : wanted > 1e18L ? std::uint64_t{1'000'000'000'000'000'000}
                            : static_cast<std::uint64_t>(wanted);
}

}  // namespace

void progress_window::moved(std::uint64_t bytes, time_point now, duration length,
                            std::uint64_t rate) noexcept {
    bytes_ += bytes;
    if (bytes_ >= enough(length, rate)) {
        open(now);
    }
}

void progress_window::go_on(time_point now) noexcept {
    if (paused_ < now) {
        began_ = after(began_, now - paused_);
        opened_ = after(opened_, now - paused_);
    }
    paused_ = never;
}

time_point progress_window::end(duration length, duration total) const noexcept {
    return std::min(after(opened_, length), after(began_, total));
}

connection_scope::connection_scope(server_deadlines& deadlines, time_point first) noexcept
    : leat::detail::deadline_scope(std::min(first, far)), owner(deadlines) {
    expired = [](timer& alarm) noexcept { static_cast<connection_scope&>(alarm).owner.expire(); };
    owner.scope_ = this;
}

connection_scope::~connection_scope() {
    owner.scope_ = nullptr;
}

// The timer is armed while the scope is not cancelled, or has just expired: no memory is needed.
void server_deadlines::arm(time_point deadline) noexcept {
    if (scope_ != nullptr && !scope_->cancelled) {
        current_scheduler().alarms().arm(*scope_, std::min(deadline, far));
    }
}

// Whatever comes that is not the beginning of a request leaves the deadline where it is.
void server_deadlines::await_request() noexcept {
    if (phase_ != phase::idle) {
        phase_ = phase::idle;
        arm(after(now(), limits_.idle));
    }
}

void server_deadlines::await_head() noexcept {
    if (phase_ != phase::head) {
        phase_ = phase::head;
        arm(after(now(), limits_.head));
    }
}

void server_deadlines::await_body(std::uint64_t received) noexcept {
    const time_point here = now();
    phase_ = phase::body;
    if (!receives_) {
        receives_ = true;
        receiving_.begin(here);
    } else {
        receiving_.go_on(here);
        receiving_.moved(received - received_, here, limits_.body, limits_.lowest_rate);
    }
    received_ = received;
    if (sending_) {
        receiving_.pause(here);
    } else {
        arm(receiving_.end(limits_.body, limits_.body_total));
    }
}

void server_deadlines::await_handler() noexcept {
    receives_ = false;
    phase_ = phase::handling;
    if (!sending_) {
        arm(far);
    }
}

void server_deadlines::leave_body() noexcept {
    phase_ = phase::handling;
    receiving_.pause(now());
    if (!sending_) {
        arm(far);
    }
}

void server_deadlines::begin_send() noexcept {
    sending_ = true;
    acknowledged_.reset();
    if (phase_ == phase::body) {
        receiving_.pause(now());
    }
    leaving_.begin(now());
    arm(leaving_.end(limits_.send, limits_.send_total));
}

void server_deadlines::sent(std::uint64_t bytes) noexcept {
    leaving_.moved(bytes, now(), limits_.send, limits_.lowest_rate);
    arm(leaving_.end(limits_.send, limits_.send_total));
}

void server_deadlines::end_send() noexcept {
    sending_ = false;
    if (phase_ == phase::handling) {
        arm(far);
    } else if (phase_ == phase::body) {
        receiving_.go_on(now());
        arm(receiving_.end(limits_.body, limits_.body_total));
    }
}

void server_deadlines::expire() noexcept {
    if (!sending_ || !client_takes_more(now())) {
        expired_in_ = phase_;
        scope_->cancel(cancel_reason::deadline);
    }
}

// A kernel that takes no more for a while may have much that it sends on. Asked for the first time there is
// nothing to compare with: another window tells.
bool server_deadlines::client_takes_more(time_point now) noexcept {
    if (leaving_.over(now, limits_.send_total)) {
        return false;
    }
    const std::optional<std::uint64_t> before = acknowledged_;
    acknowledged_ = client_.acknowledged();
    if (!acknowledged_) {
        return false;
    }
    if (before && *acknowledged_ - *before < enough(limits_.send, limits_.lowest_rate)) {
        return false;
    }
    leaving_.open(now);
    arm(leaving_.end(limits_.send, limits_.send_total));
    return true;
}

std::optional<std::uint64_t> acknowledged_bytes(int socket) noexcept {
    if (leat::detail::in_simulation()) {
        return std::nullopt;
    }
    tcp_info info{};
    socklen_t size = sizeof info;
    constexpr socklen_t needed = offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < needed) {
        return std::nullopt;
    }
    return info.tcpi_bytes_acked;
}

}  // namespace leat::http::detail
