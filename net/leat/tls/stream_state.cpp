// SPDX-License-Identifier: MIT
#include <leat/tls/stream_state.hpp>

#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/timeout.hpp>
#include <leat/tls/plaintext_buffers.hpp>

#include <algorithm>
#include <cstring>

namespace leat::tls::detail {
namespace {

// How long a peer that has made a fatal mistake may take to listen to the alert that says so.
constexpr duration alert_patience = std::chrono::seconds(1);

// Runs X; cancelled, it is X alone that ends: the task goes on, and its next wait is the cancelled one.
// co_await tells whether X finished.
template <typename X>
class [[nodiscard]] uncut : public leat::detail::scoped<cancel_scope, X> {
public:
    explicit uncut(X&& x) : leat::detail::scoped<cancel_scope, X>(std::forward<X>(x), scope_kind::catching) {}
    bool await_resume() {
        const bool finished = !this->scope_.absorbed;
        if (finished) {
            this->finish();
        }
        return finished;
    }
};

}  // namespace

// One task at a time reads, and one writes.
struct stream_state::exclusive {
    exclusive(bool& flag, const char* rule) noexcept : flag_(flag) {
        check(!flag, rule);
        flag = true;
    }
    exclusive(const exclusive&) = delete;
    exclusive& operator=(const exclusive&) = delete;
    ~exclusive() { flag_ = false; }

private:
    bool& flag_;
};

// What a read that must be whole has got so far: cancelled, it gives it back.
struct stream_state::unfinished_read {
    unfinished_read(stream_state& state, std::span<std::byte> into) noexcept : whole(into), state_(state) {}
    unfinished_read(const unfinished_read&) = delete;
    unfinished_read& operator=(const unfinished_read&) = delete;
    ~unfinished_read() {
        if (filled < whole.size() && unwinding()) {
            state_.give_back(whole.first(filled));
        }
    }

    std::span<std::byte> whole;
    std::size_t filled = 0;

private:
    stream_state& state_;
};

// A send from its first encrypted byte on: unless it ends well, what the peer has got is unknown.
struct stream_state::unfinished_send {
    explicit unfinished_send(stream_state& state) noexcept : state_(state) {}
    unfinished_send(const unfinished_send&) = delete;
    unfinished_send& operator=(const unfinished_send&) = delete;
    ~unfinished_send() { state_.broken_ = state_.broken_ || begun; }

