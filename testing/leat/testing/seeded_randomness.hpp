// SPDX-License-Identifier: MIT
// seeded_randomness: while one lives, the random numbers of OpenSSL on this thread (keys, nonces, session
// tickets) come from a seed, so that TLS in a simulation is the same each time. run_simulated() has one. The
// length of ECDSA signatures still differs from seed to seed; that of RSA and Ed25519 does not.
// Invariant: other threads keep the randomness they had; without OpenSSL it does nothing.
#pragma once

#include <cstdint>
#include <memory>

namespace leat {

class chance;

namespace testing {

// Not for anything that must stay secret. They nest: the innermost counts.
class seeded_randomness {
public:
    explicit seeded_randomness(std::uint64_t seed);
    ~seeded_randomness();
    seeded_randomness(const seeded_randomness&) = delete;
    seeded_randomness& operator=(const seeded_randomness&) = delete;

private:
    std::unique_ptr<chance> drawn_;
    [[maybe_unused]] chance* before_;
};

}  // namespace testing

}  // namespace leat
