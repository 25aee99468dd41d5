// SPDX-License-Identifier: MIT
// drawn_tasks: several tasks whose moments come from the seed of a simulation, some of which are cancelled at
// such moments; for tests that compare what they have done with a model.
#pragma once

#include <leat/runtime.hpp>

#include <array>
#include <chrono>
#include <vector>

namespace drawn_tasks {

inline std::uint64_t draw(std::uint64_t below) {
    return leat::current_scheduler().io().random() % below;
}

// Few enough that much happens in one turn.
inline leat::duration draw_moment() {
    return static_cast<int>(draw(4)) * std::chrono::milliseconds(1);
}

// Cancels some of these tasks while they run.
inline leat::task<> cancel_some(std::vector<leat::handle<>>& tasks) {
    for (int count = 0; count < 4; ++count) {
        co_await leat::sleep(5 * draw_moment());
        tasks[draw(tasks.size())].cancel();
    }
}

template <typename Body>
std::vector<leat::handle<>> spawn_several(int count, Body body) {
    std::vector<leat::handle<>> tasks;
    for (int number = 0; number < count; ++number) {
        tasks.push_back(leat::spawn(body, number));
    }
    return tasks;
}

// Who waits for something, by number: so that a test can ask whether those who waited when it happened have
// all gone on.
class waits {
public:
    using counts = std::array<int, 8>;

    // One wait of a task, for as long as this lives.
    class one {
    public:
        one(waits& all, int number) noexcept : ended_(all.ended_[static_cast<std::size_t>(number)]) {
            ++all.begun_[static_cast<std::size_t>(number)];
        }
        ~one() { ++ended_; }
        one(const one&) = delete;
        one& operator=(const one&) = delete;

    private:
        int& ended_;
    };

    [[nodiscard]] counts begun() const noexcept { return begun_; }
    [[nodiscard]] bool ended(const counts& those) const noexcept {
        for (std::size_t number = 0; number < those.size(); ++number) {
            if (ended_[number] < those[number]) {
                return false;
            }
        }
        return true;
    }

private:
    counts begun_{};
    counts ended_{};
};

}  // namespace drawn_tasks
