// SPDX-License-Identifier: MIT
// serve_connection: all that the HTTP server does on one connection: receives, lets the handler answer, sends
// what server_exchange has made of that, and parts. It is compiled once for each kind of stream, and for TCP
// in the library: a program with many handlers has it once.
#pragma once

#include <leat/core/borrowed_stream.hpp>
#include <leat/http/core/body_over.hpp>
#include <leat/http/core/connection_over.hpp>
#include <leat/http/core/server_exchange.hpp>
#include <leat/http/request_body_reader.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/io.hpp>
#include <leat/serve.hpp>
#include <leat/stream.hpp>
#include <leat/system/send_file.hpp>
#include <leat/task_group.hpp>
#include <leat/tcp.hpp>
#include <leat/timeout.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat::http::detail {

// The handler of a server. It gives the response, or it writes it; and it may read the request's body itself.
class request_handler {
public:
    explicit request_handler(bool gives, bool reads = false) noexcept : gives_(gives), reads_(reads) {}
    request_handler(const request_handler&) = delete;
    request_handler& operator=(const request_handler&) = delete;

    // Which one of those below it has.
    [[nodiscard]] bool gives() const noexcept { return gives_; }
    [[nodiscard]] bool reads() const noexcept { return reads_; }
    [[nodiscard]] virtual task<response> give(const request& asked) = 0;
    [[nodiscard]] virtual task<> write(const request& asked, response_writer& writer) = 0;
    [[nodiscard]] virtual task<response> give_reading(const request& asked, request_body_reader& body) = 0;
    [[nodiscard]] virtual task<> write_reading(const request& asked, request_body_reader& body,
                                               response_writer& writer) = 0;

protected:
    ~request_handler() = default;

private:
    bool gives_;
    bool reads_;
};

// X inside the scope of a connection, as move_on_after with a deadline that moves.
template <typename X>
class [[nodiscard]] watched : public leat::detail::scoped<connection_scope, X> {
public:
    watched(server_deadlines& deadlines, X&& x, time_point first = never)
        : leat::detail::scoped<connection_scope, X>(std::forward<X>(x), deadlines, first) {}
    auto await_resume() { return this->maybe_finish(); }
};

// The most of a body that is sent at once: a slow reader's time limit starts again after each such part.
inline constexpr std::size_t sent_at_once_max = 256 * 1024;

// All that is sent on a connection: what is held back, `piece`, and a few bytes behind it.
template <stream Stream>
task<> send(Stream& stream, server_exchange& exchange, byte_view piece = std::string_view(),
            byte_view behind = std::string_view()) {
    while (exchange.sending()) {
        co_await exchange.sent();
    }
    if (!exchange.holds_back() && piece.size() == 0) {
        co_return;
    }
    server_exchange::sending_turn turn(exchange);
    std::span<const std::byte> rest(piece.data(), piece.size());
    if (rest.empty()) {
        co_await stream.send_all(turn.held());
    } else if (rest.size() > sent_at_once_max) {
        co_await stream.send_all(turn.held(), rest.first(sent_at_once_max));
        for (rest = rest.subspan(sent_at_once_max); rest.size() > sent_at_once_max;
             rest = rest.subspan(sent_at_once_max)) {
            turn.moved(sent_at_once_max);
            co_await stream.send_all(rest.first(sent_at_once_max));
        }
        turn.moved(sent_at_once_max);
        co_await stream.send_all(rest, behind);
    } else {
        co_await stream.send_all(turn.held(), rest, behind);
    }
    turn.finish();
}

template <stream Stream>
task<> send_over(void* stream, server_exchange& exchange, byte_view piece, byte_view behind) {
    return send(*static_cast<Stream*>(stream), exchange, piece, behind);
}

// What a stream that takes files takes of one at once.
template <stream Stream>
std::size_t send_file_over(void* stream, const file& from, std::uint64_t offset, std::size_t size) {
    if constexpr (leat::detail::takes_files<Stream>) {
        return static_cast<Stream*>(stream)->try_send_file(from, offset, size);
    } else {
        return 0;
    }
}

// Runs once the connection's task waits, so answers leave together unless a handler waits. An error is not
// thrown here: it broke the connection, so that its next send fails, or there was no memory.
template <stream Stream>
task<> flush_meanwhile(Stream& stream, server_exchange& exchange) {
    try {
        while (!exchange.sending() && !exchange.broken() && exchange.holds_back()) {
            co_await send(stream, exchange);
        }
    } catch (const std::exception&) {
        check(exchange.broken() || exchange.holds_back(), "what fails to leave is held back or breaks");
    }
    exchange.flushing = false;
}

