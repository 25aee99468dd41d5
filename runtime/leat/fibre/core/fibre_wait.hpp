// SPDX-License-Identifier: MIT
// fibre_wait: how code that runs in a fibre waits, for the calls of the C library that are interposed and for
// leat::await. Every function here is called in a fibre, but for in_fibre, is_waited_for and
// descriptor_closes.
// Invariant: what a wait consists of stands on the stack of the fibre, and no wait allocates, but for the
// operations of one that asks for more than 16 directions of descriptors.
#pragma once

#include <leat/clock.hpp>

#include <cstdint>
#include <span>

struct pollfd;  // poll(2)

namespace leat::detail {

class fibre;

// What runs on this thread. `hooked` is null inside really_block and while leat itself runs.
struct fibre_place {
    fibre* running = nullptr;
    fibre* hooked = nullptr;
};

// Small, and found without a call, also in a shared library.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local fibre_place this_fibre;

// Whether the code that runs now is in a fibre, and not inside really_block.
[[nodiscard]] inline bool in_fibre() noexcept {
    return this_fibre.hooked != nullptr;
}

enum class fibre_wait_end : std::uint8_t {
    ready,
    timed_out,
    refused,  // the scope is cancelled: the call gives ECANCELED
    closed,   // a descriptor that is waited for was closed: the call gives EBADF
};

// Waits until one of `asked` is ready as poll(2) says, and sets revents of each, or until `deadline` has
// passed. Descriptors below 0 are left out. One that is not open is ready, with POLLNVAL.
[[nodiscard]] fibre_wait_end wait_for_descriptors(std::span<pollfd> asked, time_point deadline) noexcept;

// The same for one descriptor and one direction (POLLIN or POLLOUT) without asking the kernel again what is
// ready: for a call that is tried next, and may have to wait again.
[[nodiscard]] fibre_wait_end wait_to_try(int fd, short event, time_point deadline) noexcept;

// Waits until `deadline` has passed; one that has is a turn for the others.
[[nodiscard]] fibre_wait_end wait_for_time(time_point deadline) noexcept;

// Whether the scope of the fibre is cancelled: then calls that would block are refused, data or not. Counts
// the refusal: after 1,000 in a row it is reported, once, and from then on the others have a turn at each.
[[nodiscard]] bool refuse_call() noexcept;

// leat::await was refused, in `here`: counted as a refused call. Throws fibre_cancelled.
[[noreturn]] void throw_fibre_cancelled(fibre& here);

// Whether a fibre of this thread waits for `fd`. Any thread, in a fibre or not.
[[nodiscard]] bool is_waited_for(int fd) noexcept;

// `fd` is about to be closed: waits of fibres for it end as `closed`. Any thread, in a fibre or not.
void descriptor_closes(int fd) noexcept;

}  // namespace leat::detail
