// SPDX-License-Identifier: MIT
// Counts what operator new gives, and makes it fail on request: for the program whose operator new this is.
#pragma once

#include <atomic>

namespace leat::counted_memory {

extern std::atomic<long> allocations;  // made so far
extern std::atomic<long> living;       // of them, not freed
extern std::atomic<long> fails_at;     // counts down to the one that fails; negative: none does
extern thread_local bool may_fail;

}  // namespace leat::counted_memory
