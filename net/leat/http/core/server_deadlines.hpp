// SPDX-License-Identifier: MIT
// server_deadlines: the deadline for the next step of a client of the HTTP server. A deadline asks for
// progress: it moves as long as bytes of a body arrive, or bytes of an answer leave. One timer of the
// connection serves all phases; when it expires, the work of the connection is cancelled.
// Invariant: while bytes are being sent the timer is set for the send, whatever the handler does meanwhile.
// The time of a body runs only while it is waited for and nothing is being sent.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/http/served_connection.hpp>
#include <leat/http/server_limits.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace leat::http::detail {

// One transfer that has to make progress: `length` long windows, in each of which enough must move.
class progress_window {
public:
    void begin(time_point now) noexcept {
        began_ = now;
        paused_ = never;
        open(now);
    }
    // Time between the two does not count.
    void pause(time_point now) noexcept { paused_ = std::min(paused_, now); }
    void go_on(time_point now) noexcept;
    // More has moved: with enough of it the next window begins.
    void moved(std::uint64_t bytes, time_point now, duration length, std::uint64_t rate) noexcept;
    void open(time_point now) noexcept {
        opened_ = now;
        bytes_ = 0;
    }
    // When the window, or all of it, is over.
    [[nodiscard]] time_point end(duration length, duration total) const noexcept;
    [[nodiscard]] bool over(time_point now, duration total) const noexcept {
        return after(began_, total) <= now;
    }

private:
    time_point began_;
    time_point opened_;
    time_point paused_ = never;
    std::uint64_t bytes_ = 0;
};

class server_deadlines;

// Around what a connection does.
struct connection_scope : leat::detail::deadline_scope {
    connection_scope(server_deadlines& deadlines, time_point first) noexcept;
    ~connection_scope();

    server_deadlines& owner;
};

class server_deadlines {
public:
    enum class phase : std::uint8_t { beginning, idle, head, body, handling };

    server_deadlines(const server_limits& limits, const served_connection& client) noexcept
        : limits_(limits), client_(client) {}
    server_deadlines(const server_deadlines&) = delete;
    server_deadlines& operator=(const server_deadlines&) = delete;

    // What the connection waits for.
    void await_request() noexcept;
    void await_head() noexcept;
    void await_body(std::uint64_t received) noexcept;  // so many bytes of it so far
    void await_handler() noexcept;
    // The handler has got the bytes of the body that it waited for, or does something else.
    void leave_body() noexcept;

    // Bytes are being sent; so many of them have been; that is over.
    void begin_send() noexcept;
    void sent(std::uint64_t bytes) noexcept;
    void end_send() noexcept;

    // The phase in which the client was too slow; `handling` if it was not.
    [[nodiscard]] phase expired_in() const noexcept { return expired_in_; }
    [[nodiscard]] bool sending() const noexcept { return sending_; }
    // No request has begun.
    [[nodiscard]] bool idle() const noexcept { return phase_ <= phase::idle; }
    // Ends what the connection does.
    void cancel() noexcept {
        if (scope_ != nullptr) {
            scope_->cancel(cancel_reason::requested);
        }
    }
    // The scope's timer has expired.
    void expire() noexcept;

private:
    friend connection_scope;

    void arm(time_point deadline) noexcept;
    [[nodiscard]] bool client_takes_more(time_point now) noexcept;

    const server_limits& limits_;
    const served_connection& client_;
    connection_scope* scope_ = nullptr;
    progress_window receiving_;
    progress_window leaving_;
    std::uint64_t received_ = 0;
    std::optional<std::uint64_t> acknowledged_;  // at the last query of the kernel, in this send
    phase phase_ = phase::beginning;
    phase expired_in_ = phase::handling;
    bool sending_ = false;
    bool receives_ = false;  // receiving_ is that of the request that is being handled
};

// Of the TCP connection `socket`: tcpi_bytes_acked (tcp(7)). Nothing for other sockets, and in a simulation.
[[nodiscard]] std::optional<std::uint64_t> acknowledged_bytes(int socket) noexcept;

}  // namespace leat::http::detail
