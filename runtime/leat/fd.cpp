// SPDX-License-Identifier: MIT
#include <leat/fd.hpp>

#include <unistd.h>

namespace leat {

void fd::reset(int number) noexcept {
    if (number_ >= 0) {
        ::close(number_);
    }
    number_ = number;
}

}  // namespace leat
