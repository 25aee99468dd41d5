// SPDX-License-Identifier: MIT
// The public face of the network: addresses, names, TCP, UDP, Unix sockets and servers. It includes the
// runtime's.
#pragma once

#include <leat/bytes.hpp>
#include <leat/connect.hpp>
#include <leat/copy.hpp>
#include <leat/dns/resolve.hpp>
#include <leat/endpoint.hpp>
#include <leat/runtime.hpp>
#include <leat/send_all.hpp>
#include <leat/serve.hpp>
#include <leat/stream.hpp>
#include <leat/tcp.hpp>
#include <leat/udp.hpp>
#include <leat/unix.hpp>
#include <leat/unix_datagram.hpp>
#include <leat/unix_seqpacket.hpp>
