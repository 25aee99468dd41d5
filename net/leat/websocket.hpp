// SPDX-License-Identifier: MIT
// The public face of WebSocket: sockets, and accepting them in an HTTP server.
#pragma once

#include <leat/websocket/accept.hpp>
#include <leat/websocket/error.hpp>
#include <leat/websocket/message.hpp>
#include <leat/websocket/socket.hpp>
