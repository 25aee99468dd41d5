// SPDX-License-Identifier: MIT
#include <leat/core/error_text.hpp>

namespace leat::detail {

std::string error_text(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception of unknown type";
    }
}

}  // namespace leat::detail
