// SPDX-License-Identifier: MIT
// uring_ring: one io_uring, for the backend: its setup, the queue of submissions, the queue of completions,
// and our own call to io_uring_enter. It does not know operations.
//
//   * liburing sets up and maps the rings; entering is done here, because its helpers leave out GETEVENTS
//     when completions are already there, and then deferred work does not run.
//   * A submission is known by its position, a number that counts up and wraps around. While the kernel has
//     not taken it, it can still be changed: its slot then holds what was put there.
//   * Belongs to the thread that made it (IORING_SETUP_SINGLE_ISSUER), and work on completions is done
//     inside enter only (IORING_SETUP_DEFER_TASKRUN, Linux 6.1). Without the newer features it is done
//     whenever the thread returns from the kernel.
#pragma once

#include <leat/backends/uring_options.hpp>
#include <leat/clock.hpp>

#include <bit>
#include <bitset>
#include <cstdint>
#include <memory>
#include <string>

#include <liburing.h>
#include <sys/socket.h>

namespace leat {

// Newer than the headers this must compile with (linux/io_uring.h).
namespace uring_abi {

inline constexpr unsigned feature_min_timeout = 1U << 15;  // Linux 6.12, as is enter_abs_timer
inline constexpr unsigned feature_no_iowait = 1U << 17;    // Linux 6.15
inline constexpr std::uint8_t op_ftruncate = 55;           // Linux 6.9
inline constexpr unsigned enter_abs_timer = 1U << 5;
inline constexpr unsigned enter_no_iowait = 1U << 7;

}  // namespace uring_abi

class uring_ring {
public:
    // Throws std::system_error that says which call the kernel refused, and what forbids it if known.
    explicit uring_ring(const uring_options& options);
    ~uring_ring();
    uring_ring(const uring_ring&) = delete;
    uring_ring& operator=(const uring_ring&) = delete;

    static constexpr unsigned entries_min = 4;

    // How many submissions there is room for until the next enter.
    [[nodiscard]] unsigned room() const noexcept { return entries_ - queued(); }
    // A submission, zeroed, that the next enter hands to the kernel. There is room for it.
    [[nodiscard]] io_uring_sqe& next() noexcept;
    // The position of what next() gave last.
    [[nodiscard]] std::uint32_t position() const noexcept { return ring_.sq.sqe_tail - 1; }
    // The submission at `position` if the kernel has not taken it; otherwise null.
    [[nodiscard]] io_uring_sqe* unsubmitted(std::uint32_t position) const noexcept;
    // A message header that stays until the kernel has taken the submission that next() gave last.
    [[nodiscard]] msghdr& message() noexcept { return messages_[position() & ring_.sq.ring_mask]; }

    // Hands over what is queued and runs deferred work. Returns 0 or a negated errno: EAGAIN and EBUSY mean
    // that the kernel wants completions reaped first.
    int enter() noexcept { return enter(0, long_ago); }
    // The same, and waits for a completion until `deadline`. May return early.
    int enter_and_wait(time_point deadline) noexcept { return enter(1, deadline); }
    // Whether entering would do anything: something is queued, or the kernel has work or completions.
    [[nodiscard]] bool has_work() const noexcept { return queued() != 0 || owed(); }
    // Whether the kernel has completions that only entering brings in.
    [[nodiscard]] bool owed() const noexcept;

    // Calls handle(const io_uring_cqe&) for each completion that is there, then gives their places back.
    // `handle` must not enter. Returns how many there were.
    template <typename Handler>
    unsigned reap(Handler handle) {
        const unsigned first = *ring_.cq.khead;
        const unsigned last = __atomic_load_n(ring_.cq.ktail, __ATOMIC_ACQUIRE);
        for (unsigned head = first; head != last; ++head) {
            handle(ring_.cq.cqes[head & ring_.cq.ring_mask]);
        }
        __atomic_store_n(ring_.cq.khead, last, __ATOMIC_RELEASE);
        return last - first;
    }

    // The events of poll(2), as an entry holds them: the kernel reads two halves, the low one first.
    [[nodiscard]] static std::uint32_t poll_mask(std::uint32_t events) noexcept {
        return std::endian::native == std::endian::big ? std::rotl(events, 16) : events;
    }

    // Whether the kernel knows this code of an entry; asked of it when that is wanted first.
    [[nodiscard]] bool knows(std::uint8_t opcode) noexcept;
    // For io_uring_register(2) by liburing.
    [[nodiscard]] io_uring& native() noexcept { return ring_; }
    [[nodiscard]] std::string features() const;
    [[nodiscard]] bool newer_features() const noexcept { return newer_features_; }

private:
    [[nodiscard]] unsigned queued() const noexcept {
        return ring_.sq.sqe_tail - __atomic_load_n(ring_.sq.khead, __ATOMIC_ACQUIRE);
    }
    int enter(unsigned wanted, time_point deadline) noexcept;

    mutable io_uring ring_{};  // liburing's registering functions take it as not const
    std::unique_ptr<msghdr[]> messages_;
    unsigned entries_ = 0;
    unsigned enter_flags_ = IORING_ENTER_GETEVENTS;
    bool absolute_deadlines_ = false;
    bool newer_features_;
    bool probed_ = false;
    std::bitset<256> known_;  // codes
};

}  // namespace leat
