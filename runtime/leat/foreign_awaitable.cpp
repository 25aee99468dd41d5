// SPDX-License-Identifier: MIT
#include <leat/foreign_awaitable.hpp>

namespace leat::detail {

constinit const wait_kind foreign_wait::foreign_kind{"an awaitable of another library",
                                                     [](wait&) noexcept { return false; }};

foreign_signal signal_to(foreign_wait& /*waiting*/) {
    co_return;
}

}  // namespace leat::detail
