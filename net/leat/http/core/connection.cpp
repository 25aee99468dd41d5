// SPDX-License-Identifier: MIT
#include <leat/http/core/connection.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/http/core/secure_transport.hpp>
#include <leat/http/request_error.hpp>
#include <leat/io.hpp>
#include <leat/timeout.hpp>

#include <utility>

namespace leat::http::detail {

void client_connection::begin(std::string_view method, parser_limits limits) {
    limits_ = limits;
    parser_ = response_parser(limits);
    parser_.start(method);
    sent_at_.reset();
    silent_ = true;
    headed_ = false;
}

task<> client_connection::exchange(std::string_view method, byte_view request, parser_limits limits,
                                   time_point deadline) {
    begin(method, limits);
    co_await timeout_at(deadline, stream_.send_all(request));
    sent_at_ = now();
    while (co_await next_event(deadline) != progress::head) {
    }
}

task<> client_connection::receive_head(time_point deadline) {
    while (!headed_) {
        headed_ = co_await next_event(deadline) == progress::head;
    }
}

task<std::string_view> client_connection::read(time_point deadline) {
    if (parser_.complete()) {
        co_return std::string_view();
    }
    const progress found = co_await next_event(deadline);
    co_return found == progress::body ? parser_.body() : std::string_view();
}

task<> client_connection::watch() {
    input_.reset();  // an idle connection owns no buffer
    try {
        (void)co_await stream_.recv_chunk();
    } catch (const std::exception&) {  // an end, too
    }
    useless_ = true;
}

task<progress> client_connection::next_event(time_point deadline) {
    for (;;) {
        const auto step = parser_.next(rest_);
        if (!step) {
            fail(step.error());
        }
        if (*step != progress::more) {
            co_return *step;
        }
        co_await receive(deadline);
        rest_ = input_.text();
        if (rest_.empty()) {
            co_return finish();
        }
        silent_ = false;
    }
}

task<> client_connection::receive(time_point deadline) {
    input_.reset();
    try {
        input_ = co_await timeout_at(deadline, stream_.recv_chunk());
    } catch (const std::system_error& failure) {
        if (ended_without_notice(failure.code())) {
            (void)finish();  // where the answer's length is known, what is missing says more
        }
        throw;
    }
}

any_stream client_connection::take_stream() {
    if (!rest_.empty()) {
        input_.remove_prefix(input_.size() - rest_.size());
        stream_.unread(std::move(input_));
        rest_ = {};
    }
    return std::move(stream_);
}

progress client_connection::finish() {
    const auto step = parser_.finish();
    if (!step) {
        fail(step.error());
    }
    return *step;
}

void client_connection::fail(std::error_code code) const {
    std::string text = code.message();
    if (code == error::truncated_body) {
        text = "body ended after " + std::to_string(parser_.body_bytes());
        const auto length = parser_.content_length();
        text += length ? " of " + std::to_string(*length) + " bytes" : " bytes, before its last chunk";
    } else if (code == error::head_too_large) {
        text = "header larger than " + std::to_string(limits_.head_bytes) + " bytes";
    } else if (code == error::no_message) {
        text = "the server closed the connection without an answer";
    }
    throw request_error(code, text);
}

}  // namespace leat::http::detail
