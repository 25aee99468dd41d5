// SPDX-License-Identifier: MIT
// kernel_files: calls on files as the real kernel answers them, shared by the backends on one.
#pragma once

#include <leat/core/file_operation.hpp>

namespace leat {

// What open(2) has given for `op`, as a file that reading and writing never waits for: `fd`, or a negated
// errno, and then it is closed. With O_DIRECTORY in op.flags it is a folder. op.about is filled.
[[nodiscard]] std::int64_t take_opened(int fd, const file_operation& op) noexcept;

// open_below of what is in memory already: as it ends, or -EAGAIN when it would take a disk, or a kernel
// before 5.12 cannot tell.
[[nodiscard]] std::int64_t open_from_memory(const file_operation& op) noexcept;

// read(2) at the offset of what is in memory already: a count, or -EAGAIN when it would take a disk.
[[nodiscard]] std::int64_t read_from_memory(const file_operation& op) noexcept;

}  // namespace leat
