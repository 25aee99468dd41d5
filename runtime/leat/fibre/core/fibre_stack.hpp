// SPDX-License-Identifier: MIT
// fibre_stack: the stacks of fibres, each with a guard below it, recycled per thread.
// Invariant: of each size a thread keeps at most kept_most more unused stacks than it has in use. What a kept
// stack has touched stays in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace leat::detail {

// One mapping: the guard, at its low end, and the stack above it. Its size is a power of two.
struct fibre_stack {
    static constexpr std::size_t guard = std::size_t{64} * 1024;  // as much as a large frame may skip
    static constexpr std::size_t smallest = std::size_t{16} * 1024;
    static constexpr std::size_t largest = std::size_t{1} << 30;
    static constexpr std::size_t kept_most = 64;

    std::byte* bottom = nullptr;  // above the guard
    std::size_t size = 0;

    // What is above it, to the end of the mapping, belongs to the pool.
    static constexpr std::size_t noted = 64;
    [[nodiscard]] std::byte* top() const noexcept { return bottom + size - noted; }
    // Whether `address` is in the guard: the stack has overflowed.
    [[nodiscard]] bool guards(const void* address) const noexcept {
        const auto* at = static_cast<const std::byte*>(address);
        return at < bottom && at >= bottom - guard;
    }
};

// A stack of at least `size` bytes. Throws std::bad_alloc where the system gives no more memory or mappings.
[[nodiscard]] fibre_stack take_fibre_stack(std::size_t size);
void give_back_fibre_stack(const fibre_stack& stack) noexcept;

// How many this thread has, in use and kept; for tests.
struct fibre_stack_counts {
    std::size_t in_use = 0;
    std::size_t kept = 0;
};
[[nodiscard]] fibre_stack_counts count_fibre_stacks() noexcept;

}  // namespace leat::detail
