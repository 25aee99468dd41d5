// SPDX-License-Identifier: MIT
// seeded_randomness: while one lives, what OpenSSL leaves to chance on this thread (keys, nonces, session
// tickets) comes from a seed, so that TLS in a simulation is the same each time. run_simulated() has one.
// Signatures by ECDSA stay of varying length from seed to seed; those of RSA and Ed25519 do not.
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
