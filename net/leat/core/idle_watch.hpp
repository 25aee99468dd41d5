// SPDX-License-Identifier: MIT
// idle_watch: ends the task that serves a connection when the client has been silent for too long. Used by
// serve().
//
// Theory of operation. Nothing is noted when bytes move, so that a server without this limit does not pay for
// it. A timer looks eight times in the limit: what waits on the socket, since when, and whether the number of
// bytes that have moved has changed since the last look. A handler that gives up one wait and begins another,
// as with a limit of its own, has waited all the time, unless a look finds it busy with something else. (Of a
// socket of the Unix domain the kernel does not tell what has come: there each wait begins anew.) So the end
// may be late by an eighth of the limit.
// Once the handler is cancelled, bytes count no more: a client that drips them keeps a cleanup that waits for
// it no longer than a silent one.
// While a handler waits for something else its timer is a bystander: it does not hide a deadlock.
// Invariant: while it looks, the socket is watched and belongs to this run.
#pragma once

#include <leat/core/bystander.hpp>
#include <leat/core/list.hpp>
#include <leat/core/reference.hpp>
#include <leat/core/socket.hpp>
#include <leat/core/task_state.hpp>
#include <leat/outcome.hpp>

#include <cstdint>

namespace leat::detail {

class idle_watch : public bystander_timer, public list_link {
public:
    static constexpr cancel_reason reason{"the client was silent for too long"};

    // Cancels `handler`, for that reason, when the client of `socket` is silent for `limit`. If it waits for
    // the client even then, in a cleanup, the socket is reset after as long again. Throws std::bad_alloc.
    idle_watch(task_state& handler, socket_state& socket, duration limit);
    idle_watch(const idle_watch&) = delete;
    idle_watch& operator=(const idle_watch&) = delete;
    ~idle_watch() { end(); }

    // Looks no more.
    void end() noexcept;
    // Whether it was the end of a handler that ended so. (One that goes on behind a shield and ends by itself
    // was cancelled in vain.)
    [[nodiscard]] bool has_cut_off(ending how) const noexcept {
        return has_reset_ || (has_cancelled_ && how != ending::value);
    }
    [[nodiscard]] bool has_reset() const noexcept { return has_reset_; }
    // Whether it will end something although nothing comes: the handler waits for its client.
    [[nodiscard]] bool may_wake_task() const noexcept;

    // Ends the watch of `socket`, which goes to another run.
    static void forget(socket_state& socket) noexcept;

private:
    void look() noexcept;
    void look_again(time_point now);
    [[nodiscard]] time_point quiet_since(time_point now) noexcept;

    task_state& handler_;
    reference<socket_state> socket_;
    duration limit_;
    std::uint64_t moved_ = 0;  // bytes, as of the last look
    time_point moved_at_;      // the last look that found it changed, or the handler busy with something else
    std::uint16_t apart_ = 0;  // nanoseconds, from the looks at other connections
    bool waits_ = false;       // for the client, as of the last look
    bool has_cancelled_ = false;
    bool has_reset_ = false;
};

}  // namespace leat::detail
