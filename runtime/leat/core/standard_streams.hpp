// SPDX-License-Identifier: MIT
// The three standard streams of a process: makes sure that they are open when a run begins, so that no socket
// gets the number of one, and writes to them without SIGPIPE.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include <sys/types.h>

namespace leat::detail {

// Opens /dev/null in the place of each of the descriptors 0, 1 and 2 that is closed, as shells, Go and Rust
// do: otherwise the kernel gives these numbers to the next sockets, and what is meant for standard error is
// sent to a peer. Where there is no /dev/null the number is only taken (O_PATH): it cannot be read or
// written.
void open_standard_streams() noexcept;

// write(2), but where nobody reads it gives EPIPE and raises no SIGPIPE, whatever the program does about that
// signal.
[[nodiscard]] ssize_t write_without_sigpipe(int fd, std::span<const std::byte> from) noexcept;

// Writes the pieces, of which there are at most four, to standard error, in one piece where the kernel can.
// It allocates nothing and raises no SIGPIPE. What a full pipe or terminal that does not block does not take
// is lost, and so is what cannot be written at all: there is no other place to report it. One that blocks is
// waited for.
void write_to_standard_error(std::initializer_list<std::string_view> pieces) noexcept;

}  // namespace leat::detail
