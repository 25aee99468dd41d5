// SPDX-License-Identifier: MIT
#include <leat/result.hpp>

namespace leat::detail {

std::string result_error::error_text() const {
    if (thrown_ != nullptr) {
        try {
            std::rethrow_exception(thrown_);
        } catch (const std::system_error& told) {
            return told.what();
        }
    }
    return code_ ? code_.message() : std::string();
}

void result_error::throw_error(const char* context) const {
    if (thrown_ != nullptr) {
        std::rethrow_exception(thrown_);
    }
    throw std::system_error(code_, context);
}

}  // namespace leat::detail
