// SPDX-License-Identifier: MIT
// accept_errors: what the accept loop of serve() does about an error of accept(2) that does not belong to one
// connection. In serve.cpp.
#pragma once

#include <leat/clock.hpp>

#include <system_error>

namespace leat::detail {

class accept_errors {
public:
    // True: the process is short of something, which was reported once; wait for delay() and go on. False:
    // the listener is closed. Any other error is thrown.
    [[nodiscard]] bool take(std::error_code error);
    void clear() noexcept { delay_ = duration::zero(); }
    [[nodiscard]] duration delay() const noexcept { return delay_; }

private:
    duration delay_ = duration::zero();
};

}  // namespace leat::detail