    bool begun = false;

private:
    stream_state& state_;
};

// ---- the handshake ------------------------------------------------------------------------------

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
        co_await agree();
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
        switch (next.what) {
            case step::kind::done:
                if (session_.wants_flush()) {
                    co_await flush();
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
        co_await move_on_after(alert_patience, flush());
    } catch (const std::system_error&) {
        co_return;  // what failed before is what the caller hears of
    }
}

// ---- reading ------------------------------------------------------------------------------------

// One step of reading, again while all that stood in its way were answers to the peer.
step stream_state::read(std::span<std::byte> into) {
    for (;;) {
        const std::size_t output_before = session_.output_size();
        const step next = session_.read(into);
        if (session_.unread_input().empty()) {
            input_.reset();
        }
        if (next.what != step::kind::has_output || session_.output_size() == output_before) {
            return next;
        }
    }
}

// Makes another read() worth trying, or throws.
task<> stream_state::read_on(step blocked) {
    if (blocked.what == step::kind::failed) {
        const std::string text = session_.error_text();
        co_await tell_peer(blocked.error);
        fail("recv from ", blocked.error, text);
    }
    if (blocked.what == step::kind::has_output) {
        co_await flush();
        co_return;
    }
    flush_in_background();
    co_await fetch();
}

task<std::size_t> stream_state::recv(state_reference self, byte_buffer into) {
    const exclusive reader(self->reading_, "one task at a time receives from a TLS stream");
    co_await checkpoint();
    self->require_open("recv from ");
    if (!self->is_established()) {
        co_await self->establish();
    }
    if (into.size() == 0) {
        co_return 0;
    }
    if (const std::size_t returned = self->take_returned(into); returned > 0) {
        co_return returned;
    }
    for (;;) {
        const step next = self->read(into);
        if (next.done() || next.what == step::kind::closed) {
            co_return next.bytes;
        }
        co_await self->read_on(next);
    }
}

task<> stream_state::recv_exactly(state_reference self, byte_buffer into) {
    const exclusive reader(self->reading_, "one task at a time receives from a TLS stream");
    co_await checkpoint();
    self->require_open("recv from ");
    if (!self->is_established()) {
        co_await self->establish();
    }
    unfinished_read progress(*self, into);
    progress.filled = self->take_returned(into);
    while (progress.filled < progress.whole.size()) {
        const step next = self->read(progress.whole.subspan(progress.filled));
        if (next.done()) {
            progress.filled += next.bytes;
        } else if (next.what == step::kind::closed) {
            throw std::system_error(stream_errc::end_of_stream,
                                    "recv from " + self->peer() + ": " + std::to_string(progress.filled) +
                                        " of " + std::to_string(progress.whole.size()) + " bytes arrived");
        } else {
            co_await self->read_on(next);
        }
    }
}

task<chunk> stream_state::recv_chunk(state_reference self) {
    const exclusive reader(self->reading_, "one task at a time receives from a TLS stream");
    co_await checkpoint();
    self->require_open("recv from ");
    if (!self->is_established()) {
        co_await self->establish();
    }
    for (;;) {
        step next;
        {
            plaintext_buffer buffer;
            next = {step::kind::done, self->take_returned(buffer.bytes())};
            if (next.bytes == 0) {
                next = self->read(buffer.bytes());
            }
            if (next.done()) {
                co_return buffer.to_chunk(next.bytes);
            }
        }
        if (next.what == step::kind::closed) {
            co_return chunk();
        }
        co_await self->read_on(next);
    }
}

std::size_t stream_state::take_returned(std::span<std::byte> into) noexcept {
    const std::size_t count = std::min(returned_.size(), into.size());
    if (count > 0) {
        std::memcpy(into.data(), returned_.data(), count);
        returned_.erase(0, count);
        if (returned_.empty()) {
            std::string().swap(returned_);
        }
    }
    return count;
}

void stream_state::give_back(std::span<const std::byte> bytes) {
    if (!bytes.empty()) {
        returned_.insert(0, reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
}

void stream_state::take_input(chunk arrived) noexcept {
    input_ = std::move(arrived);
    if (input_.empty()) {
        session_.end_of_input();
    } else {
        session_.feed(input_.bytes());
    }
}

// ---- writing ------------------------------------------------------------------------------------

// Before the first byte: what was left by earlier operations goes first. Cancelled, nothing has happened.
task<> stream_state::prepare_send() {
    co_await checkpoint();
    require_open("send to ");
    if (broken_) {
        throw std::system_error(stream_errc::broken, "send to " + peer());
    }
    if (!is_established()) {
        co_await establish();
    }
    if (session_.wants_flush()) {
        co_await flush();
    }
}

// Makes another step of writing worth trying, or throws.
task<> stream_state::write_on(step blocked) {
    if (blocked.what == step::kind::failed) {
        const std::string text = session_.error_text();
        co_await tell_peer(blocked.error);
        fail("send to ", blocked.error, text);
    }
    if (blocked.what == step::kind::needs_input) {
        co_await fetch();
    } else {
        co_await flush();
    }
}

task<std::size_t> stream_state::send(state_reference self, byte_view from) {
    const exclusive writer(self->writing_, "one task at a time sends on a TLS stream");
    co_await self->prepare_send();
    if (from.size() == 0) {
        co_return 0;
    }
    step next = self->session_.write(from);
    while (!next.done()) {
        co_await self->write_on(next);
        next = self->session_.write(from);
    }
    self->bytes_sent_ += next.bytes;
    // They are the stream's now. Cancelled, it still sends them, and the caller hears how many they are.
    unfinished_send progress(*self);
    progress.begun = true;
    const bool flushed = co_await uncut(self->flush());
    if (!flushed) {
        self->flush_in_background();
    }
    progress.begun = false;
    co_return next.bytes;
}

task<> stream_state::send_all(state_reference self, byte_pieces pieces) {
    const exclusive writer(self->writing_, "one task at a time sends on a TLS stream");
    co_await self->prepare_send();
    unfinished_send progress(*self);
    for (std::span<const std::byte> rest : pieces) {
        while (!rest.empty()) {
            const step next = self->session_.write(rest);
            if (next.done()) {
                progress.begun = true;
                self->bytes_sent_ += next.bytes;
                rest = rest.subspan(next.bytes);
            } else {
                co_await self->write_on(next);
            }
        }
    }
    if (progress.begun) {
        co_await self->flush();
    }
    progress.begun = false;
}

task<> stream_state::shutdown_send(state_reference self) {
    const exclusive writer(self->writing_, "one task at a time sends on a TLS stream");
    co_await self->prepare_send();
    const step next = self->session_.shutdown();
    if (next.what == step::kind::failed) {
        self->fail("shutdown of the connection to ", next.error, self->session_.error_text());
    }
    co_await self->flush();
    co_await self->end_transport();
}

// ---- what both need -----------------------------------------------------------------------------

void stream_state::flush_in_background() {
    if (session_.wants_flush() && !sending_.busy() && !closed_) {
        leat::detail::spawn_call(current_scheduler().background(), std::source_location::current(),
                                 flush_quietly, state_reference(*this));
    }
}

task<> stream_state::flush_quietly(state_reference self) {
    try {
        co_await self->flush();
    } catch (const std::system_error&) {
        co_return;  // the transport cannot send: the next sender learns it, a reader need not
    }
}

void stream_state::close() noexcept {
    if (!std::exchange(closed_, true)) {
        close_transport();
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
