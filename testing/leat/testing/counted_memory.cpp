// SPDX-License-Identifier: MIT
#include <leat/testing/counted_memory.hpp>

#include <cstdlib>
#include <new>

namespace leat::testing::counted_memory {

std::atomic<long> allocations = 0;
std::atomic<long> living = 0;
std::atomic<long> fails_at = -1;
thread_local bool may_fail = false;

}  // namespace leat::testing::counted_memory

namespace {

using namespace leat::testing::counted_memory;

void* allocate(std::size_t size) {
    if (may_fail && fails_at >= 0 && fails_at-- == 0) {
        throw std::bad_alloc();
    }
    ++allocations;
    ++living;
    if (void* block = std::malloc(size)) {
        return block;
    }
    throw std::bad_alloc();
}

void release(void* block) noexcept {
    if (block != nullptr) {
        --living;
        std::free(block);
    }
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
// The library's own would call the first of these, a sanitizer's does not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return allocate(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    release(block);
}
void operator delete(void* block) noexcept {
    release(block);
}
void operator delete[](void* block) noexcept {
    release(block);
}
void operator delete(void* block, std::size_t) noexcept {
    release(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    release(block);
}
