// SPDX-License-Identifier: MIT
// kernel_files: calls on files as the real kernel answers them, shared by the backends on one.
#pragma once

#include <leat/core/file_operation.hpp>

#include <cerrno>

struct open_how;

namespace leat {

// Calls `call` until it is not interrupted; its answer, or a negated errno.
template <typename Call>
std::int64_t uninterrupted(Call call) noexcept {
    for (;;) {
        const std::int64_t answer = call();
        if (answer >= 0) {
            return answer;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
}

// When the bytes of a file changed last, in nanoseconds from 1970 on: 0 or a negated errno.
[[nodiscard]] std::int64_t set_file_time(int fd, std::int64_t nanoseconds) noexcept;

// As of openat2(2), also where there is none: a descriptor, or a negated errno.
[[nodiscard]] std::int64_t open_below(int folder, const char* path, const open_how& how) noexcept;

// A call that has a path, but for open, open_below and list (kernel_names.cpp).
[[nodiscard]] std::int64_t perform_on_name(const file_operation& op) noexcept;

// Whether the kernel itself sees to it that the paths of `op` do not lead out of its folder: each is one
// name.
[[nodiscard]] bool stays_in_folder(const file_operation& op) noexcept;

// What open(2) has given for `op`, as a file that reading and writing never waits for: `fd`, or a negated
// errno, and then it is closed. With O_DIRECTORY in op.flags it is a folder. op.about is filled.
[[nodiscard]] std::int64_t take_opened(int fd, const file_operation& op) noexcept;

// open_below of what is in memory already: as it ends, or -EAGAIN when it would take a disk, or a kernel
// before 5.12 cannot tell.
[[nodiscard]] std::int64_t open_from_memory(const file_operation& op) noexcept;

// read(2) at the offset of what is in memory already: a count, or -EAGAIN when it would take a disk.
[[nodiscard]] std::int64_t read_from_memory(const file_operation& op) noexcept;

}  // namespace leat
