// SPDX-License-Identifier: MIT
#include <leat/http/server_exchange.hpp>

#include <leat/http/text.hpp>
#include <leat/http/writer.hpp>
#include <leat/scheduler.hpp>

#include <stdexcept>

namespace leat::http {
namespace {

constexpr std::size_t kept_body_max = 16 * 1024;
constexpr std::size_t kept_out_max = 64 * 1024;
// Later than any other deadline, but armed: a timer that only moves to a later time is one store.
constexpr time_point far = never - duration(1);

std::string_view date_now() noexcept {
    static thread_local date_text text;
    return text.at(current_scheduler().io().wall_now());
}

int status_of(std::error_code why) noexcept {
    if (why == error::head_too_large || why == error::too_many_headers || why == error::trailers_too_large) {
        return 431;
    }
    if (why == error::body_too_large) {
        return 413;
    }
    if (why == error::unsupported_version) {
        return 505;
    }
    return why == error::unsupported_transfer_encoding ? 501 : 400;
}

// Fields that are the server's own business.
bool is_ours(std::string_view name) noexcept {
    return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Length") ||
           equal_ignoring_case(name, "Transfer-Encoding") || equal_ignoring_case(name, "Date");
}

void append_given_fields(std::string& out, const headers& given) {
    for (const auto field : given) {
        if (!is_ours(field.name)) {
            append_field(out, field.name, field.value);
        }
    }
}

}  // namespace

void server_state::stop() noexcept {
    stopping = true;
    for (server_exchange* each = connections.first(); each != nullptr; each = connections.next(*each)) {
        if (each->is_idle() && each->watch != nullptr) {
            each->watch->cancel(cancel_reason::requested);
        }
    }
}

server_exchange::server_exchange(server_state& server)
    : server_(server),
      parser_({.head_bytes = server.limits.header_bytes, .body_bytes = server.limits.body_bytes}) {
    server_.connections.push_back(*this);
    parser_.start();
}

server_exchange::found server_exchange::take(std::string_view& input) {
    if (answered_) {
        start_next();
    }
    for (;;) {
        const auto step = parser_.next(input);
        if (!step) {
            return refuse(step.error());
        }
        switch (*step) {
            case progress::more:
                return found::nothing;
            case progress::interim:
                break;
            case progress::head:
                in_body_ = true;
                if (parser_.has_body() && input.empty() && asked().version == version::http_1_1 &&
                    asked().headers.contains_token("Expect", "100-continue")) {
                    return found::expected;
                }
                break;
            case progress::body:
                parser_.message().body += parser_.body();
                break;
            case progress::end:
                answered_ = true;
                return found::request;
        }
    }
}

void server_exchange::start_next() {
    answered_ = false;
    request& old = parser_.message();
    if (old.body.capacity() > kept_body_max) {
        std::string().swap(old.body);
    }
    parser_.start();
    in_body_ = false;
    phase_ = phase::idle;
}

server_exchange::found server_exchange::refuse(std::error_code why) {
    answer_error(status_of(why));
    return found::refused;
}

void server_exchange::answer_error(int status) {
    closes_ = true;
    const std::string_view text = reason_phrase(status);
    append_status_line(out_, status);
    append_field(out_, "Date", date_now());
    append_field(out_, "Content-Type", "text/plain");
    append_field(out_, "Content-Length", text.size() + 1);
    append_field(out_, "Connection", "close");
    append_blank_line(out_);
    if (asked().method != "HEAD") {
        out_.append(text).append("\n");
    }
}

void server_exchange::answer_failure(std::string_view why) {
    report_failure(why);
    answer_error(500);
}

void server_exchange::report_failure(std::string_view why) const {
    std::string line(asked().method);
    line.append(" ").append(asked().target).append(": ").append(why);
    current_scheduler().report(line);
}

void server_exchange::answer_late() {
    if (phase_ == phase::head || phase_ == phase::body) {
        out_.clear();
        answer_error(408);
    }
}

bool server_exchange::sends_body(int status) const noexcept {
    return status >= 200 && status != 204 && status != 304 && asked().method != "HEAD";
}

void server_exchange::begin_head(int status) {
    closes_ = !parser_.keep_alive() || server_.stopping || asked().method == "CONNECT";
    append_status_line(out_, status);
    append_field(out_, "Date", date_now());
}

void server_exchange::end_head() {
    if (closes_) {
        append_field(out_, "Connection", "close");
    } else if (asked().version == version::http_1_0) {
        append_field(out_, "Connection", "keep-alive");
    }
    append_blank_line(out_);
}

void server_exchange::answer(const response& made) {
    if (made.status < 200 || made.status > 999) {
        throw std::invalid_argument("an answer with status " + std::to_string(made.status));
    }
    begin_head(made.status);
    if (!made.headers.empty()) {
        closes_ |= made.headers.contains_token("Connection", "close");
        append_given_fields(out_, made.headers);
    }
    if (made.status != 204 && made.status != 304) {
        const auto given =
            asked().method == "HEAD" && made.body.empty() ? made.headers.get("Content-Length") : std::nullopt;
        given ? append_field(out_, "Content-Length", *given)
              : append_field(out_, "Content-Length", made.body.size());
    }
    end_head();
    if (sends_body(made.status) && !leaves_body(made)) {
        out_ += made.body;
    }
}

server_exchange::body_form server_exchange::begin_answer(const response& made) {
    if (made.status < 200 || made.status > 999) {
        throw std::invalid_argument("an answer with status " + std::to_string(made.status));
    }
    begin_head(made.status);
    closes_ |= made.headers.contains_token("Connection", "close");
    append_given_fields(out_, made.headers);
    const auto length = made.headers.get("Content-Length");
    body_form form = length ? body_form::counted : body_form::chunked;
    if (!length && asked().version == version::http_1_0) {
        form = body_form::until_close;
        closes_ = true;
    }
    if (!sends_body(made.status)) {
        form = body_form::none;
    }
    if (length && made.status != 204) {
        append_field(out_, "Content-Length", *length);
    } else if (form == body_form::chunked) {
        append_field(out_, "Transfer-Encoding", "chunked");
    }
    end_head();
    return form;
}

void server_exchange::allow(duration length) noexcept {
    current_scheduler().alarms().arm(*watch, after(now(), length));
}

void server_exchange::wait_for_bytes() noexcept {
    if (out_.capacity() > kept_out_max) {
        std::string().swap(out_);
    }
    if (answered_ || parser_.idle()) {
        phase_ = phase::idle;
        allow(server_.limits.idle);
    } else if (in_body_) {
        phase_ = phase::body;
        allow(server_.limits.body);
    } else if (phase_ != phase::head) {
        phase_ = phase::head;
        allow(server_.limits.head);
    }
}

void server_exchange::wait_for_handler() noexcept {
    phase_ = phase::handling;
    current_scheduler().alarms().arm(*watch, far);
}

void server_exchange::wait_for_send() noexcept {
    phase_ = phase::sending;
    allow(server_.limits.send);
}

}  // namespace leat::http
