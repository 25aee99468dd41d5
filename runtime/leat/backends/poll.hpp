// SPDX-License-Identifier: MIT
// poll: a backend on poll(2), for where even epoll is refused, and to tell whether epoll is at fault. What it
// does once it is told of readiness is in readiness_backend.hpp.
//
// Before each wait it lists who waits for which descriptor, and the kernel looks at all of them: the cost of
// a turn grows with the number of descriptors. Nothing is registered, so nothing is left over from a close;
// but for sockets with an error that lasts, which an epoll instance watches (edge_watch.hpp).
#pragma once

#include <leat/core/backend.hpp>

#include <memory>
#include <string>

namespace leat {

// `refused` tells why it was not a better backend, for describe(). Throws std::system_error when there is no
// descriptor left.
[[nodiscard]] std::unique_ptr<backend> make_poll_backend(std::string refused = {});

}  // namespace leat
