// SPDX-License-Identifier: MIT
// blocking_sleeps ANYTHING COUNT: sleeps of 1 s at once.
#include "touched.hpp"

#include <leat/runtime.hpp>

#include <cstdlib>

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    return leat::run_main([=] { return bench::at_once(std::atoi(argv[2]), [] { ::sleep(1); }); });
}