// What carries the bytes in the end: what nobody will read need not be decrypted.
template <stream Stream>
stream auto& undermost(Stream& stream) noexcept {
    if constexpr (requires { stream.transport().recv_chunk(); }) {
        return undermost(stream.transport());
    } else {
        return stream;
    }
}

// Whether no byte has come that nobody has read: to close now resets nothing.
template <stream Stream>
bool is_quiet(Stream& stream) noexcept {
    if constexpr (requires { stream.is_quiet(); }) {
        return stream.is_quiet();
    } else {
        return false;
    }
}

// Ends sending and waits for the peer to do so: closing with bytes unread would reset the connection, and the
// peer might never see the answer. A peer that resets it has ended as well.
template <stream Stream>
task<> part(Stream& stream) {
    co_await leat::detail::end_sending(stream);
    for (;;) {
        const result<chunk> ignored = co_await as_result(undermost(stream).recv_chunk());
        if (!ignored.ok() || ignored->empty()) {
            break;
        }
    }
}

// Lets a handler that reads answer; when this ends it has left the body.
template <stream Stream>
task<> read_and_answer(Stream& stream, request_handler& handler, server_exchange& exchange,
                       connection_over<Stream>& client, chunk& input, std::string_view& come,
                       response_writer& writer) {
    body_over<Stream> body(stream, &send_over<Stream>, exchange, client, input, come);
    request_body_reader reader(body, exchange.body_limit());
    const request& asked = exchange.asked();
    if (handler.gives()) {
        writer.head() = co_await handler.give_reading(asked, reader);
    } else {
        co_await handler.write_reading(asked, reader, writer);
    }
}

// Answers the request exchange.asked(), with any kind of handler; `come`, in `input`, is what has come behind
// it. Any failure is a 500, or, if a part of the answer has been sent, the end of the connection.
template <stream Stream>
task<> answer(Stream& stream, request_handler& handler, server_exchange& exchange,
              connection_over<Stream>& client, chunk& input, std::string_view& come) {
    response_writer writer(exchange, &stream, &send_over<Stream>, &send_file_over<Stream>);
    std::string_view rest;
    std::exception_ptr failure;
    exchange.begin_answer();
    try {
        if (handler.reads()) {
            co_await read_and_answer(stream, handler, exchange, client, input, come, writer);
        } else if (handler.gives()) {
            writer.head() = co_await handler.give(exchange.asked());
        } else {
            co_await handler.write(exchange.asked(), writer);
        }
        rest = writer.finish();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        exchange.fail_answer(failure);
    } else if (!rest.empty()) {
        co_await send(stream, exchange, rest);
    }
}

// Answers to pipelined requests are collected up to so many bytes.
inline constexpr std::size_t held_back_max = 64 * 1024;

// Answers the requests that end in `rest`, which lies in `input`. Without `flushing`, where a task may send
// what is held back while a handler waits, it returns when there is something to be sent meanwhile.
template <stream Stream>
task<> answer_requests(Stream& stream, request_handler& handler, server_exchange& exchange,
                       connection_over<Stream>& client, chunk& input, std::string_view& rest,
                       task_group* flushing) {
    while (!exchange.closes() && !exchange.upgrades() && (flushing != nullptr || !exchange.holds_back())) {
        // A chunk may hold hundreds of requests; what came with a stop, or as its time was over, is not
        // begun.
        co_await checkpoint();
        switch (exchange.take(rest)) {
            case server_exchange::found::nothing:
                co_return;
            case server_exchange::found::expected:
                co_await send(stream, exchange, server_exchange::interim_answer());
                break;
            case server_exchange::found::request:
                if (rest.empty()) {
                    input.reset();  // a slow handler leases no buffer
                    rest = {};
                }
                if (exchange.holds_back() && !std::exchange(exchange.flushing, true)) {
                    flushing->spawn(flush_meanwhile<Stream>, std::ref(stream), std::ref(exchange));
                }
                co_await answer(stream, handler, exchange, client, input, rest);
                break;
            case server_exchange::found::refused:
                break;
        }
        if (exchange.holds_back() && exchange.out().size() > held_back_max) {
            co_await send(stream, exchange);
        }
    }
}

// What came behind a request that upgrades the connection.
template <stream Stream>
void give_back(Stream& stream, chunk&& bytes) {
    if (bytes.empty()) {
        return;
    }
    if constexpr (pushback_stream<Stream>) {
        stream.unread(std::move(bytes));
    } else {
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported), "unread");
    }
}

