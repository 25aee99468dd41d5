// SPDX-License-Identifier: MIT
// uring: the backend on io_uring (Linux 6.1 or later), which takes operations and gives completions, as the
// contract asks. Used where the kernel allows it; epoll.hpp otherwise.
//
// Theory of operation. A submitted operation becomes an entry in the submission queue whose user_data is
// its address. One io_uring_enter for each turn submits all that was queued, runs the work that the kernel
// has deferred, and waits; the nearest deadline is its argument, so timers cost no entry. Results are copied
// into the operations and the completion queue is emptied before any task runs.
//
//   * An operation ends only by its completion: until then the kernel uses its buffer. A cancel is a second
//     entry, which makes that completion come soon; it may still be a success.
//   * An entry that the kernel has not taken yet is withdrawn at once: it becomes a NOP. This is needed for
//     safety, too, since the kernel looks up the descriptor of an entry only when it takes it.
//   * retire() cancels what is pending and closes the descriptor after the last completion. Until then no
//     other socket can have the number, so the state kept by number belongs to that socket only.
//   * An operation that will probably succeed at once is tried by a plain system call first: a receive when
//     the last one left something behind, an accept when the last one succeeded, a datagram's receive as
//     well, a send while few operations complete in a turn. With many, a queued send shares the turn's one
//     system call.
//   * An entry for a receive says so when the socket is probably empty, and then the kernel waits first.
//   * recv_chunk lets the kernel pick a buffer once there is data (uring_buffers.hpp). When there is no
//     buffer, the data is received by a plain system call into a buffer of the pool or of the heap.
//   * Without a ring of buffers recv_chunk waits until there is data, and takes it by a plain system call.
//   * The kernel runs at most 20 deferred items an entry; collect() enters again while it has more.
#pragma once

#include <leat/backends/uring_options.hpp>
#include <leat/core/backend.hpp>

#include <memory>
#include <string>

namespace leat {

// Throws std::system_error that says what the kernel refused.
[[nodiscard]] std::unique_ptr<backend> make_uring_backend(const uring_options& options = {});

// Tries io_uring out: a receive, a cancel and a timeout. Empty when all is well, otherwise what failed.
// Catches what setting up does not: filters and emulations that are incomplete.
[[nodiscard]] std::string try_uring();

// The same, tried once in this process.
[[nodiscard]] const std::string& uring_self_test();

}  // namespace leat
