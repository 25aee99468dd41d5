// SPDX-License-Identifier: MIT
#include <leat/http/core/server_exchange.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/serve.hpp>
#include <leat/stream.hpp>

#include <stdexcept>
#include <utility>

namespace leat::http::detail {
namespace {

void append_given_fields(std::string& out, const headers& given) {
    for (const auto field : given) {
        if (!is_ours(field.name)) {
            append_field(out, field.name, field.value);
        }
    }
}

std::error_code code_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::system_error& known) {
        return known.code();
    } catch (...) {
        return {};
    }
}

std::string text_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

}  // namespace

server_exchange::server_exchange(server_state& server, served_connection& client)
    : server_(server),
      client_(client),
      deadlines_(server.limits, client),
      fresh_(server.limits.http2 && has_http2() && client.tls() == nullptr) {
    server_.connections.push_back(*this);
}

// The peer's deadlines are now those of h2_connection, but for what is sent. A stop is told by its scopes.
void server_exchange::become_http2() noexcept {
    is_http2_ = true;
    deadlines_.await_handler();
}

server_exchange::~server_exchange() {
    unlink();
    if (is_over()) {
        server_.take_back(std::move(work_));
    }
}

bool server_exchange::wait_for_bytes() noexcept {
    if (is_over()) {
        server_.take_back(std::move(work_));
        answered_ = in_body_ = false;
    }
    if (work_ == nullptr || answered_ || work_->parser.idle()) {
        deadlines_.await_request();
        return !server_.stopping;
    }
    if (in_body_) {
        deadlines_.await_body(work_->parser.body_bytes());
    } else {
        deadlines_.await_head();
    }
    return true;
}

server_exchange::found server_exchange::take(std::string_view& input) {
    const bool between = work_ == nullptr || answered_;
    fresh_ = false;
    if (between && input.empty()) {
        return found::nothing;
    }
    if (work_ == nullptr) {
        work_ = server_.lend();
        work_->start();
    } else if (answered_) {
        if (!drop_rest(input) || input.empty()) {
            return found::nothing;
        }
        answered_ = in_body_ = false;
        work_->start();
    }
    request_parser& parser = work_->parser;
    for (;;) {
        const auto step = parser.next(input);
        if (!step) {
            return refuse(status_of(step.error()));
        }
        switch (*step) {
            case progress::more:
                return found::nothing;
            case progress::interim:
                break;
            case progress::head:
                in_body_ = true;
                if (asked().method == "CONNECT" ||
                    (!is_registered_method(asked().method) && !server_.limits.any_method)) {
                    return refuse(501);
                }
                awaits_continue_ = parser.has_body() && input.empty() &&
                                   asked().version == version::http_1_1 &&
                                   asked().headers.contains_token("Expect", "100-continue");
                if (server_.handler_reads) {
                    return begin_request();
                }
                if (std::exchange(awaits_continue_, false)) {
                    return found::expected;
                }
                break;
            case progress::body:
                parser.message().body += parser.body();
                break;
            case progress::end:
                return begin_request();
        }
    }
}

server_exchange::found server_exchange::begin_request() noexcept {
    answered_ = true;
    ++requests_;
    work_->parser.message().connection = &client_;
    return found::request;
}

server_exchange::found server_exchange::refuse(int status) {
    in_body_ |= status == 413;  // for its length alone
    answer_error(status);
    return found::refused;
}

void server_exchange::answer_error(int status) {
    closes_ = true;
    const std::string_view text = reason_phrase(status);
    std::string& out = work_->out;
    append_status_line(out, status);
    append_field(out, "Date", date_now());
    append_field(out, "Content-Type", "text/plain");
    append_field(out, "Content-Length", text.size() + 1);
    append_field(out, "Connection", "close");
    append_blank_line(out);
    if (asked().method != "HEAD") {
        out.append(text).append("\n");
    }
}

void server_exchange::begin_answer() noexcept {
    answer_at_ = work_->out.size();
    answer_left_ = unbounded_ = rest_is_dear_ = false;
    work_->body_failure = {};
    deadlines_.await_handler();
}

void server_exchange::undo_answer() noexcept {
    work_->out.resize(answer_at_);
}

void server_exchange::tell_failure(const std::exception_ptr& failure) const {
    server_.tell_failure(asked(), client_, failure);
}

void server_state::tell_failure(const request& asked, const served_connection& client,
                                const std::exception_ptr& failure) const {
    if (on_error != nullptr) {
        on_error(failure, client.remote_endpoint());
        return;
    }
    std::string line(asked.method);
    line.append(" ").append(asked.target).append(": ").append(text_of(failure));
    current_scheduler().report(line);
}

void server_exchange::fail_answer(const std::exception_ptr& failure) {
    const std::error_code body = work_->body_failure;
    const bool of_body = body && body != std::errc::not_enough_memory && code_of(failure) == body;
    if (!broken_ && !of_body) {
        tell_failure(failure);
    }
    if (answer_left_ || broken_) {
        ends_by_reset_ = unbounded_;
        throw std::system_error(std::make_error_code(std::errc::connection_aborted));
    }
    undo_answer();
    answer_error(of_body ? status_of(body) : 500);
}

