// SPDX-License-Identifier: MIT
// handshakes: the connections of a server that shake hands now, within a limit of their number and each with
// a deadline. One that is too many cuts off the one that has been at it longest: who begins and does not go
// on makes room, and does not keep others out. Used by serve() and http::serve().
#pragma once

#include <leat/check.hpp>
#include <leat/core/list.hpp>
#include <leat/task.hpp>
#include <leat/timeout.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace leat::detail {

// A stream that has to exchange something with its peer before it can be used.
template <typename Stream>
concept shakes_hands = requires(Stream& stream) {
    { stream.handshake() } -> std::same_as<task<>>;
};

enum class handshake_end : unsigned char { shaken, too_slow, made_room };

class handshakes {
public:
    explicit handshakes(std::size_t most) noexcept : room_(most) {
        check(most > 0, "a server may shake hands with one client at least");
    }

    // The time of one of them.
    struct scope : deadline_scope, list_link {
        scope(handshakes& among, time_point deadline) noexcept : deadline_scope(deadline), all(among) {
            all.make_room();
            all.going_on_.push_back(*this);
            --all.room_;
        }
        ~scope() { end(); }
        void end() noexcept {
            if (linked()) {
                unlink();
                ++all.room_;
            }
        }

        handshakes& all;
    };

private:
    void make_room() noexcept {
        if (room_ == 0) {
            scope& longest = going_on_.front();
            longest.end();
            longest.cancel(cancel_reason::requested);
        }
    }

    list<scope> going_on_;
    std::size_t room_;  // for so many more
};

// co_await shaking_hands(all, deadline, X): how the handshake X has ended; or it throws what X does.
template <typename X>
class [[nodiscard]] shaking_hands : public scoped<handshakes::scope, X> {
public:
    shaking_hands(handshakes& all, time_point deadline, X&& x)
        : scoped<handshakes::scope, X>(std::forward<X>(x), all, deadline) {}
    [[nodiscard]] handshake_end await_resume() {
        if (this->maybe_finish()) {
            return handshake_end::shaken;
        }
        const bool late = this->scope_.own_reason() == cancel_reason::deadline;
        return late ? handshake_end::too_slow : handshake_end::made_room;
    }
};

}  // namespace leat::detail
