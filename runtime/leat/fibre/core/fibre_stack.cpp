// SPDX-License-Identifier: MIT
#include <leat/fibre/core/fibre_stack.hpp>

#include <leat/fibre/core/fibre_wait.hpp>
#include <leat/fibre/core/stack_overflow.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <utility>

#include <sys/mman.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

namespace leat::detail {

namespace {

constexpr int guard_install = 102;  // MADV_GUARD_INSTALL, Linux 6.13: madvise(2)

// What the pool knows of a stack, above its top.
struct unused_stack {
    fibre_stack stack;
    unsigned valgrind_id;
    unused_stack* next;
};

struct size_class {
    unused_stack* first = nullptr;
    std::size_t kept = 0;
    std::size_t in_use = 0;
};

constexpr int smallest_width = std::bit_width(fibre_stack::smallest);
using size_classes = std::array<size_class, std::bit_width(fibre_stack::largest) - smallest_width + 1>;

constinit thread_local size_classes own = {};
constinit thread_local bool thread_ends = false;

size_class& class_of(std::size_t size) noexcept {
    return own[static_cast<std::size_t>(std::bit_width(size) - smallest_width)];
}

unused_stack* note_of(const fibre_stack& stack) noexcept {
    static_assert(sizeof(unused_stack) <= fibre_stack::noted);
    return reinterpret_cast<unused_stack*>(stack.top());
}

// Pages that cannot be touched. The new way takes no mapping of its own, of which a process has 65,530 only.
bool install_guard(void* low) noexcept {
    constinit static std::atomic<bool> has_guards = true;
    if (has_guards.load(std::memory_order_relaxed)) {
        if (::madvise(low, fibre_stack::guard, guard_install) == 0) {
            return true;
        }
        has_guards = false;
    }
    return ::mprotect(low, fibre_stack::guard, PROT_NONE) == 0;
}

void unmap(const fibre_stack& stack) noexcept {
    ::munmap(stack.bottom - fibre_stack::guard, fibre_stack::guard + stack.size);
}

fibre_stack map(std::size_t size) {
    void* const low = ::mmap(nullptr, fibre_stack::guard + size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (low == MAP_FAILED) {
        throw std::bad_alloc();
    }
    const fibre_stack made{static_cast<std::byte*>(low) + fibre_stack::guard, size};
    if (!install_guard(low)) {
        unmap(made);
        throw std::bad_alloc();
    }
    ::madvise(made.bottom, size, MADV_NOHUGEPAGE);  // one that sleeps has touched one page
    return made;
}

void forget(const unused_stack& unused) noexcept {
#ifdef VALGRIND_STACK_DEREGISTER
    VALGRIND_STACK_DEREGISTER(unused.valgrind_id);
#endif
    unmap(fibre_stack(unused.stack));
}

// Gives the stacks back when the thread ends. What later destructors of the thread give back is unmapped.
// When it ends in a fibre, by exit(3), what runs from now on blocks as in any process: nobody else goes on.
struct keeper {
    ~keeper() {
        thread_ends = true;
        this_fibre.hooked = nullptr;
        for (size_class& each : own) {
            while (each.first != nullptr) {
                forget(*std::exchange(each.first, each.first->next));
            }
            each.kept = 0;
        }
    }
};

}  // namespace

fibre_stack take_fibre_stack(std::size_t size) {
    if (size > fibre_stack::largest) {
        throw std::bad_alloc();
    }
    size = std::bit_ceil(std::max(size, fibre_stack::smallest));
    size_class& from = class_of(size);
    if (from.first != nullptr) {
        ++from.in_use;
        --from.kept;
        return std::exchange(from.first, from.first->next)->stack;
    }
    thread_local const keeper until_the_end;
    watch_for_overflows();
    const fibre_stack made = map(size);
    unsigned id = 0;
#ifdef VALGRIND_STACK_REGISTER
    id = VALGRIND_STACK_REGISTER(made.bottom, made.bottom + size);
#endif
    note_of(made)->valgrind_id = id;
    ++from.in_use;
    return made;
}

void give_back_fibre_stack(const fibre_stack& stack) noexcept {
    size_class& to = class_of(stack.size);
    unused_stack* const unused = note_of(stack);
    unused->stack = stack;
    --to.in_use;
    unused->next = std::exchange(to.first, unused);
    ++to.kept;
    const std::size_t most = thread_ends ? 0 : to.in_use + fibre_stack::kept_most;
    for (; to.kept > most; --to.kept) {
        forget(*std::exchange(to.first, to.first->next));
    }
}

fibre_stack_counts count_fibre_stacks() noexcept {
    fibre_stack_counts all;
    for (const size_class& each : own) {
        all.in_use += each.in_use;
        all.kept += each.kept;
    }
    return all;
}

}  // namespace leat::detail
