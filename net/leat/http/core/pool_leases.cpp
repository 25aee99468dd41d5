// SPDX-License-Identifier: MIT
// What the pool gives to requests: leases, in order, with an idle connection, a seat on a shared one, or the
// right to open one.
#include <leat/http/core/pool.hpp>

#include <utility>

namespace leat::http::detail {

void connection_lease::put(any_stream stream) {
    connection_ = std::make_unique<client_connection>(std::move(stream));
    if (std::exchange(decides_, false)) {
        pool_->end_decision(*place_, true);
    }
}

void connection_lease::share(any_stream stream, bool secure) {
    const auto made = begin_http2(std::move(stream), secure);
    const bool for_others = pool_->share(*place_, made);  // with the slot of this lease
    seat_ = connection_seat(*made);
    if (!for_others) {
        made->retire();
    }
    if (std::exchange(decides_, false)) {
        pool_->end_decision(*place_, false);
    }
    exchange_ = seat_->begin();
}

// Without an outcome of its connection, another one decides; where that has failed, everyone for himself.
void connection_lease::drop() noexcept {
    connection_pool* const pool = std::exchange(pool_, nullptr);
    if (pool == nullptr) {
        return;
    }
    if (seat_) {
        exchange_.reset();
        seat_.leave();
        return;
    }
    if (std::exchange(decides_, false)) {
        place_->deciding = false;
        place_->decided = !unwinding();
    }
    pool->give_back(*place_, std::move(connection_));
}

connection_pool::lease_awaiter connection_pool::lease(const std::string& place, bool may_share) {
    const auto [at, added] = places_.try_emplace(place);
    at->second.here = at;
    at->second.may_share = may_share;
    return {*this, at->second};
}

const wait_kind connection_pool::lease_awaiter::lease_kind{"a free connection", leave};

bool connection_pool::lease_awaiter::leave(wait& self) noexcept {
    self.unlink();
    static_cast<lease_awaiter&>(self).place_.tell_shared();
    return true;
}

void pool_place::tell_shared() noexcept {
    if (shared != nullptr) {
        shared->shared_->want_seats(!waiting.empty());
    }
}

connection_pool::lease_awaiter::~lease_awaiter() {
    if (granted_) {  // it is dropped as any lease
        const connection_lease left(pool_, place_, std::move(connection_), decides_);
    }
}

void connection_pool::lease_awaiter::begin_cancelled() noexcept {
    pool_.forget_if_unused(place_);
    leaf_awaiter::begin_cancelled();
}

bool connection_pool::lease_awaiter::take_now() noexcept {
    return pool_.grant(*this);
}

connection_lease connection_pool::lease_awaiter::await_resume() {
    if (seat_) {
        return {pool_, place_, std::move(seat_)};
    }
    granted_ = false;
    return {pool_, place_, std::move(connection_), std::exchange(decides_, false)};
}

bool connection_pool::is_fresh(const kept_connection& idle) const noexcept {
    return after(idle.since_, limits_.idle_time) > now();
}

// The idle connection that was used last, if it may still be used; it leaves the place.
kept_connection* connection_pool::freshest(pool_place& place) noexcept {
    while (!place.idle.empty()) {
        kept_connection& found = *place.idle.back();
        if (is_fresh(found)) {
            leave_idle(found);
            return &found;
        }
        leave_idle(found);
        close(found);
    }
    return nullptr;
}

// Gives it a seat, or a slot with an idle connection or without.
bool connection_pool::grant(lease_awaiter& to) noexcept {
    pool_place& place = to.place_;
    while (kept_connection* const found = freshest(place)) {
        if (found->begun_) {
            found->asked_for_ = true;
            on_their_way_.push_back(*found);
            found->task_.cancel();
            return false;  // its watch ends, and gives it to whoever waits first
        }
        to.connection_ = std::move(found->connection_);
        found->pool_ = nullptr;
        found->task_.cancel();
        if (to.connection_->is_quiet()) {
            return to.granted_ = true;
        }
        to.connection_.reset();
        --place.open;
    }
    if (kept_connection* const shared = place.shared) {
        if (shared->linked() && !is_fresh(*shared)) {
            leave_idle(*shared);
            close(*shared);
        } else if (!shared->shared_->has_room()) {
            return false;
        } else {
            if (shared->linked()) {
                leave_idle(*shared);
            }
            to.seat_ = connection_seat(*shared->shared_);
            return true;
        }
    }
    const bool decides = place.may_share && !place.decided;
    if (place.open >= limits_.per_place || (decides && place.deciding)) {
        return false;
    }
    ++place.open;
    place.deciding = to.decides_ = decides;
    return to.granted_ = true;
}

// Those who wait can go on, in order, as far as there are seats and slots.
void connection_pool::serve_waiting(pool_place& place) noexcept {
    while (!place.waiting.empty()) {
        auto& next = static_cast<lease_awaiter&>(place.waiting.front());
        if (!grant(next)) {
            break;
        }
        next.unlink();
        current_scheduler().finish(next);
    }
    place.tell_shared();
}

void connection_pool::end_decision(pool_place& place, bool decided) noexcept {
    place.deciding = false;
    place.decided = decided;
    serve_waiting(place);
}

}  // namespace leat::http::detail