bool server_exchange::answer_late() {
    using phase = server_deadlines::phase;
    const phase last = deadlines_.expired_in();
    if (broken_ || (last != phase::head && last != phase::body)) {
        return false;
    }
    if (answered_) {  // its handler was reading
        if (answer_left_) {
            ends_by_reset_ = unbounded_;
            return false;
        }
        undo_answer();
    }
    answer_error(408);
    return true;
}

bool server_exchange::sends_body(int status) const noexcept {
    return answer_has_body(asked().method, status);
}

void server_exchange::append_given_head(const response& made) {
    if (!is_field_value(made.reason)) {
        throw std::invalid_argument("the reason of an answer holds a control character");
    }
    append_status_line(work_->out, made.status, made.reason);
    append_field(work_->out, "Date", date_now());
    append_given_fields(work_->out, made.headers);
}

std::string server_exchange::interim_head(int status, const headers& fields) const {
    std::string head;
    if (asked().version != version::http_1_0) {
        append_status_line(head, status);
        append_given_fields(head, fields);
        append_blank_line(head);
    }
    return head;
}

void server_exchange::begin_head(const response& made) {
    if (made.status < 200 || made.status > 999) {
        throw std::invalid_argument("an answer with status " + std::to_string(made.status));
    }
    closes_ = !work_->parser.keep_alive() || server_.stopping || rest_is_dear_ || awaits_continue_ ||
              requests_ >= server_.limits.requests ||
              (!made.headers.empty() && made.headers.contains_token("Connection", "close"));
    append_given_head(made);
}

void server_exchange::end_head() {
    if (closes_) {
        append_field(work_->out, "Connection", "close");
    } else if (asked().version == version::http_1_0) {
        append_field(work_->out, "Connection", "keep-alive");
    }
    append_blank_line(work_->out);
}

std::string_view server_exchange::answer(response& made) {
    if (made.upgraded != nullptr) {
        answer_upgrade(made);
        return {};
    }
    const bool only_length = asked().method == "HEAD" && made.body.empty();
    const auto given = only_length ? given_length(made) : std::nullopt;
    begin_head(made);
    if (made.status != 204 && made.status != 304) {
        append_field(work_->out, "Content-Length", given.value_or(made.body.size()));
    }
    end_head();
    if (!sends_body(made.status)) {
        return {};
    }
    if (made.body.size() > body_copied_max) {
        return made.body;
    }
    work_->out += made.body;
    return {};
}

void server_exchange::answer_upgrade(response& made) {
    if (made.status != 101 || asked().version == version::http_1_0 || !made.body.empty()) {
        throw std::invalid_argument("only an answer to HTTP/1.1 of status 101, without a body, upgrades");
    }
    if (!work_->parser.complete()) {
        throw std::invalid_argument("the body of a request is read before its connection is upgraded");
    }
    closes_ = false;
    append_given_head(made);
    append_field(work_->out, "Connection", "upgrade");
    append_blank_line(work_->out);
    work_->upgraded = std::move(made.upgraded);
}

task<> server_exchange::run_upgraded(any_stream stream) {
    const auto protocol = std::exchange(work_->upgraded, nullptr);
    std::exception_ptr failure;
    try {
        co_await protocol(stream);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr && (server_.on_error != nullptr || !is_lost_peer(failure))) {
        tell_failure(failure);
    }
}

server_exchange::body_plan server_exchange::begin_body(const response& made) try {
    if (made.upgraded != nullptr) {
        throw std::invalid_argument("an answer that upgrades the connection has no body to be written");
    }
    const auto length = given_length(made);
    begin_head(made);
    body_form form = length ? body_form::counted : body_form::chunked;
    if (!sends_body(made.status)) {
        form = body_form::none;
    } else if (!length && asked().version == version::http_1_0) {
        form = body_form::until_close;
        unbounded_ = closes_ = true;
    }
    if (length && made.status != 204) {
        append_field(work_->out, "Content-Length", *length);
    } else if (form == body_form::chunked) {
        append_field(work_->out, "Transfer-Encoding", "chunked");
    }
    end_head();
    awaits_continue_ = false;  // it has heard enough, and will perhaps send no body
    return {form, length.value_or(0)};
} catch (...) {
    undo_answer();  // the handler may try again
    throw;
}

server_exchange::sending_turn::sending_turn(server_exchange& exchange) : exchange_(exchange) {
    check(!exchange.sending(), "two tasks send on one connection at once");
    if (exchange.broken_) {
        throw std::system_error(stream_errc::broken, "answer to a client");
    }
    server_workspace& work = *exchange.work_;
    exchange.answer_left_ |= work.out.size() > exchange.answer_at_;
    exchange.answer_at_ = 0;
    work.leaving.swap(work.out);
    exchange.deadlines_.begin_send();
}

server_exchange::sending_turn::~sending_turn() {
    exchange_.broken_ |= !finished_;
    exchange_.work_->leaving.clear();
    exchange_.deadlines_.end_send();
    exchange_.work_->sent.set();
    exchange_.work_->sent.reset();
}

}  // namespace leat::http::detail
