// SPDX-License-Identifier: MIT
#include <leat/result.hpp>

namespace leat::detail {

void throw_error(std::error_code error, const char* context) {
    throw std::system_error(error, context);
}

}  // namespace leat::detail
