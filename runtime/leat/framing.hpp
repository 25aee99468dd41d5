// SPDX-License-Identifier: MIT
// The public face of framing: lines, delimiters and messages on any byte stream. A stream is read by a
// buffered_reader, or a line at a time by recv_line; a message_stream carries messages in both directions.
#pragma once

#include <leat/framing/buffered_reader.hpp>
#include <leat/framing/error.hpp>
#include <leat/framing/message_format.hpp>
#include <leat/framing/message_stream.hpp>
#include <leat/framing/recv_line.hpp>
