// SPDX-License-Identifier: MIT
#include <leat/check.hpp>

#include <leat/core/standard_streams.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace leat {

void check_failed(const char* rule, std::source_location where) noexcept {
    char text[512];
    const int size = std::snprintf(text, sizeof text, "leat: %s:%u: ", where.file_name(),
                                   static_cast<unsigned>(where.line()));
    const auto shown = std::clamp<std::size_t>(static_cast<std::size_t>(size), 0, sizeof text - 1);
    detail::write_to_standard_error({{text, shown}, rule, "\n"});
    std::abort();
}

}  // namespace leat
