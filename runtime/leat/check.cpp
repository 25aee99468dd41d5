// SPDX-License-Identifier: MIT
#include <leat/check.hpp>

#include <cstdio>
#include <cstdlib>

namespace leat {

void check_failed(const char* rule, std::source_location where) noexcept {
    std::fprintf(stderr, "leat: %s:%u: %s\n", where.file_name(), static_cast<unsigned>(where.line()), rule);
    std::fflush(stderr);
    std::abort();
}

}  // namespace leat
