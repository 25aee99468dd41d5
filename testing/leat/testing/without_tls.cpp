// SPDX-License-Identifier: MIT
// Without OpenSSL nothing draws from it.
#include <leat/testing/seeded_randomness.hpp>

#include <leat/backends/simulated/chance.hpp>

namespace leat::testing {

seeded_randomness::seeded_randomness(std::uint64_t /*seed*/) : before_(nullptr) {}
seeded_randomness::~seeded_randomness() = default;

}  // namespace leat::testing
