// SPDX-License-Identifier: MIT
// Two tasks that sleep at the same time, as gevent.joinall() lets them. For two_tasks.cpp, and for its test.
#pragma once

#include <leat/runtime.hpp>

#include <chrono>
#include <ostream>

namespace examples {

inline leat::task<> print_twice(int number, std::chrono::seconds pause, std::ostream& out) {
    out << number << '\n' << std::flush;
    co_await leat::sleep(pause);
    out << number << '\n' << std::flush;
}

inline leat::task<> run_two_tasks(std::ostream& out) {
    using namespace std::chrono_literals;
    auto first = leat::spawn(print_twice, 1, 2s, std::ref(out));
    auto second = leat::spawn(print_twice, 2, 1s, std::ref(out));
    co_await leat::join_all(first, second);
}

}  // namespace examples
