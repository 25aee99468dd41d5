// SPDX-License-Identifier: MIT
// received_part: the bytes that a recv_exactly of a stream in memory has received so far. Internal to the
// test kit.
#pragma once

#include <leat/core/frame.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace leat::testing::detail {

// A cancelled receive gives back to `source` what it had taken from its front.
struct received_part {
    received_part(std::string& source, std::span<std::byte> into) noexcept : source(source), into(into) {}
    received_part(const received_part&) = delete;
    received_part& operator=(const received_part&) = delete;
    ~received_part() {
        if (unwinding()) {
            source.insert(0, reinterpret_cast<const char*>(into.data()), count);
        }
    }

    std::string& source;
    std::span<std::byte> into;
    std::size_t count = 0;
};

}  // namespace leat::testing::detail
