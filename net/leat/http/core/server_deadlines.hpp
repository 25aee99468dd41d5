// SPDX-License-Identifier: MIT
// server_limits, and server_deadlines: how long a client of the HTTP server may take for what it has to do
// next. A deadline asks for progress: a body that comes, or an answer that is taken, goes on for as long as
// it moves. One timer of the connection serves all phases; its expiry cancels what the connection does.
// Invariant: while bytes are being sent the timer is the send's, whatever the handler does meanwhile.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/scope_node.hpp>
#include <leat/http/served_connection.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace leat::http {

struct server_limits {
    duration idle = std::chrono::seconds(60);  // without a request; empty lines do not count as one
    duration head = std::chrono::seconds(10);  // for a request's head, from its first byte
    // For a request's body to make progress, and for a client to take something of an answer: at least
    // lowest_rate bytes a second on average over that time, and a byte at any rate. A body that is sent
    // counts by 256 KiB that the stream has taken; over TCP the kernel is asked what the client has
    // acknowledged before a client is given up, which may take as long again.
    duration body = std::chrono::seconds(30);
    duration send = std::chrono::seconds(60);
    std::uint64_t lowest_rate = 240;
    // For all of a request's body; and for all that is sent at once: the answers held back together, a body,
    // or a piece of one. No limit, unless it is set.
    duration body_total = duration::max();
    duration send_total = duration::max();
    std::size_t header_bytes = 64 * 1024;
    std::uint64_t body_bytes = 1024 * 1024;
    // Whether a method that is not registered (IANA) goes to the handler, such as PURGE; otherwise it is
    // answered with 501.
    bool any_method = false;
};

// One transfer that has to make progress: `length` long windows, in each of which enough must move.
class progress_window {
public:
    void begin(time_point now) noexcept {
        began_ = now;
        open(now);
    }
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
    std::uint64_t bytes_ = 0;
};

class server_deadlines;

// Around what a connection does.
struct connection_scope : deadline_scope {
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

    // Bytes are being sent; so many of them have been; that is over.
    void begin_send() noexcept;
    void sent(std::uint64_t bytes) noexcept;
    void end_send() noexcept;

    [[nodiscard]] phase now_in() const noexcept { return phase_; }
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
    std::optional<std::uint64_t> acknowledged_;  // when the kernel was asked last, in this send
    phase phase_ = phase::beginning;
    bool sending_ = false;
};

// Of the TCP connection `socket`: tcpi_bytes_acked (tcp(7)). Nothing for other sockets, and in a simulation.
[[nodiscard]] std::optional<std::uint64_t> acknowledged_bytes(int socket) noexcept;

}  // namespace leat::http
