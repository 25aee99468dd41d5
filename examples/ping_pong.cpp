// SPDX-License-Identifier: MIT
// Two coroutines switch to each other by name, and one of them is left behind.
#include "ping_pong.hpp"

#include "command_line.hpp"

#include <iostream>

int main(int argc, char** argv) {
    return examples::run_program("ping_pong", "Two coroutines that switch to each other by name.", argc, argv,
                                 [] { return examples::play(std::cout); });
}
