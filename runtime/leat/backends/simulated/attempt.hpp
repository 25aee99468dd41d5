// SPDX-License-Identifier: MIT
// simulated_attempt: how an operation is carried out on the simulated network, as attempt() of readiness.hpp
// does it with system calls.
#pragma once

#include <leat/backends/simulated/network.hpp>
#include <leat/backends/slab_pool.hpp>

namespace leat {

// How far an operation is, in its `phase`.
enum class simulated_progress : std::uint8_t {
    begun,
    connecting,
    behind,  // it waits for a cancelled one to end; then it is in the backend's turns_
    done,    // its result is in it; it is told later
};

// Does as much of `op`, which is on `socket`, as is possible without waiting. True: it is complete, with its
// result. False: the socket will be touched when it is worth another try.
[[nodiscard]] bool simulated_attempt(operation& op, simulated_socket& socket, simulated_network& network,
                                     slab_pool& pool);

}  // namespace leat
