// SPDX-License-Identifier: MIT
// poll: a backend on poll(2), for systems that refuse even epoll, and to find out whether a fault is in
// epoll. What it does with readiness is in readiness_backend.hpp.
//
// Before each wait it lists the descriptors that operations wait for, and the kernel checks all of them: the
// cost of a turn grows with their number. Nothing is registered, so a close leaves nothing behind; except
// sockets with a lasting error, which an epoll instance watches (edge_watch.hpp).
#pragma once

#include <leat/core/backend.hpp>

#include <memory>
#include <string>

namespace leat {

// `refused` tells why it was not a better backend, for describe(). Throws std::system_error when there is no
// descriptor left.
[[nodiscard]] std::unique_ptr<backend> make_poll_backend(std::string refused = {});

}  // namespace leat
