// SPDX-License-Identifier: MIT
// Bytes that are given back to a socket or pipe, and that the next read gets first: those that a cancelled
// read had received, or that a backend had received ahead. They are on the heap; the pointer is usually null.
#pragma once

#include <leat/chunk.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace leat::detail {

// Puts `bytes` before what was given back already. Throws std::bad_alloc, also for 4 GiB and more; then
// nothing has changed.
void give_back(std::unique_ptr<chunk>& returned, std::span<const std::byte> bytes);
// The same; it is not copied if there is nothing yet and its memory is its own. It is empty then.
void give_back(std::unique_ptr<chunk>& returned, chunk&& bytes);
// Puts `size` bytes behind it, as what came later, for the caller to fill: the span returned. Throws
// std::bad_alloc, and nothing has changed.
[[nodiscard]] std::span<std::byte> give_back_room(std::unique_ptr<chunk>& returned, std::size_t size);

// Copies bytes that were given back to `into`, as many as fit; returns how many.
[[nodiscard]] std::size_t copy_returned(const std::unique_ptr<chunk>& returned,
                                        std::span<std::byte> into) noexcept;
// Forgets the first `count` of them, which are there.
void drop_returned(std::unique_ptr<chunk>& returned, std::size_t count) noexcept;
// Moves bytes that were given back to `into`, as many as fit; returns how many.
[[nodiscard]] std::size_t take_returned(std::unique_ptr<chunk>& returned, std::span<std::byte> into) noexcept;

}  // namespace leat::detail
