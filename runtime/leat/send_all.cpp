// SPDX-License-Identifier: MIT
#include <leat/send_all.hpp>

#include <leat/core/duration_text.hpp>

#include <string>

namespace leat {

send_stalled::send_stalled(duration stall, std::size_t sent, std::size_t size)
    : text_("no byte was taken for " + detail::duration_text(stall) + ": " + std::to_string(sent) + " of " +
            std::to_string(size) + " were sent"),
      sent_(sent) {}

}  // namespace leat
