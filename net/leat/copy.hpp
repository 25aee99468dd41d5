// SPDX-License-Identifier: MIT
// copy and copy_both: bytes carried from one stream to another, of whatever kinds, as proxies and tunnels do.
// They are sent from the buffers in which they were received.
// Invariant: each way holds at most one chunk, so a slow receiver slows down the sender.
#pragma once

#include <leat/core/duration_text.hpp>
#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/task_group.hpp>
#include <leat/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace leat {

// What copy_both(a, b) has carried.
struct copied_bytes {
    std::uint64_t a_to_b = 0;
    std::uint64_t b_to_a = 0;
};

struct copy_options {
    // How long both ways together may make no progress: then copy_both throws timed_out. Progress is a
    // received chunk, a chunk that was sent whole, and the end of a way.
    duration idle = duration::max();
    // Begins at zero and is kept current: says what was sent also when copy_both fails or is cancelled. It
    // lives as long as copy_both runs.
    copied_bytes* counts = nullptr;
};

namespace detail {

// How far a copy has got, while it goes on.
class copy_progress {
public:
    // `moved_at` is null if the time of the last bytes is not needed.
    copy_progress(std::uint64_t& copied, time_point* moved_at) noexcept
        : copied_(copied), moved_at_(moved_at) {}
    void moved() const noexcept {
        if (moved_at_ != nullptr) {
            *moved_at_ = now();
        }
    }
    void sent(std::size_t bytes) const noexcept {
        copied_ += bytes;
        moved();
    }

private:
    std::uint64_t& copied_;
    time_point* moved_at_;
};

template <receive_stream From, send_stream To>
task<> copy_telling(From& from, To& to, copy_progress progress) {
    while (const chunk part = co_await from.recv_chunk()) {
        progress.moved();
        co_await to.send_all(part);
        progress.sent(part.size());
        co_await checkpoint();  // streams that never have to wait let others run, too
    }
}

}  // namespace detail

// co_await copy(from, to): sends all that comes from `from` to `to`, until the end, and gives how many bytes
// that were. Both stay alive and open; the end is not passed on (shutdown_send does that). Throws what they
// throw. If it is cancelled or fails, at most one chunk has been received and not sent, or not wholly sent.
template <receive_stream From, send_stream To>
[[nodiscard]] task<std::uint64_t> copy(From& from, To& to) {
    std::uint64_t copied = 0;
    co_await detail::copy_telling(from, to, detail::copy_progress(copied, nullptr));
    co_return copied;
}

namespace detail {

template <stream From, stream To>
task<> copy_with_end(From& from, To& to, copy_progress progress) {
    co_await copy_telling(from, to, progress);
    progress.moved();
    co_await end_sending(to);
}

// Throws timed_out once nothing has moved for `idle`.
inline task<> end_when_idle(const time_point& moved_at, duration idle) {
    for (time_point due = after(moved_at, idle); now() < due; due = after(moved_at, idle)) {
        co_await sleep_until(due);
    }
    throw timed_out("copy_both: nothing has come either way for " + duration_text(idle));
}

}  // namespace detail

// co_await copy_both(a, b): copies both ways at once, and passes each end on by shutdown_send, until both
// have ended; gives how many bytes went each way. Both stay alive and open, and no other task receives from
// them or sends meanwhile. Throws the first error of either way; that, and cancelling it, ends the other way
// as well, and costs what it does for copy(). A peer that stays silent is waited for: see copy_options::idle.
template <stream A, stream B>
[[nodiscard]] task<copied_bytes> copy_both(A& a, B& b, copy_options options = {}) {
    copied_bytes own;
    copied_bytes& copied = options.counts != nullptr ? *options.counts : own;
    copied = {};
    const bool limited = options.idle != duration::max();
    time_point moved_at = now();
    time_point* const moved = limited ? &moved_at : nullptr;
    co_await with_task_group([&](task_group& ways) -> task<> {
        const auto there =
            ways.spawn(detail::copy_with_end(a, b, detail::copy_progress(copied.a_to_b, moved)));
        if (limited) {
            ways.spawn(detail::end_when_idle(moved_at, options.idle));
        }
        co_await detail::copy_with_end(b, a, detail::copy_progress(copied.b_to_a, moved));
        if (limited) {
            (void)co_await there.join();
            ways.cancel();  // both ways have ended: the idle limit is not needed any more
        }
    });
    co_return copied;
}

}  // namespace leat
