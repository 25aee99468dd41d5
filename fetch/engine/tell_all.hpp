// SPDX-License-Identifier: MIT
// tell_all: calls an observer so that what it throws ends the run. For transfers.
#pragma once

#include <exception>

namespace fetch::detail {

// The observer has thrown. It is no std::exception, so that no try takes it for its own failure.
struct failed_observer {
    std::exception_ptr why;
};

template <typename Tell>
void tell_all(Tell tell) {
    try {
        tell();
    } catch (...) {
        throw failed_observer{std::current_exception()};
    }
}

}  // namespace fetch::detail
