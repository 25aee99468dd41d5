// SPDX-License-Identifier: MIT
// The two ends of a channel of numbers, for tests of channel and of thread_channel.
#pragma once

#include <leat/task.hpp>

#include <vector>

namespace leat::testing {

template <typename Channel>
task<> receive_all(Channel& channel, std::vector<int>& into) {
    while (auto value = co_await channel.receive()) {
        into.push_back(*value);
    }
}

template <typename Channel>
task<> send_range(Channel& channel, int first, int end) {
    for (int value = first; value < end; ++value) {
        co_await channel.send(value);
    }
}

inline std::vector<int> range(int first, int end) {
    std::vector<int> all;
    for (int value = first; value < end; ++value) {
        all.push_back(value);
    }
    return all;
}

}  // namespace leat::testing
