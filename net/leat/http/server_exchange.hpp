// SPDX-License-Identifier: MIT
// server_exchange: one connection of the HTTP server without its I/O: requests out of the bytes that came in,
// answers into the bytes to be sent, and how long the peer may take for what comes next. server.hpp moves the
// bytes. Reused for all requests of the connection: when its buffers have grown it allocates nothing.
// Invariant: what is in out() is whole answers, in the order of the requests.
#pragma once

#include <leat/clock.hpp>
#include <leat/http/message.hpp>
#include <leat/http/parser.hpp>
#include <leat/list.hpp>
#include <leat/scope_node.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat::http {

struct server_limits {
    duration head = std::chrono::seconds(10);  // for a request's head, from its first byte
    duration body = std::chrono::seconds(30);  // without a byte of a request's body
    duration idle = std::chrono::seconds(60);  // without a request
    duration send = std::chrono::seconds(60);  // for an answer to be taken
    std::size_t header_bytes = 64 * 1024;
    std::uint64_t body_bytes = 1024 * 1024;
};

class server_exchange;

// What the connections of one server share.
struct server_state {
    explicit server_state(const server_limits& chosen) noexcept : limits(chosen) {}

    server_limits limits;
    list<server_exchange> connections;
    bool stopping = false;

    // Ends connections that wait for a request, and the others after their answer.
    void stop() noexcept;
};

class server_exchange : public list_link {
public:
    enum class found : std::uint8_t {
        nothing,   // all bytes are used up
        expected,  // the head of a request whose sender waits for interim_answer() before its body
        request,   // a whole request, in asked()
        refused,   // what came in cannot be answered but by the error that is in out() now; then it ends
    };

    explicit server_exchange(server_state& server);
    ~server_exchange() { unlink(); }

    // Takes bytes off the front of `input` up to the end of the next request.
    [[nodiscard]] found take(std::string_view& input);
    [[nodiscard]] const request& asked() const noexcept { return parser_.message(); }
    [[nodiscard]] static std::string_view interim_answer() noexcept {
        return "HTTP/1.1 100 Continue\r\n\r\n";
    }

    // Appends the answer to asked(), without a body that is longer than body_copied_max: that is left to the
    // caller. Throws std::invalid_argument, and appends nothing, for an answer that is none.
    void answer(const response& made);
    [[nodiscard]] bool leaves_body(const response& made) const noexcept {
        return made.body.size() > body_copied_max && sends_body(made.status);
    }
    // The head of an answer whose body follows, in chunks unless its length is among its fields.
    enum class body_form : std::uint8_t { none, counted, chunked, until_close };
    [[nodiscard]] body_form begin_answer(const response& made);
    // Says 500, and reports why.
    void answer_failure(std::string_view why);
    void report_failure(std::string_view why) const;
    // Says 408 if a request was under way.
    void answer_late();

    // Bytes to be sent, to be emptied by whoever has sent them.
    [[nodiscard]] std::string& out() noexcept { return out_; }
    // The answer written last ends the connection.
    [[nodiscard]] bool closes() const noexcept { return closes_; }
    void close_after_answer() noexcept { closes_ = true; }

    // What the connection does next, and how long it may take. Expiry cancels `watch`.
    void wait_for_bytes() noexcept;
    void wait_for_handler() noexcept;
    void wait_for_send() noexcept;
    [[nodiscard]] bool is_idle() const noexcept { return phase_ == phase::idle; }

    deadline_scope* watch = nullptr;  // around all that the connection does

private:
    enum class phase : std::uint8_t { idle, head, body, handling, sending };
    static constexpr std::size_t body_copied_max = 16 * 1024;

    void start_next();
    [[nodiscard]] found refuse(std::error_code why);
    void answer_error(int status);
    [[nodiscard]] bool sends_body(int status) const noexcept;
    void begin_head(int status);
    void end_head();
    void allow(duration length) noexcept;

    server_state& server_;
    request_parser parser_;
    std::string out_;
    phase phase_ = phase::idle;
    bool in_body_ = false;   // the head of the request in the parser is complete
    bool answered_ = false;  // the request in the parser has been answered
    bool closes_ = false;
};

}  // namespace leat::http
