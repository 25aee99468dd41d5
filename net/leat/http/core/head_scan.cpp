// SPDX-License-Identifier: MIT
#include <leat/http/core/head_scan.hpp>

#include <leat/http/core/text.hpp>

namespace leat::http::detail {

head_scan::outcome head_scan::scan(std::string_view text, bool leading_lines, strictness how) noexcept {
    const bool lenient = how == strictness::lenient;
    for (;;) {
        const std::size_t feed = text.find('\n', searched);
        if (feed == text.npos) {
            searched = text.size();
            return outcome::incomplete;
        }
        const std::string_view line = text.substr(line_begin, feed - line_begin);
        const bool first = in_start_line();
        if (line.empty() || line.find('\r') != line.size() - 1) {
            if (!lenient) {
                return first ? outcome::malformed_start_line : outcome::malformed_header;
            }
            clean = false;
        }
        searched = line_begin = feed + 1;
        if (line.empty() || line == "\r") {
            if (!first) {
                head_end = feed + 1;
                return outcome::complete;
            }
            if (!leading_lines) {
                return outcome::malformed_start_line;
            }
            head_begin = feed + 1;
        } else if (!first && is_blank(line.front())) {
            if (!lenient) {
                return outcome::malformed_header;
            }
            clean = false;
        }
    }
}

}  // namespace leat::http::detail
