// SPDX-License-Identifier: MIT
// touched: how much memory of its stack a blocking function has touched. Stacks are recycled with what they
// have touched, so it is asked of the first function that has one.
#pragma once

#include <leat/blocking.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace bench {

inline std::size_t touched_bytes() {
    const leat::detail::fibre_stack& stack = leat::detail::this_fibre.running->stack();
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages(stack.size / page);
    (void)::mincore(stack.bottom, stack.size, pages.data());
    return page * static_cast<std::size_t>(std::ranges::count(pages, 1));
}

// Runs `count` of `work` at once, each as a blocking function, and prints seconds and the most bytes of a
// stack that one has touched.
template <typename Work>
leat::task<> at_once(int count, Work work) {
    const auto begun = leat::now();
    std::vector<leat::handle<std::size_t>> all;
    for (int i = 0; i < count; ++i) {
        all.push_back(leat::spawn(leat::blocking([&] {
            work();
            return touched_bytes();
        })));
    }
    std::size_t most = 0;
    for (auto& each : all) {
        const std::size_t touched = co_await each;
        most = std::max(most, touched);
    }
    std::printf("%.3f %zu\n", std::chrono::duration<double>(leat::now() - begun).count(), most);
}

}  // namespace bench
