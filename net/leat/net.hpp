// SPDX-License-Identifier: MIT
// The public face of the network: addresses, TCP and servers. It includes the runtime's.
#pragma once

#include <leat/bytes.hpp>
#include <leat/endpoint.hpp>
#include <leat/runtime.hpp>
#include <leat/stream.hpp>
#include <leat/tcp.hpp>
