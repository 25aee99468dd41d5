// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_connection.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/http/core/answer_fields.hpp>
#include <leat/http/core/h2_answer_writer.hpp>
#include <leat/http/core/h2_body_reader.hpp>
#include <leat/http/core/h2_tunnel.hpp>
#include <leat/http/request_body_reader.hpp>
#include <leat/serve.hpp>
#include <leat/stoppable.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t sent_together_max = 64 * 1024;
constexpr std::size_t kept_max = 1024;  // of a buffer, while nothing is to be sent

}  // namespace

// A handler runs. It may end by being cancelled.
struct h2_connection::handling {
    handling(h2_connection& on, h2_stream& asked) noexcept : connection(on), stream(asked) {}
    handling(const handling&) = delete;
    handling& operator=(const handling&) = delete;
    ~handling() {
        connection.session_.handler_ended(stream);
        connection.note_idle();
        connection.wanted_.set();
    }
    h2_connection& connection;
    h2_stream& stream;
};

h2_connection::h2_connection(any_stream& stream, request_handler& handler, server_exchange& exchange,
                             served_connection& client)
    : stream_(stream),
      handler_(handler),
      exchange_(exchange),
      limits_(exchange.server().limits),
      session_(limits_, client, now(), handler.reads()),
      watch_(*this),
      idle_since_(now()) {
    current_scheduler().alarms().arm(watch_, after(idle_since_, limits_.idle));
}

h2_connection::~h2_connection() {
    if (watch_.armed()) {
        current_scheduler().alarms().disarm(watch_);
    }
}

task<> h2_connection::run(chunk ahead) {
    co_await with_task_group([this, &ahead](task_group& group) -> task<> {
        tasks_ = &group;
        group.spawn([this] { return send_all(); });
        (void)co_await with_cancel_scope(
            [this, &ahead](cancel_scope& scope) { return receive_all(scope, std::move(ahead)); });
        input_ended_ = true;
        wanted_.set();
    });
}

// While a scope can be cancelled.
struct h2_connection::reading {
    reading(h2_connection& on, cancel_scope& scope) noexcept : connection(on) {
        connection.reading_ = &scope;
    }
    reading(const reading&) = delete;
    reading& operator=(const reading&) = delete;
    ~reading() { connection.reading_ = nullptr; }
    h2_connection& connection;
};

task<> h2_connection::receive_all(cancel_scope& scope, chunk input) {
    const reading until_the_end(*this, scope);
    try {
        for (;;) {
            if (input.empty()) {
                input = co_await receive_some();
            }
            if (input.empty()) {
                break;
            }
            take(input);
            input.reset();
            while (session_.queued() > queued_max && !is_over()) {
                co_await sent_.wait();
            }
        }
        session_.end_of_input();
        note_idle();
    } catch (const std::system_error&) {
        lose();
    }
}

// When the server stops, no further requests are taken.
task<chunk> h2_connection::receive_some() {
    if (!told_stop_) {
        auto some = co_await until_stop(stream_.recv_chunk());
        if (some.has_value()) {
            co_return std::move(*some);
        }
        told_stop_ = true;
        take_no_further();
    }
    co_return co_await stream_.recv_chunk();
}

void h2_connection::take_no_further() {
    session_.go_away(now());
    look_within(duration::zero());
    wanted_.set();
}

void h2_connection::take(const chunk& input) {
    session_.receive(input.bytes(), now());
    note_idle();
    if (session_.head_since() != never) {
        look_within(limits_.head);
    }
    if (!idle_) {
        look_within(std::min(limits_.body, limits_.body_total));
    }
    start_handlers();
    wanted_.set();
}

void h2_connection::start_handlers() {
    while (h2_stream* const next = session_.take_request()) {
        if (++requests_ == limits_.requests) {
            take_no_further();
        }
        try {
            tasks_->spawn(answer(*next));  // its frame is there before it is a task
        } catch (const std::bad_alloc&) {
            session_.fail(*next, 500);
            session_.handler_ended(*next);
        }
    }
}

task<> h2_connection::answer(h2_stream& stream) {
    const handling running(*this, stream);
    body_reader body(*this, stream);
    std::exception_ptr failure;
    bool of_body = false;  // which its handler lets pass
    try {
        if (handler_.reads()) {
            (void)co_await with_cancel_scope(
                [&](cancel_scope& scope) { return read_and_answer(stream, body, scope); });
        } else if (handler_.gives()) {
            response made = co_await handler_.give(stream.asked);
            session_.answer(stream, made, now());
        } else {
            answer_writer pieces(*this, stream);
            response_writer writer(exchange_, pieces);
            co_await handler_.write(stream.asked, writer);
            pieces.finish(writer);
        }
        look_within(limits_.send);
        if (stream.upgraded != nullptr) {
            co_await run_upgraded(stream);
        }
    } catch (const std::system_error& known) {
        failure = std::current_exception();
        of_body = body.failure() && known.code() == body.failure();
    } catch (...) {
        failure = std::current_exception();
    }
    if (of_body) {
        session_.fail(stream, refusal_status(body.failure()));
    } else if (failure != nullptr) {
        fail(stream, failure);
    }
}

