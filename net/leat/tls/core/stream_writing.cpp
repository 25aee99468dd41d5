// SPDX-License-Identifier: MIT
// The writing operations of a TLS stream.
#include <leat/timeout.hpp>
#include <leat/tls/core/stream_state.hpp>

namespace leat::tls::detail {

using leat::detail::one_user;

namespace {

// Runs X; cancelled, it is X alone that ends: the task goes on, and its next wait is the cancelled one.
// co_await tells whether X finished.
template <typename X>
class [[nodiscard]] catch_cancel : public leat::detail::scoped<leat::detail::entered_scope, X> {
public:
    explicit catch_cancel(X&& x)
        : leat::detail::scoped<leat::detail::entered_scope, X>(std::forward<X>(x),
                                                               leat::detail::scope_kind::catching) {}
    bool await_resume() {
        const bool finished = !this->scope_.absorbed;
        if (finished) {
            this->finish();
        }
        return finished;
    }
};

}  // namespace

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

// Before the first byte: what was left by earlier operations goes first. Cancelled, nothing has happened.
task<> stream_state::prepare_send() {
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

step stream_state::write(std::span<const std::byte> from) {
    const step next = session_.write(from);
    release_used_input();
    return next;
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
    co_await self->turn_to_write();
    const one_user::use writing(self->writer_);
    co_await self->prepare_send();
    if (from.size() == 0) {
        co_return 0;
    }
    step next = self->write(from);
    while (!next.done()) {
        co_await self->write_on(next);
        next = self->write(from);
    }
    self->bytes_sent_ += next.bytes;
    // They are the stream's now. Cancelled, it still sends them, and the caller hears how many they are.
    unfinished_send progress(*self);
    progress.begun = true;
    const bool flushed = co_await catch_cancel(self->flush());
    if (!flushed) {
        self->flush_in_background();
    }
    progress.begun = false;
    co_return next.bytes;
}

task<> stream_state::send_all(state_reference self, leat::detail::byte_pieces pieces) {
    co_await self->turn_to_write();
    const one_user::use writing(self->writer_);
    co_await self->prepare_send();
    unfinished_send progress(*self);
    for (std::span<const std::byte> rest : pieces) {
        while (!rest.empty()) {
            const step next = self->write(rest);
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
    co_await self->turn_to_write();
    const one_user::use writing(self->writer_);
    co_await self->prepare_send();
    const step next = self->session_.shutdown();
    if (next.what == step::kind::failed) {
        self->fail("shutdown of the connection to ", next.error, self->session_.error_text());
    }
    co_await self->flush();
    co_await self->end_transport();
}

}  // namespace leat::tls::detail
