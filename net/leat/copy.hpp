// SPDX-License-Identifier: MIT
// copy and copy_both: bytes carried from one stream to another, of whatever kinds, as proxies and tunnels do.
// They are sent from the buffers in which they were received.
// Invariant: each way holds at most one chunk, so who receives slowly slows down who sends.
#pragma once

#include <leat/sleep.hpp>
#include <leat/stream.hpp>
#include <leat/task_group.hpp>

#include <cstdint>
#include <type_traits>

namespace leat {

// What copy_both(a, b) has carried.
struct copied_bytes {
    std::uint64_t a_to_b = 0;
    std::uint64_t b_to_a = 0;
};

// co_await copy(from, to): sends all that comes from `from` to `to`, until the end, and gives how many bytes
// that were. Both stay alive and open; the end is not passed on (shutdown_send does that). Throws what they
// throw. Cancelled or failed, at most one chunk has been received and not sent, or not all of it.
template <receive_stream From, send_stream To>
[[nodiscard]] task<std::uint64_t> copy(From& from, To& to) {
    std::uint64_t copied = 0;
    while (const chunk part = co_await from.recv_chunk()) {
        co_await to.send_all(part);
        copied += part.size();
        co_await checkpoint();  // streams that never have to wait let others run, too
    }
    co_return copied;
}

namespace detail {

template <stream From, stream To>
task<> copy_with_end(From& from, To& to, std::uint64_t& copied) {
    copied = co_await leat::copy(from, to);
    if constexpr (std::is_void_v<decltype(to.shutdown_send())>) {
        to.shutdown_send();
    } else {
        co_await to.shutdown_send();
    }
}

}  // namespace detail

// co_await copy_both(a, b): copies both ways at once, and passes each end on by shutdown_send, until both
// have ended; gives how many bytes went each way. Both stay alive and open, and nobody else receives from
// them or sends meanwhile. Throws the first error of either way; that, and cancelling it, ends the other way
// as well, and costs what it does for copy(). A peer that stays silent is waited for: see timeout().
template <stream A, stream B>
[[nodiscard]] task<copied_bytes> copy_both(A& a, B& b) {
    copied_bytes copied;
    co_await with_task_group([&](task_group& ways) -> task<> {
        ways.spawn(detail::copy_with_end(a, b, copied.a_to_b));
        co_await detail::copy_with_end(b, a, copied.b_to_a);
    });
    co_return copied;
}

}  // namespace leat
