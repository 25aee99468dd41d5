// SPDX-License-Identifier: MIT
// What sendfile(2) lacks to be called by a loop: it may wait for a disk, and it raises SIGPIPE. Used by
// kernel_sockets.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace leat {

// Whether the kernel has all of a part of a file in memory, so that reading it waits for no disk. False also
// when it does not tell: before Linux 6.5 (cachestat(2)), later for files of others that are not writable.
[[nodiscard]] bool is_in_memory(int file, std::uint64_t offset, std::size_t size) noexcept;

// While it lives SIGPIPE does not reach this thread, and one that is raised is gone.
class without_sigpipe {
public:
    without_sigpipe() noexcept;
    without_sigpipe(const without_sigpipe&) = delete;
    without_sigpipe& operator=(const without_sigpipe&) = delete;
    ~without_sigpipe();

private:
    sigset_t before_{};
    bool was_pending_ = false;
};

}  // namespace leat
