// SPDX-License-Identifier: MIT
// chance: the random numbers of a simulation, drawn from a seed. The same seed gives the same draws on every
// machine. The network and the backend of a simulation draw from one, programs from another.
// Invariant: a fault that is off draws nothing, so it does not change the draws of the others.
#pragma once

#include <leat/clock.hpp>

#include <array>
#include <cstdint>

namespace leat {

class chance {
public:
    explicit chance(std::uint64_t seed) noexcept;

    // 64 random bits: xoshiro256**, by Blackman and Vigna.
    std::uint64_t draw() noexcept;
    // One of 0 to `bound` - 1; `bound` is at least 1.
    std::uint64_t below(std::uint64_t bound) noexcept { return draw() % bound; }
    [[nodiscard]] bool happens(double probability) noexcept;
    // A length of at most `most`, which is not negative.
    [[nodiscard]] duration up_to(duration most) noexcept;

private:
    std::array<std::uint64_t, 4> state_;
};

// One step of splitmix64: every bit of the result depends on every bit of `value`.
[[nodiscard]] constexpr std::uint64_t scramble(std::uint64_t value) noexcept {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

}  // namespace leat
