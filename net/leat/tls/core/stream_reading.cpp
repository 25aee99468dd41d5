// SPDX-License-Identifier: MIT
// The reading operations of a TLS stream.
#include <leat/core/pushback.hpp>
#include <leat/sleep.hpp>
#include <leat/tls/core/plaintext_buffers.hpp>
#include <leat/tls/core/stream_state.hpp>

#include <algorithm>
#include <new>

namespace leat::tls::detail {

using leat::detail::give_back;
using leat::detail::one_user;
using leat::detail::take_returned;

// What a read that must be whole has got so far: cancelled, or without memory to go on, it gives it back.
struct stream_state::unfinished_read {
    unfinished_read(stream_state& state, std::span<std::byte> into) noexcept : whole(into), state_(state) {}
    unfinished_read(const unfinished_read&) = delete;
    unfinished_read& operator=(const unfinished_read&) = delete;
    ~unfinished_read() {
        if (filled < whole.size() && (out_of_memory || unwinding())) {
            try {
                give_back(state_.returned_, whole.first(filled));
            } catch (const std::bad_alloc&) {
                state_.lost_bytes_ = true;
            }
        }
    }

    std::span<std::byte> whole;
    std::size_t filled = 0;
    bool out_of_memory = false;

private:
    stream_state& state_;
};

// One step of reading, again while all that stood in its way were answers to the peer.
step stream_state::read(std::span<std::byte> into) {
    for (;;) {
        const std::size_t output_before = session_.output_size();
        const step next = session_.read(into);
        fruitless_ = next.done() ? 0 : fruitless_;
        release_used_input();
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
    send_answers();
    if (fruitless_ > 1) {  // a record may lie in two buffers; what is no data may go on for ever
        co_await yield();
    }
    co_await fetch();
}

task<std::size_t> stream_state::recv(state_reference self, byte_buffer into) {
    co_await self->turn_to_read();
    const one_user::use reading(self->reader_);
    self->require_readable();
    if (!self->is_established()) {
        co_await self->establish();
    }
    if (const std::size_t returned = take_returned(self->returned_, into); returned > 0) {
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
    co_await self->turn_to_read();
    const one_user::use reading(self->reader_);
    self->require_readable();
    if (!self->is_established()) {
        co_await self->establish();
    }
    unfinished_read progress(*self, into);
    progress.filled = take_returned(self->returned_, into);
    try {
        while (progress.filled < progress.whole.size()) {
            const step next = self->read(progress.whole.subspan(progress.filled));
            if (next.done()) {
                progress.filled += next.bytes;
            } else if (next.what == step::kind::closed) {
                throw leat::detail::cut_short(stream_errc::end_of_stream, "recv from " + self->peer(),
                                              progress.filled, progress.whole.size());
            } else {
                co_await self->read_on(next);
            }
        }
    } catch (const std::bad_alloc&) {
        progress.out_of_memory = true;
        throw;
    }
}

task<chunk> stream_state::recv_chunk(state_reference self) {
    co_await self->turn_to_read();
    const one_user::use reading(self->reader_);
    self->require_readable();
    if (!self->is_established()) {
        co_await self->establish();
    }
    if (self->returned_ != nullptr) {
        co_return std::move(*std::exchange(self->returned_, nullptr));
    }
    for (;;) {
        step next;
        {
            plaintext_buffer buffer;
            next = self->read(buffer.bytes());
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

void stream_state::unread(chunk&& bytes) {
    require_open("unread for ");
    leat::detail::check_no_receiver(reader_.has_begun());
    give_back(returned_, std::move(bytes));
}

void stream_state::require_readable() const {
    require_open("recv from ");
    if (lost_bytes_) {
        throw std::system_error(std::make_error_code(std::errc::not_enough_memory),
                                "recv from " + peer() + ": what a cancelled read had taken is lost");
    }
}

void stream_state::take_input(chunk arrived) noexcept {
    input_ = std::move(arrived);
    if (input_.empty()) {
        session_.end_of_input();
    } else {
        session_.feed(input_.bytes());
        fruitless_ = static_cast<std::uint8_t>(std::min(fruitless_ + 1, 2));
    }
}

}  // namespace leat::tls::detail
