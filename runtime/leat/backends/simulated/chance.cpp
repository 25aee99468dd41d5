// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/chance.hpp>

#include <bit>

namespace leat {

chance::chance(std::uint64_t seed) noexcept : state_{} {
    for (std::uint64_t& each : state_) {
        each = seed = scramble(seed);
    }
}

std::uint64_t chance::draw() noexcept {
    const std::uint64_t drawn = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return drawn;
}

bool chance::happens(double probability) noexcept {
    return probability > 0 && static_cast<double>(draw() >> 11) * 0x1p-53 < probability;
}

duration chance::up_to(duration most) noexcept {
    return most > duration::zero()
               ? duration(static_cast<duration::rep>(below(static_cast<std::uint64_t>(most.count()) + 1)))
               : duration::zero();
}

}  // namespace leat
