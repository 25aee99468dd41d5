// SPDX-License-Identifier: MIT
#include <leat/core/idle_watch.hpp>

#include <leat/core/scheduler.hpp>

#include <algorithm>
#include <optional>

namespace leat::detail {

namespace {

constexpr int looks_in_limit = 8;
constexpr int moments_in_limit = 64;  // at which all connections are looked at, so that the loop wakes rarely

time_point next_look(time_point now, duration limit) noexcept {
    const duration step = std::max(limit / moments_in_limit, duration(1));
    const time_point latest = after(now, limit / looks_in_limit);
    return std::max(latest - latest.time_since_epoch() % step, now + duration(1));
}

// Those of one run.
struct idle_watches final : service, conditional_timers {
    explicit idle_watches(scheduler& /*loop*/) { current_bystanders().add(*this); }
    ~idle_watches() override { conditional_timers::unlink(); }
    bool may_wake_task() noexcept override {
        idle_watch* each = all.first();
        while (each != nullptr && !each->may_wake_task()) {
            each = all.next(*each);
        }
        return each != nullptr;
    }

    list<idle_watch> all;
    std::uint16_t made = 0;  // begins anew now and then
};

}  // namespace

idle_watch::idle_watch(task_state& handler, socket_state& socket, duration limit)
    : bystander_timer([](bystander_timer& self) noexcept { static_cast<idle_watch&>(self).look(); }),
      handler_(handler),
      socket_(reference<socket_state>::share(socket)),
      limit_(limit),
      moved_at_(now()) {
    auto& watches = current_scheduler().use<idle_watches>();
    apart_ = static_cast<std::uint16_t>(watches.made++ % UINT16_MAX + 1);
    look_again(moved_at_);
    watches.all.push_back(*this);
    socket.watched = true;
}

void idle_watch::end() noexcept {
    if (!list_link::linked()) {
        return;
    }
    list_link::unlink();
    disarm();
    socket_->watched = false;
    socket_ = {};
}

void idle_watch::forget(socket_state& socket) noexcept {
    list<idle_watch>& all = current_scheduler().use<idle_watches>().all;
    for (idle_watch* each = all.first(); each != nullptr; each = all.next(*each)) {
        if (each->socket_.get() == &socket) {
            each->end();
            return;
        }
    }
}

bool idle_watch::may_wake_task() const noexcept {
    const int fd = socket_->descriptor;
    const auto [reader, writer] = fd >= 0 ? this_thread.loop->io().waiting_on(fd) : waiting_operations();
    return reader != nullptr || writer != nullptr;
}

// Since when the connection has waited for its client while nothing has moved; `now` if it does not.
time_point idle_watch::quiet_since(time_point now) noexcept {
    backend& io = this_thread.loop->io();
    const int fd = socket_->descriptor;
    const auto [reader, writer] = io.waiting_on(fd);
    const std::optional<std::uint64_t> received = io.sockets().received(fd);
    std::uint64_t moved = socket_->bytes_sent - io.sockets().unsent(fd) + received.value_or(0);
    time_point since = long_ago;
    const tick_clock::scale ages(this_thread.loop->ticks());
    for (const operation* const each : {reader, writer}) {
        if (each != nullptr) {
            moved += static_cast<std::uint64_t>(each->transferred);
            since = std::max(since, now - ages.since(each->task->since));
        }
    }
    const bool waits = since != long_ago;
    const bool has_waited = std::exchange(waits_, waits);
    const bool has_moved = std::exchange(moved_, moved) != moved && !has_cancelled_;
    if (!waits || has_moved) {
        moved_at_ = now;
    } else if (!has_waited || (!received.has_value() && !has_cancelled_)) {
        moved_at_ = std::max(since, moved_at_);
    }
    const bool over = after(moved_at_, limit_) <= now;
    if (over && !has_cancelled_ && reader != nullptr && !io.is_quiet(fd)) {
        moved_at_ = now;  // what a busy loop has left in the kernel counts, too
    }
    return moved_at_;
}

// Connections of the same moment are not all looked at in one turn: the loop bounds what it does in one, but
// for timers that expire together. And the look is behind that moment: who has given up a wait in it has
// begun the next one. Throws std::bad_alloc, unless the timer has just expired.
void idle_watch::look_again(time_point now) {
    const duration own(apart_);
    arm(after(std::min(next_look(now, limit_), after(moved_at_, limit_)), own));
}

void idle_watch::look() noexcept {
    if (socket_->descriptor < 0) {
        end();  // the handler has closed it, and does something else
        return;
    }
    socket_->check_used_at_home();
    const time_point now = leat::now();
    if (after(quiet_since(now), limit_) > now) {
        look_again(now);
    } else if (!has_cancelled_) {
        has_cancelled_ = true;
        moved_at_ = now;
        look_again(now);
        handler_.own().cancel(reason);
    } else {
        has_reset_ = true;
        socket_->reset();
        end();
    }
}

}  // namespace leat::detail
