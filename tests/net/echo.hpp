// SPDX-License-Identifier: MIT
// An echo handler for tests of serve(), what a client of it expects, and what such a server reports.
#pragma once

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lent_listener.hpp"

namespace leat::testing {

inline task<> echo(tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

inline task<> expect_answer(tcp_stream& peer) {
    char reply[4] = {};
    co_await peer.send_all("ping");
    const auto received = co_await as_result(peer.recv_exactly(reply));
    CHECK(received.ok());
    CHECK(std::string_view(reply, 4) == "ping");
}

inline std::vector<std::string> reported;

// For run_options.report.
inline void remember(std::string_view line) {
    reported.emplace_back(line);
}

}  // namespace leat::testing
