// SPDX-License-Identifier: MIT
#include <leat/http/pool.hpp>

#include <algorithm>
#include <source_location>

namespace leat::http {

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

task<> idle_connection::watch(duration limit) {
    watched_ = true;
    if (connection_ != nullptr) {  // nobody was quicker
        co_await connection_->watch(limit);
    }
}

idle_connection::~idle_connection() {
    if (pool_ != nullptr) {
        pool_->watch_ended(*this);
    }
}

// The idle connection that was used last, if it may still be used; it leaves the place.
idle_connection* connection_pool::freshest(detail::pool_place& place) noexcept {
    while (!place.idle.empty()) {
        idle_connection& found = *place.idle.back();
        if (after(found.since_, limits_.idle_time) > now()) {
            place.idle.pop_back();
            --idle_;
            return &found;
        }
        close(found);
    }
    return nullptr;
}

// The slot of a connection becomes free, with the connection if that is of use to others.
void connection_pool::give_back(detail::pool_place& place,
                                std::unique_ptr<client_connection> connection) noexcept {
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
        }
    }
    connection.reset();
    --place.open;
    forget_if_unused(place);
    descriptor_freed();
}

void connection_pool::keep(detail::pool_place& place, std::unique_ptr<client_connection> connection) {
    place.idle.reserve(place.idle.size() + 1);
    auto owned = std::make_unique<idle_connection>(std::move(connection));
    idle_connection& kept = *owned;
    kept.watch_ = leat::detail::spawn_call(
        current_scheduler().background(), std::source_location::current(),
        [owned = std::move(owned), limit = limits_.idle_time] { return owned->watch(limit); });
    kept.pool_ = this;
    kept.place_ = &place;
    kept.since_ = now();
    place.idle.push_back(&kept);
    if (++idle_ > limits_.idle) {
        close_oldest();
    }
}

void connection_pool::watch_ended(idle_connection& watched) noexcept {
    if (watched.fate_ == idle_connection::fate::idle) {  // by itself, or with the run
        std::erase(watched.place_->idle, &watched);
        --idle_;
        watched.connection_.reset();
    }
    give_back(*watched.place_, std::move(watched.connection_));
}

void connection_pool::close(idle_connection& unwanted) noexcept {
    detail::pool_place& place = *unwanted.place_;
    std::erase(place.idle, &unwanted);
    --idle_;
    --place.open;
    unwanted.pool_ = nullptr;
    unwanted.watch_.cancel();
}

bool connection_pool::shortage::others_may_end() const noexcept {
    std::size_t open = 0;
    for (const auto& [name, place] : pool_.places_) {
        open += place.open;
    }
    return open > pool_.short_;
}

connection_pool::shortage::end_awaiter connection_pool::shortage::next_end() noexcept {
    if (pool_.idle_ > 0) {
        pool_.close_oldest();
    }
    return end_awaiter(pool_);
}

void connection_pool::close_oldest() noexcept {
    detail::pool_place* oldest = nullptr;
    for (auto& [name, place] : places_) {
        const bool older = !place.idle.empty() &&
                           (oldest == nullptr || place.idle.front()->since_ < oldest->idle.front()->since_);
        oldest = older ? &place : oldest;
    }
    close(*oldest->idle.front());
    forget_if_unused(*oldest);
}

void connection_pool::close_idle() noexcept {
    while (idle_ > 0) {
        close_oldest();
    }
}

void connection_pool::forget_if_unused(detail::pool_place& place) noexcept {
    if (place.open == 0 && place.waiting.empty()) {
        places_.erase(place.here);
    }
}

const wait_kind connection_pool::shortage::end_awaiter::end_kind{"a free descriptor",
                                                                 leat::detail::wait_queue::leave};

const wait_kind connection_pool::lease_awaiter::lease_kind{"a free connection", [](wait& self) noexcept {
                                                               self.unlink();
                                                               return true;
                                                           }};

connection_pool::lease_awaiter::~lease_awaiter() {
    if (granted_) {
        pool_.give_back(place_, std::move(connection_));
    }
}

bool connection_pool::lease_awaiter::await_ready() noexcept {
    if (this_thread.task->cancelled()) {
        pool_.forget_if_unused(place_);
        end = wait_end::cancelled;
        return false;
    }
    while (idle_connection* const found = pool_.freshest(place_)) {
        if (found->watched_) {
            found->fate_ = idle_connection::fate::wanted;
            found->watch_.cancel();
            return false;  // its watch ends, and gives it to whoever waits first
        }
        connection_ = std::move(found->connection_);
        found->pool_ = nullptr;
        found->watch_.cancel();
        if (connection_->is_quiet()) {
            return granted();
        }
        connection_.reset();
        --place_.open;
    }
    if (place_.open >= pool_.limits_.per_place) {
        return false;
    }
    ++place_.open;
    return granted();
}

bool connection_pool::lease_awaiter::granted() noexcept {
    granted_ = true;
    end = wait_end::finished;
    return this_thread.task->goes_on();
}

void connection_pool::lease_awaiter::suspend(frame& waiter) noexcept {
    if (end == wait_end::pending) {
        place_.waiting.push_back(*this);
    }
    scheduler::suspend(waiter, *this);
}

}  // namespace leat::http
