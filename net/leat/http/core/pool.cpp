// SPDX-License-Identifier: MIT
#include <leat/http/core/pool.hpp>

#include <algorithm>
#include <source_location>

namespace leat::http::detail {

void connection_lease::drop() noexcept {
    if (connection_pool* pool = std::exchange(pool_, nullptr)) {
        pool->give_back(*place_, std::move(connection_));
    }
}

connection_pool::lease_awaiter connection_pool::lease(const std::string& place) {
    const auto [at, added] = places_.try_emplace(place);
    at->second.here = at;
    return {*this, at->second};
}

task<> idle_connection::watch() {
    watched_ = true;
    if (connection_ != nullptr) {  // nobody was quicker
        const leat::detail::bystander nobody_waits_for_it;
        co_await connection_->watch();
    }
}

idle_connection::~idle_connection() {
    if (pool_ != nullptr) {
        pool_->watch_ended(*this);
    }
}

connection_pool::expiry_timer::expiry_timer(connection_pool& of) noexcept
    : bystander_timer(
          [](bystander_timer& self) noexcept { static_cast<expiry_timer&>(self).pool.close_expired(); }),
      pool(of) {}

connection_pool::~connection_pool() {
    close_idle();
    while (!closing_.empty()) {
        closing_.pop_front().pool_ = nullptr;
    }
}

// The idle connection that was used last, if it may still be used; it leaves the place.
idle_connection* connection_pool::freshest(pool_place& place) noexcept {
    while (!place.idle.empty()) {
        idle_connection& found = *place.idle.back();
        if (after(found.since_, limits_.idle_time) > now()) {
            leave_idle(found);
            return &found;
        }
        close(found);
    }
    return nullptr;
}

// The slot of a connection becomes free, with the connection if that is of use to others.
void connection_pool::give_back(pool_place& place, std::unique_ptr<client_connection> connection) noexcept {
    if (connection != nullptr && !connection->reusable()) {
        connection.reset();
    }
    if (!place.waiting.empty()) {
        auto& next = static_cast<lease_awaiter&>(place.waiting.pop_front());
        if (connection != nullptr && connection->is_quiet()) {
            next.connection_ = std::move(connection);
        }
        next.granted_ = true;
        current_scheduler().finish(next);
        return;
    }
    if (connection != nullptr && limits_.idle > 0 && short_ == 0 && this_thread.loop != nullptr) {
        try {
            keep(place, std::move(connection));
            return;
        } catch (const std::bad_alloc&) {  // then it is closed
            if (idle_.empty()) {
                expiry_.disarm();
            }
        }
    }
    connection.reset();
    --place.open;
    forget_if_unused(place);
    descriptor_freed();
}

void connection_pool::keep(pool_place& place, std::unique_ptr<client_connection> connection) {
    if (idle_.empty()) {
        expiry_.arm(after(now(), limits_.idle_time));
    }
    place.idle.reserve(place.idle.size() + 1);
    auto owned = std::make_unique<idle_connection>(place, std::move(connection));
    idle_connection& kept = *owned;
    kept.watch_ = leat::detail::spawn_call(current_scheduler().background(), std::source_location::current(),
                                           [owned = std::move(owned)] { return owned->watch(); });
    kept.pool_ = this;
    kept.since_ = now();
    place.idle.push_back(&kept);
    idle_.push_back(kept);
    if (++idle_count_ > limits_.idle) {
        close_oldest();
    }
}

void connection_pool::leave_idle(idle_connection& one) noexcept {
    std::erase(one.place_->idle, &one);
    one.unlink();
    --idle_count_;
    if (idle_.empty()) {
        expiry_.disarm();
    }
}

// By itself, or with the run, or because it was asked to.
void connection_pool::watch_ended(idle_connection& watched) noexcept {
    if (watched.place_ == nullptr) {  // it was given up
        watched.unlink();
        watched.connection_.reset();
        descriptor_freed();
        return;
    }
    if (watched.linked()) {  // nobody asked
        leave_idle(watched);
        watched.connection_.reset();
    }
    give_back(*watched.place_, std::move(watched.connection_));
}

void connection_pool::close(idle_connection& unwanted) noexcept {
    leave_idle(unwanted);
    closing_.push_back(unwanted);
    --std::exchange(unwanted.place_, nullptr)->open;
    unwanted.watch_.cancel();
}

// The timer was armed for one that was the oldest then; those that are younger may have come since.
void connection_pool::close_expired() noexcept {
    const time_point time = now();
    while (idle_count_ > 0 && after(idle_.front().since_, limits_.idle_time) <= time) {
        close_oldest();
    }
    if (idle_count_ > 0) {
        try {
            expiry_.arm(after(idle_.front().since_, limits_.idle_time));
        } catch (const std::bad_alloc&) {
            close_idle();
        }
    }
}

bool connection_pool::shortage::others_may_end() const noexcept {
    std::size_t open = pool_.closing_.empty() ? 0 : 1;
    for (const auto& [name, place] : pool_.places_) {
        open += place.open;
    }
    return open > pool_.short_;
}

connection_pool::shortage::end_awaiter connection_pool::shortage::next_end() noexcept {
    if (pool_.idle_count_ > 0) {
        pool_.close_oldest();
    }
    return end_awaiter(pool_);
}

void connection_pool::close_oldest() noexcept {
    idle_connection& oldest = idle_.front();
    pool_place& place = *oldest.place_;
    close(oldest);
    forget_if_unused(place);
}

void connection_pool::close_idle() noexcept {
    while (idle_count_ > 0) {
        close_oldest();
    }
}

void connection_pool::forget_if_unused(pool_place& place) noexcept {
    if (place.open == 0 && place.waiting.empty()) {
        places_.erase(place.here);
    }
}

const wait_kind connection_pool::shortage::end_awaiter::end_kind{"a free descriptor",
                                                                 leat::detail::wait_queue::leave};

const wait_kind connection_pool::lease_awaiter::lease_kind{"a free connection",
                                                           leat::detail::wait_queue::leave};

connection_pool::lease_awaiter::~lease_awaiter() {
    if (granted_) {
        pool_.give_back(place_, std::move(connection_));
    }
}

void connection_pool::lease_awaiter::begin_cancelled() noexcept {
    pool_.forget_if_unused(place_);
    leaf_awaiter::begin_cancelled();
}

bool connection_pool::lease_awaiter::take_now() noexcept {
    while (idle_connection* const found = pool_.freshest(place_)) {
        if (found->watched_) {
            found->watch_.cancel();
            return false;  // its watch ends, and gives it to whoever waits first
        }
        connection_ = std::move(found->connection_);
        found->pool_ = nullptr;
        found->watch_.cancel();
        if (connection_->is_quiet()) {
            return granted_ = true;
        }
        connection_.reset();
        --place_.open;
    }
    if (place_.open >= pool_.limits_.per_place) {
        return false;
    }
    ++place_.open;
    return granted_ = true;
}

}  // namespace leat::http::detail
