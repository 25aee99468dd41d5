// SPDX-License-Identifier: MIT
#include <leat/tls/core/stream_state.hpp>

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/stoppable.hpp>
#include <leat/timeout.hpp>

#include <algorithm>

namespace leat::tls::detail {
namespace {

// How long a peer that has made a fatal mistake may take to listen to the alert that says so.
constexpr duration alert_patience = std::chrono::seconds(1);

}  // namespace

task<> stream_state::handshake(state_reference self, duration limit) {
    co_await checkpoint();
    self->require_open("TLS handshake with ");
    try {
        co_await timeout(limit, self->establish());
    } catch (const timed_out&) {
        throw std::system_error(std::make_error_code(std::errc::timed_out),
                                "TLS handshake with " + self->peer());
    }
}

task<> stream_state::establish() {
    try {
        if (session_.is_server()) {
            co_await stoppable(agree());  // nobody has asked for anything yet
        } else {
            co_await agree();
        }
    } catch (const error&) {
        throw;
    } catch (const std::system_error& failed) {
        throw std::system_error(failed.code(), "TLS handshake with " + peer());
    }
}

// The steps of a handshake; a reader and a writer may take them in turn. Cancelled, it can go on later.
task<> stream_state::agree() {
    for (;;) {
        const step next = session_.handshake();
        release_used_input();
        switch (next.what) {
            case step::kind::done:
                if (session_.wants_flush()) {
                    co_await flush();
                } else {
                    send_answers();  // a server's tickets, with which our acknowledgement goes too
                }
                co_return;
            case step::kind::has_output:
                co_await flush();
                break;
            case step::kind::needs_input:
                co_await fetch();
                break;
            case step::kind::closed:
                fail("TLS handshake with ", make_error_code(failure::truncated),
                     "the peer closed the connection");
            case step::kind::failed: {
                const std::string text = session_.error_text();
                co_await tell_peer(next.error);
                fail("TLS handshake with ", next.error, text);
            }
        }
    }
}

// After a failure: the alert, if there is one, goes out if it can. A sender at work takes it along.
task<> stream_state::tell_peer(std::error_code failed) {
    if (failed == failure::truncated || !session_.wants_flush() || sending_.busy()) {
        co_return;
    }
    try {
        (void)co_await move_on_after(alert_patience, flush());
    } catch (const std::system_error&) {
        co_return;  // what failed before is what the caller hears of
    }
}

// A connection that waits, or that only sends, leases no buffer.
void stream_state::release_used_input() noexcept {
    if (session_.unread_input().empty()) {
        input_.reset();
    }
}

// Keeps the state alive for a task in the background, unless the stream has gone to another run before that
// has begun: then the task finds nothing to do.
struct stream_state::background_flush {
    explicit background_flush(stream_state& of) noexcept : state(state_reference::share(of)) {
        of.background_ = this;
    }
    background_flush(const background_flush&) = delete;
    background_flush& operator=(const background_flush&) = delete;
    ~background_flush() { let_go(); }

    void let_go() noexcept {
        if (state) {
            state->background_ = nullptr;
            state = state_reference();
        }
    }

    state_reference state;
    bool begun = false;
};

void stream_state::send_answers() {
    if (!session_.output().empty() && !sending_.busy() && !closed_ && !try_flush()) {
        flush_in_background();
    }
}

void stream_state::flush_in_background() {
    if (sending_.busy() || closed_) {
        return;
    }
    (void)try_flush();
    if (!session_.output().empty() && background_ == nullptr) {
        leat::detail::spawn_call(current_scheduler().background(), std::source_location::current(),
                                 flush_quietly, std::make_unique<background_flush>(*this));
    }
}

task<> stream_state::flush_quietly(std::unique_ptr<background_flush> self) {
    if (!self->state) {
        co_return;
    }
    self->begun = true;
    try {
        co_await self->state->flush();
    } catch (const std::system_error&) {
        co_return;  // the transport cannot send: the next sender learns it, a reader need not
    }
}

// What has come and is not read yet lies in a buffer of this run's pool: it moves to one of its own.
void stream_state::detach() {
    check(!reader_.in_use() && !writer_.in_use() && !receiving_.busy(),
          "nobody waits on a TLS stream that is detached");
    check(!sending_.busy() && (background_ == nullptr || !background_->begun),
          "what a cancelled send has taken has left before a TLS stream is detached: the end of another send "
          "says so");
    chunk kept;
    if (const std::span<const std::byte> unread = session_.unread_input(); !unread.empty()) {
        auto* const buffer = new std::byte[unread.size()];
        std::ranges::copy(unread, buffer);
        kept = chunk(heap_buffers, buffer, 0, static_cast<std::uint32_t>(unread.size()));
    }
    detach_transport();
    session_.move_input(kept.bytes());
    input_ = std::move(kept);
    if (background_ != nullptr) {
        background_->let_go();
    }
}

void stream_state::close() noexcept {
    if (!std::exchange(closed_, true)) {
        close_transport();
    }
}

void stream_state::reset() noexcept {
    if (!std::exchange(closed_, true)) {
        reset_transport();
    }
}

std::string stream_state::peer() const {
    std::string place = transport_peer();
    if (host_.empty()) {
        return place.empty() ? "the peer" : place;
    }
    const std::string host = printable(host_, 300);
    const bool same = place.starts_with(host + ":") || place.starts_with("[" + host + "]:");
    return place.empty() ? host : same ? place : host + " (" + place + ")";
}

void stream_state::require_open(const char* what) const {
    if (closed_) {
        throw std::system_error(stream_errc::closed, what + peer());
    }
}

void stream_state::fail(const char* what, std::error_code code, std::string_view text) const {
    throw error(code, what + peer() + ": " + std::string(text));
}

}  // namespace leat::tls::detail
