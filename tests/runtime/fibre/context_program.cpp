// SPDX-License-Identifier: MIT
// What the switch between stacks has to keep, by itself: context_switch_test.py compiles it for each
// processor.
#include <leat/fibre/core/context.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

using leat::detail::context;

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

}  // namespace

extern "C" [[noreturn]] void leat_fibre_main(void* argument) noexcept {
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
    std::abort();
}

int main() {
    inside = leat::detail::new_context(stack + sizeof stack, &told);
    int switches = 0;
    double seen = 0;
    for (; !ended; ++switches) {
        const double before = switches * 1.25;
        leat::detail::switch_context(outside, inside);
        seen += before;
    }
    require(switches == 43, "each switch returns once");
    require(seen == 1.25 * (42 * 43 / 2), "values of the caller outlive a switch");
    require(told == "thrown", "exceptions are thrown and caught on a stack of their own");
    std::printf("the switch keeps what it has to\n");
}
