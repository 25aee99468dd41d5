// SPDX-License-Identifier: MIT
// What holds of the timings of every answer of the HTTP client.
#pragma once

#include <leat/http/request_timings.hpp>

#include <optional>

namespace leat::testing {

// The steps that were taken came one after the other.
inline bool are_ordered(const http::request_timings& of) {
    time_point last = of.asked;
    for (const std::optional<time_point> next :
         {std::optional(of.begun), of.dialled, of.resolved, of.connected, of.tunnelled, of.secured, of.sent,
          std::optional(of.headed)}) {
        if (next && *next < last) {
            return false;
        }
        last = next.value_or(last);
    }
    return true;
}

}  // namespace leat::testing
