// SPDX-License-Identifier: MIT
// Windows of an h2_session, and its streams that do not get on.
#include <leat/http/core/h2_session.hpp>

#include <leat/cancel_scope.hpp>
#include <leat/http/core/h2_callbacks.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace leat::http::detail {
namespace {

// How much of requests' bodies that are coming one connection may have in memory before all but the oldest
// have to wait.
constexpr std::size_t bodies_max = 4 * 1024 * 1024;

}  // namespace

void h2_session::leave_body(h2_stream& stream) noexcept {
    stream.is_left = true;
    std::string().swap(stream.come);
}

// The memory of a request that nobody reads any more.
void h2_session::drop_request(h2_stream& stream) noexcept {
    leave_body(stream);
    give_window(stream, std::exchange(stream.window_owed, 0));
    free_body(stream);
}

void h2_session::free_body(h2_stream& stream) noexcept {
    uncount_body(stream);
    std::string().swap(stream.asked.body);
}

// Nothing more of it comes: others may wait for that. (To count what handlers have would hold up the others
// for as long as one of them takes, and bound nothing: the oldest body goes on in any case.)
void h2_session::uncount_body(h2_stream& stream) noexcept {
    const bool others_wait = bodies_ > bodies_max;
    bodies_ -= std::exchange(stream.body_counted, 0);
    if (others_wait) {
        give_owed_windows();
    }
}

void h2_session::give_window(h2_stream& stream, std::size_t bytes) noexcept {
    if (bytes > 0 && stream.open && nghttp2_session_consume_stream(session_, stream.id, bytes) != 0) {
        terminate(h2_error::internal_error);
    }
}

// For a piece of a body that is collected: at once when there is room, and then no other stream waits.
void h2_session::give_window_in_turn(h2_stream& stream, std::size_t bytes) noexcept {
    bodies_ += bytes;
    stream.body_counted += bytes;
    stream.window_owed += bytes;
    if (bodies_ > bodies_max) {
        give_owed_windows();
    } else {
        give_window(stream, std::exchange(stream.window_owed, 0));
    }
}

// To the oldest stream whose body is coming; to all, when there is room.
void h2_session::give_owed_windows() noexcept {
    for (h2_stream* each = streams_.first(); each != nullptr; each = streams_.next(*each)) {
        if (each->is_coming()) {
            give_window(*each, std::exchange(each->window_owed, 0));
            if (bodies_ > bodies_max) {
                return;
            }
        }
    }
}

void h2_session::take_body(h2_stream& stream, std::string& into) noexcept {
    into.clear();
    into.swap(stream.come);
    give_window(stream, into.size());
}

void h2_session::await_body(h2_stream& stream, time_point now) {
    if (stream.awaits_continue) {
        interim(stream, 100, {});
        stream.awaits_continue = false;
    }
    stream.awaited = true;
    stream.body_since = after(stream.body_since, now - stream.waited_until);
    if (awaiting_++ == 0) {
        coming_.go_on(now);
    }
}

void h2_session::end_wait(h2_stream& stream, time_point now) noexcept {
    stream.awaited = false;
    stream.waited_until = now;
    if (--awaiting_ == 0) {
        coming_.pause(now);
    }
}

// So much of bodies has come. Time in which no handler waits for any does not count.
void h2_session::note_body(std::size_t bytes) noexcept {
    const bool unawaited = reads_ && awaiting_ == 0;
    if (unawaited) {
        coming_.go_on(now_);
    }
    coming_.moved(bytes, now_, limits_.body, limits_.lowest_rate);
    if (unawaited) {
        coming_.pause(now_);
    }
}

bool h2_session::has_window(const h2_stream& stream) const noexcept {
    return nghttp2_session_get_remote_window_size(session_) > 0 &&
           nghttp2_session_get_stream_remote_window_size(session_, stream.id) > 0;
}

time_point h2_session::end_late(time_point now) noexcept {
    now_ = now;
    if (refuse_at_ <= now) {
        refuse_further();
    }
    const time_point stalled = coming_.end(limits_.body, duration::max());
    time_point next = refuse_at_;
    for (h2_stream* at = streams_.first(); at != nullptr;) {
        h2_stream& stream = *std::exchange(at, streams_.next(*at));
        time_point end = never;
        const bool is_leaving = stream.is_leaving() && !(stream.is_upgraded && stream.handled);
        if (is_leaving) {
            if (has_window(stream)) {  // what it waits for is the connection
                stream.leaving.open(now);
            }
            end = stream.leaving.end(limits_.send, limits_.send_total);
        } else if (stream.is_awaited()) {
            end = std::min(std::max(stalled, after(stream.body_since, limits_.body)),
                           after(stream.body_since, limits_.body_total));
        }
        if (end > now) {
            next = std::min(next, end);
        } else if (is_leaving) {
            reset(stream, h2_error::cancel);
        } else {
            end_late_body(stream);
        }
    }
    return next;
}

void h2_session::end_late_body(h2_stream& stream) noexcept {
    if (stream.begun) {
        reset(stream, h2_error::cancel);
    } else {
        refuse_or_reset(stream, 408, h2_error::cancel);
    }
    if (stream.reading != nullptr) {
        stream.reading->cancel(cancel_reason::deadline);
    }
}

}  // namespace leat::http::detail
