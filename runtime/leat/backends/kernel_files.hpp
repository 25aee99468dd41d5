// SPDX-License-Identifier: MIT
// kernel_files: calls on files as the real kernel answers them, shared by the backends on one.
#pragma once

#include <leat/core/file_operation.hpp>

namespace leat {

// What open(2) has given, as a file that reading and writing never waits for: `fd`, or a negated errno, and
// then it is closed. `flags` are those of the open: with O_DIRECTORY it is a folder.
[[nodiscard]] std::int64_t take_opened(int fd, int flags) noexcept;

// read(2) at the offset of what is in memory already: a count, or -EAGAIN when it would take a disk.
[[nodiscard]] std::int64_t read_from_memory(const file_operation& op) noexcept;

}  // namespace leat
