// SPDX-License-Identifier: MIT
// What the steps of Boost.Fiber cost, as leat_fibre_steps.
#include "steps.hpp"

#include <boost/context/fiber.hpp>
#include <boost/fiber/all.hpp>

namespace {

namespace fibers = boost::fibers;
using std::size_t;

void switches(size_t count) {
    boost::context::fiber inner([](boost::context::fiber&& outer) {
        for (;;) {
            outer = std::move(outer).resume();
        }
        return std::move(outer);
    });
    steps::begin();
    for (size_t i = 0; i < count / 2; ++i) {
        inner = std::move(inner).resume();
    }
    steps::end(count);
}

void yields(size_t count) {
    const auto loop = [](size_t turns) {
        for (size_t i = 0; i < turns; ++i) {
            boost::this_fiber::yield();
        }
    };
    fibers::fiber first(loop, count / 2);
    fibers::fiber second(loop, count / 2);
    steps::begin();
    first.join();
    second.join();
    steps::end(count);
}

// Stacks of the same kind, from a pool.
void spawns_and_joins(size_t count) {
    fibers::pooled_fixedsize_stack stacks(256 * 1024);
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        fibers::fiber(std::allocator_arg, stacks, [] {}).join();
    }
    steps::end(count);
}

}  // namespace

int main(int argc, char** argv) {
    steps::chosen<void (*)(size_t)>(
        argc, argv,
        {{"switch", switches}, {"yield", yields}, {"spawn", spawns_and_joins}})(steps::count(argv));
}