// Whether the connection begins with HTTP/2, where `input` says that it may: receives as much as it takes.
template <stream Stream>
task<bool> begins_with_http2(Stream& stream, server_exchange& exchange, chunk& input) {
    std::string all(input.text());
    exchange.deadlines().await_head();
    while (all.size() < 4 && exchange.may_be_http2(all)) {
        const chunk more = co_await stream.recv_chunk();
        if (more.empty()) {
            co_return false;
        }
        all += more.text();
        input = copied_chunk(std::as_bytes(std::span(all)));
    }
    co_return exchange.may_be_http2(all);
}

// Answers requests until the peer or an answer ends that. Gives whether the peer may have more to say.
template <stream Stream>
task<bool> answer_all(Stream& stream, request_handler& handler, server_exchange& exchange,
                      connection_over<Stream>& client) {
    while (exchange.wait_for_bytes()) {
        chunk input = client.take_ahead();
        if (input.empty()) {
            input = co_await stream.recv_chunk();
        }
        std::string_view rest = input.text();
        if (rest.empty()) {
            co_return false;
        }
        if (exchange.may_be_http2(rest)) [[unlikely]] {
            if (co_await begins_with_http2(stream, exchange, input)) {
                client.keep_ahead(std::move(input));
                exchange.become_http2();
                co_return true;
            }
            rest = input.text();
        }
        co_await answer_requests(stream, handler, exchange, client, input, rest, nullptr);
        if (!rest.empty() && !exchange.closes() && !exchange.upgrades()) {
            co_await with_task_group([&](task_group& flushing) {
                return answer_requests(stream, handler, exchange, client, input, rest, &flushing);
            });
        }
        co_await send(stream, exchange);
        if (exchange.upgrades()) {
            give_back(stream, client.take_ahead());
            input.remove_prefix(input.size() - rest.size());
            give_back(stream, std::move(input));
            co_return true;
        }
        if (exchange.closes()) {
            co_return true;
        }
    }
    co_return true;
}

inline constexpr duration parting = std::chrono::seconds(1);
inline constexpr duration parting_from_sender = std::chrono::seconds(10);

// Serves a connection that speaks HTTP/2, with `ahead` received already, to its end. Throws std::bad_alloc
// only.
[[nodiscard]] task<> serve_http2(any_stream stream, request_handler& handler, server_exchange& exchange,
                                 served_connection& client, chunk ahead);

// Serves one connection. Its errors are not thrown.
template <stream Stream>
task<> serve_connection(Stream& stream, request_handler& handler, server_exchange& exchange,
                        connection_over<Stream>& client) {
    try {
        const auto more =
            co_await watched(exchange.deadlines(), answer_all(stream, handler, exchange, client));
        const bool late = !more.has_value() && exchange.answer_late();
        if (!more.has_value() && (exchange.broken() || exchange.ends_by_reset())) {
            reset_or_close(stream);  // it takes nothing, not even an end; or it would take that for success
            co_return;
        }
        if (more.has_value() && exchange.upgrades()) {
            if constexpr (requires { stream.ignore_unexpected_eof(false); }) {
                stream.ignore_unexpected_eof(false);  // that is for the other protocol to say
            }
            co_await exchange.run_upgraded(leat::detail::borrowed_stream<Stream>(stream));
        }
        if (more.has_value() && exchange.is_http2()) {
            co_await serve_http2(leat::detail::borrowed_stream<Stream>(stream), handler, exchange, client,
                                 client.take_ahead());
            co_return;
        }
        if (late) {
            (void)co_await move_on_after(parting, send(stream, exchange));
        }
        if (more.has_value() && exchange.client_is_done() && is_quiet(stream)) {
            (void)co_await move_on_after(parting, leat::detail::end_sending(stream));
        } else if (late || more.value_or(true)) {
            const duration most = exchange.has_more_body() && !late ? parting_from_sender : parting;
            (void)co_await move_on_after(most, part(stream));
        } else {
            (void)co_await move_on_after(parting, leat::detail::end_sending(stream));
        }
    } catch (const std::system_error&) {
        if (exchange.ends_by_reset()) {
            reset_or_close(stream);
        }
    }
}

extern template task<> serve_connection(tcp_stream& stream, request_handler& handler,
                                        server_exchange& exchange, connection_over<tcp_stream>& client);

}  // namespace leat::http::detail
