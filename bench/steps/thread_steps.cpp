// SPDX-License-Identifier: MIT
// What the same steps cost with a thread each, on one processor.
#include "steps.hpp"

#include <thread>

#include <sched.h>

namespace {

using std::size_t;

void yields(size_t count) {
    const auto loop = [](size_t turns) {
        for (size_t i = 0; i < turns; ++i) {
            std::this_thread::yield();
        }
    };
    steps::begin();
    std::thread other(loop, count / 2);
    loop(count / 2);
    other.join();
    steps::end(count);
}

void spawns_and_joins(size_t count) {
    steps::begin();
    for (size_t i = 0; i < count; ++i) {
        std::thread([] {}).join();
    }
    steps::end(count);
}

}  // namespace

int main(int argc, char** argv) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ::sched_setaffinity(0, sizeof one, &one);
    steps::chosen<void (*)(size_t)>(argc, argv,
                                    {{"yield", yields}, {"spawn", spawns_and_joins}})(steps::count(argv));
}
