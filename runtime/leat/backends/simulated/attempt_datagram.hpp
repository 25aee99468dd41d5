// SPDX-License-Identifier: MIT
// simulated_datagram_attempt: how an operation is carried out on a UDP socket of the simulated network. Used
// by simulated_attempt.
#pragma once

#include <leat/backends/simulated/network.hpp>
#include <leat/backends/slab_pool.hpp>

namespace leat {

// Gives `op` its result. True, as what attempts return: it is complete.
inline bool complete_simulated(operation& op, std::int64_t result) noexcept {
    op.result = result;
    return true;
}

// As simulated_attempt.
[[nodiscard]] bool simulated_datagram_attempt(operation& op, simulated_socket& socket,
                                              simulated_network& network, slab_pool& pool);

}  // namespace leat
