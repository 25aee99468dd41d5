// SPDX-License-Identifier: MIT
// stream_pair: two connected TCP streams, on whatever backend the test runs. Tests that use them include
// <leat/net.hpp>: this header does not, to stay light.
#pragma once

#include <leat/task.hpp>

#include <utility>

namespace leat {

class tcp_stream;

}  // namespace leat

namespace leat::testing {

// A client and the server that it is connected to, on the loopback address. Throws std::system_error as
// connecting does.
[[nodiscard]] task<std::pair<tcp_stream, tcp_stream>> stream_pair();

}  // namespace leat::testing
