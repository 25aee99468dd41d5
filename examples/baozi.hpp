// SPDX-License-Identifier: MIT
// A producer and two consumers that take turns, as generators with send() do in Python. For baozi.cpp, and
// for its test.
#pragma once

#include <leat/runtime.hpp>

#include <ostream>
#include <string>

namespace examples {

// Eats what it is sent; each co_yield tells how many it has eaten, and gives the next one.
inline leat::generator<int, int> consumer(std::string name, std::ostream& out) {
    out << "--->starting eating baozi...\n" << std::flush;
    for (int eaten = 0;; ++eaten) {
        const int baozi = co_yield eaten;
        out << '[' << name << "] is eating baozi " << baozi << '\n' << std::flush;
    }
}

inline leat::task<> produce(std::ostream& out) {
    auto c1 = consumer("c1", out);
    auto c2 = consumer("c2", out);
    c1.next();  // each runs to its first co_yield
    c2.next();
    for (int n = 1; n <= 5; ++n) {
        c1.send(n);
        c2.send(n);
        out << "[producer] is making baozi " << n << '\n' << std::flush;
        co_await leat::yield();  // to other tasks, if there are any
    }
}

}  // namespace examples
