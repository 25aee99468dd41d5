// SPDX-License-Identifier: MIT
#include <leat/http/pool.hpp>

#include <algorithm>

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

std::unique_ptr<client_connection> connection_pool::take_idle(detail::pool_place& place) noexcept {
    while (!place.idle.empty()) {
        auto found = std::move(place.idle.back());
        place.idle.pop_back();
        --idle_;
        if (after(found->idle_since, limits_.idle_time) > now()) {
            return found;
        }
        --place.open;
    }
    return nullptr;
}

void connection_pool::give_back(detail::pool_place& place,
                                std::unique_ptr<client_connection> connection) noexcept {
    if (connection != nullptr && !connection->reusable()) {
        connection.reset();
    }
    if (!place.waiting.empty()) {
        auto& next = static_cast<lease_awaiter&>(place.waiting.pop_front());
        next.connection_ = std::move(connection);
        next.granted_ = true;
        current_scheduler().finish(next);
        return;
    }
    if (connection != nullptr && limits_.idle > 0 && this_thread.loop != nullptr) {
        try {
            keep(place, std::move(connection));
            return;
        } catch (const std::bad_alloc&) {
            connection.reset();
        }
    }
    connection.reset();
    --place.open;
    forget_if_unused(place);
}

void connection_pool::keep(detail::pool_place& place, std::unique_ptr<client_connection> connection) {
    connection->idle_since = now();
    place.idle.push_back(std::move(connection));
    if (++idle_ > limits_.idle) {
        close_oldest();
    }
}

void connection_pool::close_oldest() noexcept {
    detail::pool_place* oldest = nullptr;
    for (auto& [name, place] : places_) {
        const bool older = !place.idle.empty() && (oldest == nullptr || place.idle.front()->idle_since <
                                                                            oldest->idle.front()->idle_since);
        oldest = older ? &place : oldest;
    }
    oldest->idle.erase(oldest->idle.begin());
    --oldest->open;
    --idle_;
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
    connection_ = pool_.take_idle(place_);
    if (connection_ == nullptr) {
        if (place_.open >= pool_.limits_.per_place) {
            return false;
        }
        ++place_.open;
    }
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
