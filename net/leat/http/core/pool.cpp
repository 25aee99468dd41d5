// SPDX-License-Identifier: MIT
#include <leat/http/core/pool.hpp>

#include <memory>
#include <new>
#include <source_location>

namespace leat::http::detail {

task<> kept_connection::run() {
    begun_ = true;
    if (shared_) {
        co_await shared_->run();
    } else if (connection_ != nullptr) {  // nobody was quicker
        const leat::detail::bystander nobody_waits_for_it;
        co_await connection_->watch();
    }
}

kept_connection::~kept_connection() {
    if (shared_) {
        shared_->keep_seats(nullptr);
    }
    if (pool_ != nullptr) {
        pool_->task_ended(*this);
    }
}

void kept_connection::seats_changed() noexcept {
    if (pool_ != nullptr) {
        pool_->seats_changed(*this);
    }
}

connection_pool::expiry_timer::expiry_timer(connection_pool& of) noexcept
    : bystander_timer(
          [](bystander_timer& self) noexcept { static_cast<expiry_timer&>(self).pool.close_expired(); }),
      pool(of) {}

connection_pool::~connection_pool() {
    close_idle();
    for (list<kept_connection>* const ending : {&closing_, &on_their_way_}) {
        while (!ending->empty()) {
            ending->pop_front().pool_ = nullptr;
        }
    }
}

// The slot of a connection becomes free, with the connection if that is of use to others.
void connection_pool::give_back(pool_place& place, std::unique_ptr<client_connection> connection) noexcept {
    if (connection != nullptr && (!connection->reusable() || place.shared != nullptr)) {
        connection.reset();
    }
    if (connection != nullptr && !place.waiting.empty()) {
        auto& next = static_cast<lease_awaiter&>(place.waiting.pop_front());
        if (connection->is_quiet()) {
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
    slot_freed(place);
}

void connection_pool::slot_freed(pool_place& place) noexcept {
    --place.open;
    serve_waiting(place);
    forget_if_unused(place);
    descriptor_freed();
}

void connection_pool::keep(pool_place& place, std::unique_ptr<client_connection> connection) {
    expect_idle();
    place.idle.reserve(place.idle.size() + 1);
    kept_connection& kept = begin_task(std::make_unique<kept_connection>(place, std::move(connection)));
    place.idle.push_back(&kept);
    become_idle(kept);
}

// Before a connection becomes idle.
void connection_pool::expect_idle() {
    if (idle_.empty()) {
        expiry_.arm(after(now(), limits_.idle_time));
    }
}

kept_connection& connection_pool::begin_task(std::unique_ptr<kept_connection> owned) {
    kept_connection& kept = *owned;
    kept.task_ = leat::detail::spawn_call(current_scheduler().background(), std::source_location::current(),
                                          [owned = std::move(owned)] { return owned->run(); });
    kept.pool_ = this;
    return kept;
}

// True: further requests go on it; false: they have one already.
bool connection_pool::share(pool_place& place, const leat::detail::reference<shared_connection>& made) {
    kept_connection& kept = begin_task(std::make_unique<kept_connection>(place, made));
    made->keep_seats(&kept);
    if (place.shared != nullptr) {
        return false;
    }
    place.shared = &kept;
    return true;
}

void connection_pool::become_idle(kept_connection& kept) noexcept {
    kept.since_ = now();
    idle_.push_back(kept);
    if (++idle_count_ > limits_.idle) {
        close_oldest();
    }
}

// Of a shared connection: whoever waits may go on. It is given up when it has no requests and gets none.
void connection_pool::seats_changed(kept_connection& shared) noexcept {
    if (shared.place_ == nullptr) {
        return;
    }
    pool_place& place = *shared.place_;
    if (shared.shared_->retired() && place.shared == &shared) {
        place.shared = nullptr;
    }
    serve_waiting(place);
    if (shared.place_ == nullptr || shared.shared_->seats() > 0) {  // its time was over, or it is in use
        return;
    }
    if (place.shared == &shared && (shared.linked() || try_become_idle(shared))) {
        return;
    }
    if (shared.linked()) {
        leave_idle(shared);
    }
    close(shared);
    serve_waiting(place);
    forget_if_unused(place);
}

bool connection_pool::try_become_idle(kept_connection& shared) noexcept {
    if (limits_.idle == 0 || short_ > 0) {
        return false;
    }
    try {
        expect_idle();
    } catch (const std::bad_alloc&) {  // then it is closed
        return false;
    }
    become_idle(shared);
    return true;
}

void connection_pool::leave_idle(kept_connection& one) noexcept {
    std::erase(one.place_->idle, &one);
    one.unlink();
    --idle_count_;
    if (idle_.empty()) {
        expiry_.disarm();
    }
}

// By itself, or with the run, or because it was asked to.
void connection_pool::task_ended(kept_connection& ended) noexcept {
    if (ended.place_ == nullptr) {  // it was given up
        ended.unlink();
        ended.connection_.reset();
        descriptor_freed();
        return;
    }
    pool_place& place = *ended.place_;
    if (ended.asked_for_) {
        ended.unlink();
    } else if (ended.linked()) {
        leave_idle(ended);
        ended.connection_.reset();
    }
    if (place.shared == &ended) {
        place.shared = nullptr;
    }
    give_back(place, std::move(ended.connection_));
}

void connection_pool::close(kept_connection& unwanted) noexcept {
    pool_place& place = *std::exchange(unwanted.place_, nullptr);
    if (place.shared == &unwanted) {
        place.shared = nullptr;
    }
    closing_.push_back(unwanted);
    --place.open;
    unwanted.task_.cancel();
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
    kept_connection& oldest = idle_.front();
    pool_place& place = *oldest.place_;
    leave_idle(oldest);
    close(oldest);
    serve_waiting(place);
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

}  // namespace leat::http::detail
