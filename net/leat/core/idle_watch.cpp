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
struct idle_watches final : service {
    explicit idle_watches(scheduler& /*loop*/) noexcept {}
    list<idle_watch> all;
};

}  // namespace

idle_watch::idle_watch(task_state& handler, socket_state& socket, duration limit)
    : timer([](timer& self) noexcept { static_cast<idle_watch&>(self).look(); }),
      handler_(handler),
      socket_(reference<socket_state>::share(socket)),
      limit_(limit),
      moved_at_(now()) {
    scheduler& loop = current_scheduler();
    list<idle_watch>& others = loop.use<idle_watches>().all;
    loop.alarms().arm(*this, next_look(moved_at_, limit_));
    others.push_back(*this);
    socket.watched = true;
}

void idle_watch::end() noexcept {
    if (!list_link::linked()) {
        return;
    }
    list_link::unlink();
    if (armed()) {
        current_scheduler().alarms().disarm(*this);
    }
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
    if (!waits || std::exchange(moved_, moved) != moved) {
        moved_at_ = now;
    } else if (!has_waited || !received.has_value()) {
        moved_at_ = std::max(since, moved_at_);
    }
    // What a busy loop has left in the kernel counts, too.
    return after(moved_at_, limit_) <= now && reader != nullptr && !io.is_quiet(fd) ? now : moved_at_;
}

// The timer has just expired: no memory is needed to arm it.
void idle_watch::look() noexcept {
    if (socket_->descriptor < 0) {
        end();  // the handler has closed it, and does something else
        return;
    }
    scheduler& loop = *this_thread.loop;
    socket_->check_used_at_home();
    const time_point now = loop.io().now();
    const time_point quiet = quiet_since(now);
    if (after(quiet, limit_) > now) {
        loop.alarms().arm(*this, std::min(next_look(now, limit_), after(quiet, limit_)));
    } else if (!has_cancelled_) {
        has_cancelled_ = true;
        loop.alarms().arm(*this, after(now, limit_));
        handler_.own.cancel(reason);
    } else {
        socket_->reset();
        end();
    }
}

}  // namespace leat::detail
