// SPDX-License-Identifier: MIT
// Two coroutines that switch to each other by name, as greenlets do. For ping_pong.cpp, and for its test.
#pragma once

#include <leat/runtime.hpp>

#include <ostream>

namespace examples {

// A task that goes on only when another one switches to it.
struct player {
    leat::handle<> running;
    leat::event turn;
};

// `from`, which runs, lets `to` run next, and goes on when somebody switches back to it.
inline leat::task<> hand_over(player& from, player& to) {
    to.turn.set();
    co_await leat::switch_to(to.running);
    co_await from.turn.wait();
    from.turn.reset();
}

// The first one switches to the second for the last time, and nobody switches back: it never finishes, and is
// destroyed when the program ends.
inline leat::task<> play(std::ostream& out) {
    player first;
    player second;
    const auto run_first = [&]() -> leat::task<> {
        out << "12\n" << std::flush;
        co_await hand_over(first, second);
        out << "34\n" << std::flush;
        co_await hand_over(first, second);
        out << "this is never printed\n";
    };
    const auto run_second = [&]() -> leat::task<> {
        co_await second.turn.wait();  // until it is switched to for the first time
        second.turn.reset();
        out << "56\n" << std::flush;
        co_await hand_over(second, first);
        out << "78\n" << std::flush;
    };
    co_await leat::with_task_group([&](leat::task_group& players) -> leat::task<> {
        first.running = players.spawn(run_first);
        second.running = players.spawn(run_second);
        co_await second.running;
        players.cancel("nobody switches back to it");
    });
}

}  // namespace examples
