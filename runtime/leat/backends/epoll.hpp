// SPDX-License-Identifier: MIT
// epoll: a backend for every Linux kernel, and the fallback where io_uring is refused. What it does with
// readiness is in readiness_backend.hpp.
//
//   * A descriptor is registered once, edge-triggered for both directions, when an operation on it first
//     has to wait; it is never modified, and removed before the close, because a duplicate of the descriptor
//     would keep it alive.
//   * Each registration has a number of its own. An event left over from a closed descriptor is recognised
//     by its old number and dropped.
#pragma once

#include <leat/core/backend.hpp>

#include <memory>
#include <string>

namespace leat {

// Throws std::system_error when the kernel refuses epoll itself. `refused` tells why it was not a better
// backend, for describe().
[[nodiscard]] std::unique_ptr<backend> make_epoll_backend(std::string refused = {});

}  // namespace leat
