// SPDX-License-Identifier: MIT
// brittle: a value that can be copied so many times, and not be moved; one copy more throws. For tests of
// results that cannot be passed on.
#pragma once

#include <stdexcept>

namespace leat {

struct brittle {
    explicit brittle(int copies) noexcept : left(copies) {}
    brittle(const brittle& other) : left(other.left - 1) {
        if (left < 0) {
            throw std::runtime_error("worn out");
        }
    }
    int left;
};

}  // namespace leat
