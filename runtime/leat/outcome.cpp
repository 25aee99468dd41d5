// SPDX-License-Identifier: MIT
#include <leat/outcome.hpp>

#include <string>

namespace leat {

task_cancelled::task_cancelled(cancel_reason why)
    : system_error(std::make_error_code(std::errc::operation_canceled),
                   "the awaited task was cancelled because " + std::string(why.text())),
      why_(why) {}

}  // namespace leat
