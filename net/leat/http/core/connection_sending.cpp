// SPDX-License-Identifier: MIT
// How a client_connection sends the body of a request.
//
// Theory of operation. A body may be long, and its source slow, and the server may refuse it by an answer
// before it has come whole. So the body is sent by one task while another receives, and the first that has
// something to say ends the other: the sender when all is sent or the connection takes no more, the receiver
// when the head of a refusal has come. Ending a wait for bytes loses none. An answer below 300 refuses
// nothing: then the body is sent to its end. A body in memory that the kernel takes at once is sent without a
// second task.
#include <leat/http/core/connection.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/http/core/outgoing_body.hpp>
#include <leat/http/core/writer.hpp>
#include <leat/http/request_error.hpp>
#include <leat/race.hpp>
#include <leat/sleep.hpp>
#include <leat/timeout.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t body_slice_max = 64 * 1024;
constexpr std::size_t body_sent_alone_max = 16 * 1024;

}  // namespace

task<> client_connection::send(request_with_body asked) {
    begin(asked.method, asked.limits);
    sending_ = true;
    std::string_view head = asked.head;
    if (asked.await_continue) {
        if (!co_await put(head, {}, {}, asked.send)) {
            co_return;
        }
        head = {};
        (void)co_await move_on_after(*asked.await_continue, receive_word());
        if (headed_) {
            co_return;
        }
    }
    asked.body.begin();
    if (asked.body.bytes() && asked.body.bytes()->size() <= body_sent_alone_max) {
        co_await send_body(asked, head);
        co_return;
    }
    auto sending = send_body(asked, head);
    auto receiving = receive_refusal();
    (void)co_await race(std::move(sending), std::move(receiving));
}

// Until the server has said that it wants the body, or that it does not.
task<> client_connection::receive_word() {
    for (;;) {
        const progress found = co_await next_event(never);
        if (found == progress::head) {
            headed_ = true;
        }
        if (headed_ || parser_.message().status == 100) {
            co_return;
        }
    }
}

task<> client_connection::receive_refusal() {
    co_await receive_head(never);
    if (parser_.message().status < 300) {
        co_await sleep_until(never);
    }
}

task<> client_connection::send_body(const request_with_body& asked, std::string_view head) {
    const bool chunked = !asked.body.length();
    if (!asked.body.bytes() && !head.empty()) {  // the first piece may take its time
        if (!co_await put(head, {}, {}, asked.send)) {
            co_return;
        }
        head = {};
    }
    for (;;) {
        std::string_view piece = co_await asked.body.next();
        if (piece.empty()) {
            break;
        }
        while (!piece.empty()) {
            const std::string_view slice = piece.substr(0, body_slice_max);
            const chunk_size_line line(slice.size());
            piece.remove_prefix(slice.size());
            auto sending =
                chunked ? put(line.text(), slice, "\r\n", asked.send) : put(head, slice, {}, asked.send);
            if (!co_await std::move(sending)) {
                co_return;
            }
            head = {};
        }
    }
    const std::string_view end = chunked ? last_chunk : std::string_view();
    if ((!head.empty() || chunked) && !co_await put(head, end, {}, asked.send)) {
        co_return;
    }
    sending_ = false;
    sent_at_ = now();
}

// False: the connection takes no more.
task<bool> client_connection::put(std::string_view first, std::string_view second, std::string_view third,
                                  duration limit) {
    try {
        co_await timeout(limit, stream_.send_all(first, second, third));
        co_return true;
    } catch (const timed_out& late) {
        if (headed_) {  // it has answered, and wants no more
            co_return false;
        }
        throw request_error(
            late.code(), "the server took no more of the request for " + leat::detail::duration_text(limit));
    } catch (const std::system_error&) {  // its answer, if there is one, tells why
        co_return false;
    }
}

}  // namespace leat::http::detail
