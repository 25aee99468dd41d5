// SPDX-License-Identifier: MIT
#include <leat/send_all.hpp>

#include <string>

namespace leat {

send_stalled::send_stalled(duration stall, std::size_t sent, std::size_t size)
    : text_("no byte was taken for " + std::to_string(stall / std::chrono::milliseconds(1)) +
            " ms: " + std::to_string(sent) + " of " + std::to_string(size) + " were sent"),
      sent_(sent) {}

}  // namespace leat
