// SPDX-License-Identifier: MIT
// server_exchange: one connection of the HTTP server without its I/O: it parses requests from received bytes,
// writes answers into bytes to be sent, and holds the deadlines of the peer. serve_connection.hpp sends and
// receives.
//
// Answers are collected in out() and sent together. Each send, a sending_turn, first sends what is in out(),
// so that answers keep their order. Meanwhile more answers may be collected.
//
// The buffers for a request are in a server_workspace, which the connections of a server share: an idle
// connection has none, and busy ones allocate nothing once the buffers have grown.
// Invariant: between two requests out() has whole answers, in the order of the requests.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/core/list.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/core/parser.hpp>
#include <leat/http/core/server_deadlines.hpp>
#include <leat/http/message.hpp>
#include <leat/sync/event.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leat::http::detail {

class server_exchange;

// Whether HTTP/2 was built in (serve_http2).
[[nodiscard]] bool has_http2() noexcept;

struct server_workspace : list_link {
    server_workspace(const server_limits& limits, bool handler_reads);

    // Begins a request; the one before was read to its end.
    void start();

    request_parser parser;
    std::string out;                              // held back
    std::string leaving;                          // being sent
    event sent;                                   // is set when that send has ended
    std::function<task<>(any_stream&)> upgraded;  // response::upgraded, between the answer and its run
    std::error_code body_failure;                 // of the body that the handler reads
    std::uint64_t dropped_from = 0;               // so many bytes of it had come when its handler left it
};

// What the connections of one server share.
struct server_state {
    using error_function = void (*)(std::exception_ptr error, std::optional<endpoint> peer);

    server_state(const server_limits& chosen, error_function told, bool reads = false) noexcept
        : limits(chosen), on_error(told), handler_reads(reads) {}
    server_state(const server_state&) = delete;
    server_state& operator=(const server_state&) = delete;
    ~server_state();

    // Lends a workspace for a request; and takes it back, without buffers that have grown large.
    [[nodiscard]] std::unique_ptr<server_workspace> lend();
    void take_back(std::unique_ptr<server_workspace> used) noexcept;

    // A handler has failed, or what speaks on an upgraded connection.
    void tell_failure(const request& asked, const served_connection& client,
                      const std::exception_ptr& failure) const;
    // Ends connections that wait for a request or are in a TLS handshake, and the others after their answer.
    void stop() noexcept;

    server_limits limits;
    error_function on_error;  // null: to the report
    bool handler_reads;       // the bodies of the requests, which are not collected then
    list<server_exchange> connections;
    list<server_workspace> spare;
    std::size_t spares = 0;
    bool stopping = false;
};

class server_exchange : public list_link {
public:
    enum class found : std::uint8_t {
        nothing,   // all bytes are used up
        expected,  // the head of a request whose sender waits for interim_answer() before its body
        request,   // a request, asked() gives it: all of it, or its head, if the handler reads the body
        refused,   // the request is invalid: out() has the error as the answer, and the connection ends
    };

    server_exchange(server_state& server, served_connection& client);
    ~server_exchange();

    // Before bytes are waited for. False: the server stops, and this connection has no request.
    [[nodiscard]] bool wait_for_bytes() noexcept;
    // Takes bytes off the front of `input` up to the end of the next request.
    [[nodiscard]] found take(std::string_view& input);
    [[nodiscard]] const request& asked() const noexcept { return work_->parser.message(); }
    // Whether the connection may begin with HTTP/2, as far as these first bytes tell: with "PRI ", which no
    // request of HTTP/1 does (RFC 9113 3.4). And that it does: there is nothing more to be done here.
    [[nodiscard]] bool may_be_http2(std::string_view input) const noexcept {
        constexpr std::string_view begin = "PRI ";
        return fresh_ && (input.starts_with(begin) || begin.starts_with(input));
    }
    void become_http2() noexcept;
    [[nodiscard]] bool is_http2() const noexcept { return is_http2_; }
    [[nodiscard]] const server_state& server() const noexcept { return server_; }
    [[nodiscard]] static std::string_view interim_answer() noexcept {
        return "HTTP/1.1 100 Continue\r\n\r\n";
    }

    // The next piece of the body of asked(), taken off the front of `input`; empty at its end; nothing if
    // bytes have to be received first, or after a failure.
    [[nodiscard]] std::optional<std::string_view> take_body(std::string_view& input);
    // How long it is, where the client has said that.
    [[nodiscard]] std::optional<std::uint64_t> body_size() const noexcept;
    // The client waits for interim_answer() before it sends the body. Taken: it gets that now.
    [[nodiscard]] bool awaits_continue() const noexcept { return awaits_continue_; }
    [[nodiscard]] bool take_expectation() noexcept { return std::exchange(awaits_continue_, false); }
    // More of the body is waited for; that is over.
    void await_body() noexcept { deadlines_.await_body(work_->parser.body_bytes()); }
    void leave_body_wait() noexcept { deadlines_.leave_body(); }
    // No more of the body can be had, or is wanted.
    void fail_body(std::error_code why) noexcept { work_->body_failure = why; }
    [[nodiscard]] std::error_code body_failure() const noexcept { return work_->body_failure; }
    [[nodiscard]] std::uint64_t body_limit() const noexcept { return server_.limits.body_bytes; }
    // The handler has ended. What it has left of the body is dropped behind its answer, or the answer ends
    // the connection.
    void leave_body() noexcept;