// While the handler of a stream can be cancelled.
struct h2_connection::cancellable {
    cancellable(h2_stream& of, cancel_scope& scope) noexcept : stream(of) { stream.reading = &scope; }
    cancellable(const cancellable&) = delete;
    cancellable& operator=(const cancellable&) = delete;
    ~cancellable() { stream.reading = nullptr; }
    h2_stream& stream;
};

task<> h2_connection::read_and_answer(h2_stream& stream, body_reader& body, cancel_scope& scope) {
    const cancellable until_the_end(stream, scope);
    request_body_reader reader(body, limits_.body_bytes);
    if (handler_.gives()) {
        response made = co_await handler_.give_reading(stream.asked, reader);
        session_.answer(stream, made, now());
    } else {
        answer_writer pieces(*this, stream);
        response_writer writer(exchange_, pieces);
        co_await handler_.write_reading(stream.asked, reader, writer);
        pieces.finish(writer);
    }
}

// The errors of the protocol are reported here, as those of a handler.
task<> h2_connection::run_upgraded(h2_stream& stream) {
    const auto protocol = std::exchange(stream.upgraded, nullptr);
    std::exception_ptr failure;
    wanted_.set();
    {
        any_stream over{tunnel(*this, stream)};
        try {
            co_await protocol(over);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    tunnel(*this, stream).close();
    look_within(limits_.send);
    const server_state& server = exchange_.server();
    if (failure != nullptr && (server.on_error != nullptr || !is_lost_peer(failure))) {
        server.tell_failure(stream.asked, stream, failure);
    }
}

void h2_connection::fail(h2_stream& stream, const std::exception_ptr& failure) {
    if (stream.open && !stream.broken && stream.refused_with == 0) {
        exchange_.server().tell_failure(stream.asked, stream, failure);
    }
    session_.fail(stream, 500);
}

task<> h2_connection::send_all() {
    try {
        for (;;) {
            wanted_.reset();
            session_.write(leaving_, sent_together_max, now());
            if (leaving_.empty()) {
                if (input_ended_) {
                    session_.drop_blocked();
                    note_idle();
                }
                if (is_over()) {
                    break;
                }
                if (leaving_.capacity() > kept_max) {
                    std::string().swap(leaving_);
                }
                co_await wanted_.wait();
                continue;
            }
            exchange_.deadlines().begin_send();
            co_await stream_.send_all(leaving_);
            exchange_.deadlines().end_send();
            leaving_.clear();
            note_idle();
            sent_.set();
            sent_.reset();
        }
    } catch (const std::exception&) {  // of the stream; or there is no memory
        lose();
    }
    end_all();
}

bool h2_connection::is_over() const noexcept {
    return lost_ || session_.failed() || session_.finished() || (input_ended_ && session_.idle());
}

// A client that has broken the protocol gets no answer to anything.
void h2_connection::end_all() noexcept {
    if (session_.failed()) {
        session_.lose();
        tasks_->cancel();
    } else if (reading_ != nullptr) {
        reading_->cancel();
    }
}

void h2_connection::lose() noexcept {
    lost_ = true;
    session_.lose();
    wanted_.set();
    sent_.set();
    if (reading_ != nullptr) {
        reading_->cancel();
    }
}

void h2_connection::note_idle() noexcept {
    if (!session_.idle()) {
        idle_ = false;
    } else if (!std::exchange(idle_, true)) {
        idle_since_ = now();
        look_within(limits_.idle);
    }
}

void h2_connection::watch::expire(timer& self) noexcept {
    static_cast<watch&>(self).of.look(now());
}

// The watch is armed, or has just expired: no memory is needed.
void h2_connection::look_within(duration limit) noexcept {
    const time_point end = std::min(after(now(), limit), never - duration(1));
    if (!watch_.armed() || end < watch_.deadline) {
        current_scheduler().alarms().arm(watch_, end);
    }
}

void h2_connection::look(time_point now) noexcept {
    time_point next = session_.end_late(now);
    note_idle();
    if (idle_) {
        const time_point end = after(idle_since_, limits_.idle);
        if (end <= now) {
            session_.terminate(h2_error::none);
        } else {
            next = std::min(next, end);
        }
    }
    if (const time_point since = session_.head_since(); since != never) {
        const time_point end = after(since, limits_.head);
        if (end <= now) {
            session_.terminate(h2_error::enhance_your_calm);
        } else {
            next = std::min(next, end);
        }
    }
    current_scheduler().alarms().arm(watch_, std::min(next, never - duration(1)));
    wanted_.set();
}

bool has_http2() noexcept {
    return true;
}

task<> serve_http2(any_stream stream, request_handler& handler, server_exchange& exchange,
                   served_connection& client, chunk ahead) {
    {
        h2_connection connection(stream, handler, exchange, client);
        const bool done = co_await watched(exchange.deadlines(), connection.run(std::move(ahead)));
        if (!done || connection.lost()) {
            stream.reset();
            co_return;
        }
    }
    try {
        (void)co_await move_on_after(parting, part(stream));
    } catch (const std::system_error&) {  // the client is gone
    }
}

}  // namespace leat::http::detail
