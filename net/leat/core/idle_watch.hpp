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
// Invariant: while it looks, the socket is watched and belongs to this run.
#pragma once

#include <leat/core/list.hpp>
#include <leat/core/reference.hpp>
#include <leat/core/socket.hpp>
#include <leat/core/task_state.hpp>
#include <leat/core/timers.hpp>

#include <cstdint>

namespace leat::detail {

class idle_watch : public timer, public list_link {
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
    [[nodiscard]] bool has_cancelled() const noexcept { return has_cancelled_; }

    // Ends the watch of `socket`, which goes to another run.
    static void forget(socket_state& socket) noexcept;

private:
    void look() noexcept;
    [[nodiscard]] time_point quiet_since(time_point now) noexcept;

    task_state& handler_;
    reference<socket_state> socket_;
    duration limit_;
    std::uint64_t moved_ = 0;  // bytes, as of the last look
    time_point moved_at_;      // the last look that found it changed, or the handler busy with something else
    bool waits_ = false;       // for the client, as of the last look
    bool has_cancelled_ = false;
};

}  // namespace leat::detail
