// SPDX-License-Identifier: MIT
// Bytes that come to a reader in pieces of a given size, and then the end.
#pragma once

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/simulation.hpp>

#include "choices.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

using leat::testing::memory_stream;

// What `read(stream)`, a task of std::string, gives of `bytes` that come `step` at a time.
inline std::string seen_by(std::function<leat::task<std::string>(memory_stream&)> read,
                           std::string_view bytes, std::size_t step) {
    std::string seen;
    leat::testing::run_simulated(
        [&]() -> leat::task<> {
            auto [near, far] = memory_stream::pair({.piece = step});
            co_await far.send_all(bytes);
            far.shutdown_send();
            seen = co_await read(near);
        },
        {}, {.report = nothing_is_reported});
    return seen;
}

}  // namespace fuzz
