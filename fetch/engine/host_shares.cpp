// SPDX-License-Identifier: MIT
#include <fetch/engine/host_shares.hpp>

#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <algorithm>

namespace fetch {

using detail::held_share, detail::share_waiter, detail::shared_host;

// One that waits for a share; it leaves the queue, or gives back what it was granted, when it is cancelled.
struct detail::share_waiter {
    share_waiter(host_shares& shares, host_shares::host_position at, std::uint64_t of)
        : of_shares(shares), host(at), number(of) {
        host->second.waiting.emplace(number, this);
        ++of_shares.waiting_;
        of_shares.change(host);
    }
    share_waiter(const share_waiter&) = delete;
    share_waiter& operator=(const share_waiter&) = delete;
    ~share_waiter() {
        if (granted.has_value()) {
            granted.reset();
        } else {
            leave();
            of_shares.change(host);
        }
    }
    void leave() noexcept {
        host->second.waiting.erase({number, this});
        --of_shares.waiting_;
    }

    host_shares& of_shares;
    host_shares::host_position host;
    std::uint64_t number;
    leat::event told;
    std::optional<host_share> granted;
};

leat::task<host_share> host_shares::acquire(std::string host, std::uint64_t number) {
    const auto at = hosts_.try_emplace(std::move(host), limits_.per_host).first;
    share_waiter waiter(*this, at, number);
    co_await waiter.told.wait();
    host_share mine = *std::move(waiter.granted);
    co_return mine;
}

bool host_shares::may_begin() const noexcept {
    return moving_ < limits_.transfers && held_.size() < limits_.open;
}

bool host_shares::has_room() const noexcept {
    return may_begin() && waiting_ < limits_.ahead;
}

leat::task<> host_shares::wait_for_room() {
    while (!has_room()) {
        room_.reset();
        room_wanted_ = true;
        co_await room_.wait();
        room_wanted_ = false;
    }
}

// Puts the host among those with room, or takes it away from there.
void host_shares::place(shared_host& host) {
    if (host.ready_as) {
        ready_.erase({*host.ready_as, &host});
        host.ready_as.reset();
    }
    if (!host.waiting.empty() && host.in_use < host.limit && host.paused_until <= leat::now()) {
        host.ready_as = host.waiting.begin()->first;
        ready_.emplace(*host.ready_as, &host);
    }
}

host_share host_shares::hold(host_position host) {
    const leat::time_point now = leat::now();
    held_.push_back({.host = host, .begun = now, .moved = now});
    ++moving_;
    ++host->second.in_use;
    return {*this, std::prev(held_.end())};
}

bool host_shares::is_wanted(const std::string& host) const {
    const auto at = hosts_.find(host);
    const bool by_its_own = at != hosts_.end() && !at->second.waiting.empty();
    return by_its_own || !ready_.empty() || (room_wanted_ && !may_begin());
}

std::optional<host_share> host_shares::try_acquire(const std::string& host) {
    const auto at = hosts_.find(host);
    if (at == hosts_.end() || at->second.in_use >= at->second.limit ||
        at->second.paused_until > leat::now() || !may_begin() || is_wanted(host)) {
        return std::nullopt;
    }
    return hold(at);
}

void host_shares::grant() {
    while (may_begin() && !ready_.empty()) {
        shared_host& host = *ready_.begin()->second;
        share_waiter& first = *host.waiting.begin()->second;
        first.granted.emplace(hold(first.host));
        first.leave();
        first.told.set();
        place(host);
    }
}

// Something about the host, or about all, is other than it was.
void host_shares::change(host_position at) {
    shared_host& host = at->second;
    place(host);
    grant();
    if (has_room()) {
        room_.set();
    }
    if (!host.waiting.empty() && host.paused_until > leat::now()) {
        paused_.set();
    }
    const bool usual = host.limit == limits_.per_host && host.paused_until <= leat::now();
    if (host.in_use == 0 && host.waiting.empty() && (usual || hosts_.size() > remembered_max)) {
        hosts_.erase(at);  // there may be a million of them
    }
}

void host_shares::lower(shared_host& host, leat::time_point begun) noexcept {
    if (begun < host.changed) {
        return;  // the limit was lowered for what this one is part of
    }
    host.limit = std::max<std::size_t>(1, std::min(host.limit, host.in_use) / 2);
    host.changed = leat::now();
    host.successes = 0;
}

void host_share::moved() noexcept {
    held_->moved = leat::now();
    if (held_->silent) {
        held_->silent = false;
        ++from_->moving_;
    }
}

void host_share::succeeded() noexcept {
    shared_host& host = held_->host->second;
    if (host.limit < from_->limits_.per_host && ++host.successes >= host.limit) {
        ++host.limit;
        host.successes = 0;
        from_->change(held_->host);
    }
}

void host_share::troubled(std::optional<leat::duration> pause) noexcept {
    shared_host& host = held_->host->second;
    from_->lower(host, held_->begun);
    if (pause) {
        host.paused_until = std::max(host.paused_until, leat::after(leat::now(), *pause));
    }
    from_->change(held_->host);
}

void host_share::release() noexcept {
    if (host_shares* const from = std::exchange(from_, nullptr)) {
        const auto host = held_->host;
        from->moving_ -= held_->silent ? 0 : 1;
        --host->second.in_use;
        from->held_.erase(held_);
        from->change(host);
    }
}

void host_shares::notice_silence(leat::time_point now) {
    for (held_share& each : held_) {
        if (!each.silent && leat::after(each.moved, limits_.silence) <= now) {
            each.silent = true;
            --moving_;
            lower(each.host->second, each.begun);
            place(each.host->second);
        }
    }
    grant();
    if (has_room()) {
        room_.set();
    }
}

leat::time_point host_shares::next_pause_end(leat::time_point now) {
    leat::time_point next = leat::never;
    for (auto at = hosts_.begin(); at != hosts_.end();) {
        const auto here = at++;
        const leat::time_point end = here->second.paused_until;
        if (end > now) {
            next = std::min(next, end);
        } else if (!here->second.ready_as) {
            change(here);
        }
    }
    return next;
}

leat::task<> host_shares::keep_time() {
    const leat::duration often = limits_.silence / 4;
    for (;;) {
        const leat::time_point now = leat::now();
        notice_silence(now);
        const leat::time_point next = std::min(next_pause_end(now), leat::after(now, often));
        paused_.reset();
        (void)co_await leat::move_on_at(next, paused_.wait());
    }
}

std::size_t host_shares::limit_of(const std::string& host) const {
    const auto at = hosts_.find(host);
    return at == hosts_.end() ? limits_.per_host : at->second.limit;
}

}  // namespace fetch
