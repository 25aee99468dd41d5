// SPDX-License-Identifier: MIT
// The public face of TLS: contexts, streams, listeners, connect and accept. It includes TCP, which they run
// over.
#pragma once

#include <leat/tls/connect.hpp>
#include <leat/tls/context.hpp>
#include <leat/tls/error.hpp>
#include <leat/tls/listener.hpp>
#include <leat/tls/pem.hpp>
#include <leat/tls/session.hpp>
#include <leat/tls/stream.hpp>
