// SPDX-License-Identifier: MIT
// Two tasks print, sleep for 2 and 1 seconds, and print again: 1, 2, 2, 1, in 2 seconds.
#include "two_tasks.hpp"

#include "command_line.hpp"

#include <iostream>

int main(int argc, char** argv) {
    return examples::run_program("two_tasks", "Two tasks that sleep at the same time.", argc, argv,
                                 [] { return examples::run_two_tasks(std::cout); });
}
