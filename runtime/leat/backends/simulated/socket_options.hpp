// SPDX-License-Identifier: MIT
// The options of simulated sockets: those that leat and its users set. Any other is refused with
// ENOPROTOOPT, as a kernel refuses what it does not know.
#pragma once

#include <leat/backends/simulated/socket.hpp>

namespace leat {

// setsockopt(2): 0 or an errno value.
[[nodiscard]] int set_simulated_option(simulated_socket& socket, int level, int name,
                                       std::span<const std::byte> value);
// getsockopt(2): the size written.
[[nodiscard]] result<std::size_t> simulated_option(simulated_socket& socket, int level, int name,
                                                   std::span<std::byte> value);

}  // namespace leat
