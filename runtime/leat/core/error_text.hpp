// SPDX-License-Identifier: MIT
// error_text: what an exception says, for a report.
#pragma once

#include <exception>
#include <string>

namespace leat::detail {

[[nodiscard]] std::string error_text(const std::exception_ptr& error);

}  // namespace leat::detail
