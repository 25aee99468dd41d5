// SPDX-License-Identifier: MIT
// shared_connection: a connection of the HTTP client on which many requests are at once, as HTTP/2 allows,
// behind a type that is there in every build. The pool gives seats on it, a request each. Internal.
// Invariant: it lives as long as its task or a seat refers to it. When it has ended, for whatever reason, the
// exchanges on it fail and no seats are given.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/core/reference.hpp>
#include <leat/http/core/client_exchange.hpp>
#include <leat/task.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace leat::http::detail {

class shared_connection {
public:
    // Who gives the seats.
    class seat_keeper {
    public:
        // There may be more room than before, or none any more: a seat is free, the server allows more, or
        // the connection takes no further requests.
        virtual void seats_changed() noexcept = 0;

    protected:
        ~seat_keeper() = default;
    };

    shared_connection(const shared_connection&) = delete;
    shared_connection& operator=(const shared_connection&) = delete;
    virtual ~shared_connection() = default;

    // Receives and sends for all of its exchanges, until the connection ends; once, as a task of its own. It
    // is a bystander while no seat is taken, and nobody waits for one. Cancelled: the connection is closed.
    [[nodiscard]] virtual task<> run() = 0;
    // For the taker of a seat, which outlives it. Throws std::bad_alloc.
    [[nodiscard]] virtual std::unique_ptr<client_exchange> begin() = 0;

    // No further requests: those that have begun go on.
    virtual void retire() noexcept = 0;
    [[nodiscard]] virtual bool retired() const noexcept = 0;
    // Whether the server takes one more request now.
    [[nodiscard]] virtual bool has_room() const noexcept = 0;

    [[nodiscard]] std::size_t seats() const noexcept { return seats_; }
    // Whether there are requests that wait for a seat.
    void want_seats(bool wanted) noexcept {
        if (std::exchange(wanted_, wanted) != wanted) {
            note_idle(is_idle());
        }
    }
    void keep_seats(seat_keeper* keeper) noexcept { keeper_ = keeper; }

    std::size_t references = 1;  // for reference<shared_connection>

protected:
    shared_connection() noexcept = default;
    void tell_keeper() noexcept {
        if (keeper_ != nullptr) {
            keeper_->seats_changed();
        }
    }
    // Nobody has a seat, or wants one.
    [[nodiscard]] bool is_idle() const noexcept { return seats_ == 0 && !wanted_; }
    // That has changed.
    virtual void note_idle(bool idle) noexcept = 0;

private:
    friend class connection_seat;

    void take_seat() noexcept {
        ++seats_;
        note_idle(false);
    }
    void leave_seat() noexcept {
        --seats_;
        note_idle(is_idle());
        tell_keeper();
    }

    seat_keeper* keeper_ = nullptr;
    std::size_t seats_ = 0;
    bool wanted_ = false;
};

// The right to one request on a shared connection.
class connection_seat {
public:
    connection_seat() noexcept = default;
    explicit connection_seat(shared_connection& on) noexcept
        : on_(leat::detail::reference<shared_connection>::share(on)) {
        on.take_seat();
    }
    connection_seat(connection_seat&& other) noexcept = default;
    connection_seat& operator=(connection_seat&& other) noexcept {
        leave();
        on_ = std::move(other.on_);
        return *this;
    }
    ~connection_seat() { leave(); }

    explicit operator bool() const noexcept { return static_cast<bool>(on_); }
    shared_connection* operator->() const noexcept { return on_.get(); }
    void leave() noexcept {
        if (const auto left = std::move(on_)) {
            left->leave_seat();
        }
    }

private:
    leat::detail::reference<shared_connection> on_;
};

// A connection of HTTP/2 over `stream`, for URLs of https or http. Where leat was built without, misuse.
// Throws std::bad_alloc.
[[nodiscard]] leat::detail::reference<shared_connection> begin_http2(any_stream stream, bool secure);

}  // namespace leat::http::detail
