// SPDX-License-Identifier: MIT
// What a cancelled read gives back to its stream, for the next read to see first; for sockets and pipes. It
// stands on the heap, null as a rule: it happens only when a read is cancelled midway.
#pragma once

#include <leat/chunk.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace leat::detail {

// Puts `bytes` before what was given back already. Throws std::bad_alloc.
void give_back(std::unique_ptr<chunk>& returned, std::span<const std::byte> bytes);

// Moves bytes that were given back to `into`, as many as fit; returns how many.
[[nodiscard]] std::size_t take_returned(std::unique_ptr<chunk>& returned, std::span<std::byte> into) noexcept;

}  // namespace leat::detail
