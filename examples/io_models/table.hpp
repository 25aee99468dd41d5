// SPDX-License-Identifier: MIT
// The table: one line a measurement, printed as soon as it is known.
#pragma once

#include "measure.hpp"

namespace io_models {

void print_heading(const workload& of);
void print(const measurement& found);
void print_stops_heading();
void print(const stop& found);

}  // namespace io_models
