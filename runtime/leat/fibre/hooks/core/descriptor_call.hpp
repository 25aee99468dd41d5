// SPDX-License-Identifier: MIT
// descriptor_call: a call of a fibre on one descriptor. It is tried without waiting; when it cannot be done
// yet the fibre waits, and it is tried again. For the hooks beside this folder. Invariant: the descriptor is
// asked about itself only after EAGAIN, or when the scope is cancelled; so a call that can be done at once
// costs one system call. A call to read that follows one that had to wait, on the same descriptor and in the
// same fibre, waits first, so that it is tried once only; now and then one tries first, which shows whether
// that is still right.
#pragma once

#include <leat/fibre/core/fibre_wait.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>

#include <poll.h>
#include <sys/types.h>

namespace leat::detail {

// A time that a caller gives in two parts, neither of which is negative. It saturates.
[[nodiscard]] constexpr duration sum_of(std::chrono::seconds whole, auto rest) noexcept {
    const duration first = saturate(whole);
    return first + std::min(saturate(rest), duration::max() - first);
}

enum class direction : std::uint8_t { in, out };

// A socket may have another time limit (SO_RCVTIMEO, SO_SNDTIMEO) than before, or a number another socket.
// Any thread.
void note_changed_limits() noexcept;

// Whether O_NONBLOCK is set. Of a descriptor that is not open: true, and the call itself says so.
[[nodiscard]] bool is_nonblocking(int fd) noexcept;
// Whether it is a file of a disk or a folder, for which nothing can wait: such calls block.
[[nodiscard]] bool is_file(int fd) noexcept;
// What poll(2) says now of these events: not only of them.
[[nodiscard]] bool is_ready(int fd, short events) noexcept;

// Whether a call that has nothing to do with a descriptor is refused; errno says so then. After many calls
// that needed not wait the others have their turn in it.
[[nodiscard]] bool is_refused() noexcept;
// errno for the end of a wait, and whether it ended because something is ready. `late`: the errno of a wait
// that has timed out.
[[nodiscard]] bool is_ready(fibre_wait_end end, int late) noexcept;

class descriptor_call {
public:
    descriptor_call(int fd, direction way) noexcept : fd_(fd), way_(way), errno_before_(errno) {}

    // As is_refused(), but calls on descriptors that do not block, and on files, are not refused.
    [[nodiscard]] bool refused() noexcept;
    // Before the first try: waits, if the call is expected to have to. False: it has failed, as errno says.
    [[nodiscard]] bool wait_if_drained() noexcept;
    // After EAGAIN: waits until the call can be tried again. False: it has failed, as errno says.
    [[nodiscard]] bool wait() noexcept;
    // After a part of the call was done: as wait(), but false also when the descriptor does not block, or
    // has an error, which is for the next call.
    [[nodiscard]] bool wait_for_rest() noexcept;
    // Its own time limit (SO_RCVTIMEO, SO_SNDTIMEO), counted from the first wait.
    [[nodiscard]] time_point deadline() noexcept;

    // A wait leaves no trace in errno when the call succeeds.
    template <typename Result>
    [[nodiscard]] Result done(Result result) noexcept {
        errno = errno_before_;
        if (looks_again_) [[unlikely]] {
            stop_guessing();
        }
        return result;
    }

private:
    void note_drained() noexcept;
    void stop_guessing() noexcept;
    [[nodiscard]] short event() const noexcept { return way_ == direction::in ? POLLIN : POLLOUT; }

    const int fd_;
    const direction way_;
    const int errno_before_;
    bool blocks_ = false;       // known to
    bool looks_again_ = false;  // tries first though it is expected to have to wait
    std::optional<time_point> deadline_;
};

// The result of `attempt`, which gives -1 and EAGAIN as long as it cannot be done.
template <typename Attempt>
auto try_until_ready(int fd, direction way, Attempt attempt) -> decltype(attempt()) {
    descriptor_call call(fd, way);
    if (call.refused() || !call.wait_if_drained()) {
        return -1;
    }
    for (;;) {
        const auto result = attempt();
        if (result >= 0) [[likely]] {
            return call.done(result);
        }
        if (errno != EAGAIN || !call.wait()) {
            return -1;
        }
    }
}

}  // namespace leat::detail
