// SPDX-License-Identifier: MIT
// Limits of a process (setrlimit(2)): raised for the load, lowered to see where a model stops.
#pragma once

#include "server_process.hpp"

namespace io_models {

// The soft limit of descriptors becomes the hard one.
void raise_descriptor_limit();

// For this process and its children. A limit of processes counts all of its user, and none of root's: root
// becomes the user nobody for it. Throws std::system_error where that is not allowed.
void allow_at_most(const allowance& most);

}  // namespace io_models
