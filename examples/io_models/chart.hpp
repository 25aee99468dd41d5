// SPDX-License-Identifier: MIT
// The chart, as SVG.
#pragma once

#include "measure.hpp"

#include <string>
#include <vector>

namespace io_models {

struct results {
    int busy = 0;  // clients that talked at once, at most
    std::vector<measurement> measurements;
    std::vector<stop> stops;
};

[[nodiscard]] std::string draw_chart(const results& all);

}  // namespace io_models