    // The handler begins. What it leaves in out() can be undone until some of it was sent.
    void begin_answer() noexcept;
    // Appends the answer to asked() and gives the rest of it, which goes out behind out(): a body that is too
    // long to be copied. Throws std::invalid_argument for an invalid answer. Takes response::upgraded.
    [[nodiscard]] std::string_view answer(response& made);
    // An answer of status 1xx, to be sent before begin_body() and answer(); empty for HTTP/1.0.
    [[nodiscard]] std::string interim_head(int status, const headers& fields) const;
    // The head of an answer whose body follows, in chunks unless its length is among its fields.
    enum class body_form : std::uint8_t { none, counted, chunked, until_close };
    struct body_plan {
        body_form form;
        std::uint64_t length;  // of a counted one
    };
    [[nodiscard]] body_plan begin_body(const response& made);
    // The handler has failed; that is reported unless the connection failed. The answer is a 500; but if a
    // part of an answer has been sent, std::system_error is thrown: only a cut connection tells the client.
    void fail_answer(const std::exception_ptr& failure);
    // Says 408 if a request was under way; false if none was, or if it was being answered.
    [[nodiscard]] bool answer_late();

    // The answer gives the connection to another protocol; and that, once the head of the answer was sent.
    // Its failure is reported, as that of a handler.
    [[nodiscard]] bool upgrades() const noexcept { return work_ != nullptr && work_->upgraded != nullptr; }
    [[nodiscard]] task<> run_upgraded(any_stream stream);

    // Bytes to be sent.
    [[nodiscard]] std::string& out() noexcept { return work_->out; }
    [[nodiscard]] bool holds_back() const noexcept { return work_ != nullptr && !work_->out.empty(); }
    // A send is under way; `co_await sent()` waits for its end.
    [[nodiscard]] bool sending() const noexcept { return deadlines_.sending(); }
    [[nodiscard]] event::wait_awaiter sent() noexcept { return work_->sent.wait(); }
    class sending_turn;
    // A send was cut off or failed: what the peer has got is unknown.
    [[nodiscard]] bool broken() const noexcept { return broken_; }

    // The answer written last ends the connection.
    [[nodiscard]] bool closes() const noexcept { return closes_; }
    // The client has said that it sends nothing behind the last request.
    [[nodiscard]] bool client_is_done() const noexcept { return work_ && work_->parser.is_last(); }
    // The client may still be sending the body of its request.
    [[nodiscard]] bool has_more_body() const noexcept { return in_body_ && !work_->parser.complete(); }
    // The peer would take the end of the connection for the end of an incomplete body.
    [[nodiscard]] bool ends_by_reset() const noexcept { return ends_by_reset_; }

    [[nodiscard]] server_deadlines& deadlines() noexcept { return deadlines_; }
    [[nodiscard]] bool stopping() const noexcept { return server_.stopping; }

    bool receiving = false;  // a handler waits for more of its request's body
    bool flushing = false;   // a task is there that sends what is held back while a handler waits

private:
    static constexpr std::size_t body_copied_max = 16 * 1024;
    static constexpr std::uint64_t dropped_max = 64 * 1024;

    void tell_failure(const std::exception_ptr& failure) const;
    [[nodiscard]] bool is_over() const noexcept { return answered_ && work_->parser.complete(); }
    [[nodiscard]] found begin_request() noexcept;
    [[nodiscard]] bool drop_rest(std::string_view& input);
    [[nodiscard]] found refuse(int status);
    void answer_error(int status);
    void undo_answer() noexcept;
    [[nodiscard]] bool sends_body(int status) const noexcept;
    void answer_upgrade(response& made);
    void append_given_head(const response& made);
    void begin_head(const response& made);
    void end_head();

    server_state& server_;
    served_connection& client_;
    server_deadlines deadlines_;
    std::unique_ptr<server_workspace> work_;  // null while there is no request
    std::size_t answer_at_ = 0;               // where the answer to asked() begins in out()
    std::size_t requests_ = 0;
    bool in_body_ = false;   // the head of the request in the parser is complete
    bool answered_ = false;  // the request in the parser has been answered, or is being so
    bool awaits_continue_ = false;
    bool rest_is_dear_ = false;  // of a body that was left: the connection is closed instead
    bool answer_left_ = false;   // some of the answer to asked() is being sent, or was
    bool fresh_;                 // no byte of HTTP/1 has come, and HTTP/2 may
    bool is_http2_ = false;
    bool unbounded_ = false;  // its body ends with the connection
    bool closes_ = false;
    bool broken_ = false;
    bool ends_by_reset_ = false;
};

// Sends: takes what is held back, which the others may go on adding to. One at a time.
class server_exchange::sending_turn {
public:
    // Throws std::system_error (stream_errc::broken) when an earlier one was cut off.
    explicit sending_turn(server_exchange& exchange);
    sending_turn(const sending_turn&) = delete;
    sending_turn& operator=(const sending_turn&) = delete;
    ~sending_turn();

    // What was held back.
    [[nodiscard]] std::string_view held() const noexcept { return exchange_.work_->leaving; }
    // So many bytes more were sent.
    void moved(std::size_t bytes) noexcept { exchange_.deadlines_.sent(bytes); }
    // All was sent.
    void finish() noexcept { finished_ = true; }

private:
    server_exchange& exchange_;
    bool finished_ = false;
};

}  // namespace leat::http::detail
