// SPDX-License-Identifier: MIT
// epoll: a backend for every Linux kernel, and the fallback where io_uring is refused.
//
// Theory of operation. epoll tells readiness; the contract wants completions. So an operation is tried at
// once, and if it would block it is kept under its descriptor and direction and tried again when an
// event says that direction is ready.
//
//   * A descriptor is registered once, edge-triggered for both directions, when an operation on it first
//     has to wait; never modified, and removed by its close.
//   * A short read means the socket is drained (epoll(7), question 9), so the next read waits without
//     trying. But data and FIN may share one event: once RDHUP, HUP or ERR was seen it is always tried.
//   * Each registration carries a generation. An event left over from a closed descriptor is recognised
//     by its old generation and dropped.
//   * readable() and writable() serve descriptors that belong to others, who close them without telling.
//     Their registration is for one wait only, so that nothing is believed of a descriptor number later.
#pragma once

#include <leat/backends/backend.hpp>

#include <memory>
#include <string>

namespace leat {

// Throws std::system_error when the kernel refuses epoll itself. `refused` tells why it was not a better
// backend, for describe().
[[nodiscard]] std::unique_ptr<backend> make_epoll_backend(std::string refused = {});

}  // namespace leat
