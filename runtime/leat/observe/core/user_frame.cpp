// SPDX-License-Identifier: MIT
#include <leat/observe/core/user_frame.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace leat::detail {

bool is_in_library(const std::source_location& where) noexcept {
    constexpr std::array<std::string_view, 4> roots{"runtime/leat/", "net/leat/", "testing/leat/",
                                                    "include/leat/"};
    const std::string_view file = where.file_name();
    return std::any_of(roots.begin(), roots.end(), [file](std::string_view root) {
        const std::size_t at = file.find(root);
        return at != std::string_view::npos && (at == 0 || file[at - 1] == '/');
    });
}

const frame* innermost_of_user(const frame* from, const frame* end) noexcept {
    constexpr int frames_max = 10'000;  // a chain that is broken may have no end
    const frame* at = from;
    for (int count = 0; at != nullptr && at != end && count < frames_max; ++count, at = at->parent) {
        if (at->where.line() != 0 && !is_in_library(at->where)) {
            return at;
        }
    }
    return nullptr;
}

}  // namespace leat::detail
