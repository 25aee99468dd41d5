// SPDX-License-Identifier: MIT
// told: what a supervisor and its workers say, line by line. The supervisor is a process of its own.
#pragma once

#include "../../crash/child_process.hpp"
#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/system/prefork.hpp>

#include <csignal>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <unistd.h>

namespace supervised {

inline void say(const std::string& line) {
    const std::string whole = line + "\n";
    (void)!::write(STDERR_FILENO, whole.data(), whole.size());  // in one piece, from several processes
}

inline void stop_supervisor() {
    ::raise(SIGTERM);  // which is blocked in it
}

inline leat::task<> until_term(std::string name) {
    leat::signal_set signals{SIGTERM};
    say(name + " begins");
    co_await signals.next();
    say(name + " ends");
}

template <typename Function>
std::string told(unsigned count, Function function, const leat::prefork_options& options) {
    return leat::testing::run_in_child([&] {
               ::alarm(60);
               std::signal(SIGTERM, SIG_DFL);  // doctest has one of its own
               try {
                   leat::prefork(count, function, options);
                   say("all have ended");
               } catch (const std::exception& error) {
                   say(error.what());
               }
               say(leat::no_child_is_left() ? "no child" : "a child is left");
           })
        .errors;
}

// The state of a process as /proc tells it: R, S, T, Z; 0: there is no such process.
inline char state_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const std::size_t name_ends = text.rfind(')');
    return name_ends == std::string::npos ? '\0' : text[name_ends + 2];
}

// Looks until it is so, as often in a row as is asked for, and does not wait: what is looked at is done by
// another process.
inline void wait_for_state(pid_t process, char wanted, int in_a_row = 1) {
    for (int seen = 0; seen < in_a_row;) {
        seen = state_of(process) == wanted ? seen + 1 : 0;
    }
}

// One that polls without rest sleeps for moments as well.
inline void wait_until_asleep(pid_t process) {
    wait_for_state(process, 'S', 200);
}

}  // namespace supervised
