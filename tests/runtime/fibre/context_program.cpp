// SPDX-License-Identifier: MIT
// What the switch between stacks has to keep, by itself: context_switch_test.py compiles it for each
// processor.
#include <leat/fibre/core/context.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <unwind.h>

using leat::detail::context;

extern "C" [[noreturn]] void leat_fibre_main(void* argument) noexcept;

namespace {

context outside;
context inside;
alignas(64) std::byte stack[256 * 1024];
bool ended = false;
std::string told;

void require(bool holds, const char* rule) {
    if (!holds) {
        std::printf("broken: %s\n", rule);
        std::exit(1);
    }
}

void leave() {
    leat::detail::switch_context(inside, outside);
}

// Switches with more values alive than there are registers.
double keep_values(int seed) {
    double values[40];
    long numbers[40];
    for (int i = 0; i < 40; ++i) {
        values[i] = seed + i * 0.5;
        numbers[i] = seed * 3L + i;
    }
    double sum = 0;
    for (int i = 0; i < 40; ++i) {
        leat::detail::switch_context(inside, outside);
        sum += values[i] * static_cast<double>(numbers[39 - i]);
    }
    return sum;
}

double expected(int seed) {
    double sum = 0;
    for (int i = 0; i < 40; ++i) {
        sum += (seed + i * 0.5) * static_cast<double>(seed * 3L + 39 - i);
    }
    return sum;
}

// What the unwinder finds behind a context that has been left.
struct seen_behind {
    int frames = 0;
    bool has_main = false;
    std::uintptr_t last = 0;
};

_Unwind_Reason_Code note(_Unwind_Context* at, void* into) {
    auto& seen = *static_cast<seen_behind*>(into);
    seen.last = _Unwind_GetRegionStart(at);
    seen.has_main |= seen.last == reinterpret_cast<std::uintptr_t>(&leat_fibre_main);
    return ++seen.frames < 20 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void look(void* into) noexcept {
    _Unwind_Backtrace(note, into);
}

void look_behind(const leat::detail::context& left) {
    seen_behind seen;
    leat::detail::leat_call_behind(left, look, &seen);
    require(seen.has_main, "the calls on a stack that was left are found");
    require(seen.last == reinterpret_cast<std::uintptr_t>(&leat::detail::leat_fibre_entry),
            "a stack ends where it began");
}

}  // namespace

// Not a part of leat_fibre_main: what comes before a throw may be a function of its own to the unwinder.
[[gnu::noinline]] static void run_inside(void* argument) {
    require(argument == &told, "the first function is given its argument");
    require(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) % 16 == 0, "a stack is aligned");
    require(keep_values(7) == expected(7), "values outlive a switch");
    try {
        leave();
        throw std::runtime_error("thrown");
    } catch (const std::runtime_error& error) {
        leave();
        told += error.what();
    }
    ended = true;
    leave();
}

extern "C" [[noreturn]] void leat_fibre_main(void* argument) noexcept {
    run_inside(argument);
    std::abort();
}

int main() {
    inside = leat::detail::new_context(stack + sizeof stack, &told);
    int switches = 0;
    double seen = 0;
    for (; !ended; ++switches) {
        const double before = switches * 1.25;
        leat::detail::switch_context(outside, inside);
        look_behind(inside);
        seen += before;
    }
    require(switches == 43, "each switch returns once");
    require(seen == 1.25 * (42 * 43 / 2), "values of the caller outlive a switch");
    require(told == "thrown", "exceptions are thrown and caught on a stack of their own");
    std::printf("the switch keeps what it has to\n");
}
