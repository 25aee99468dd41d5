// SPDX-License-Identifier: MIT
// A producer hands numbered items to two consumers, strictly in turn: generators that are sent values.
#include "baozi.hpp"

#include "command_line.hpp"

#include <iostream>

int main(int argc, char** argv) {
    return examples::run_program("baozi", "A producer and two consumers that take turns.", argc, argv,
                                 [] { return examples::produce(std::cout); });
}
