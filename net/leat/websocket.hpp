// SPDX-License-Identifier: MIT
// The public face of WebSocket: sockets, connecting them, and accepting them in an HTTP server.
#pragma once

#include <leat/websocket/accept.hpp>
#include <leat/websocket/connect.hpp>
#include <leat/websocket/error.hpp>
#include <leat/websocket/message.hpp>
#include <leat/websocket/socket.hpp>
