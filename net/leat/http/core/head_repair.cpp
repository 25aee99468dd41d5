// SPDX-License-Identifier: MIT
#include <leat/http/core/head_repair.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace leat::http::detail {
namespace {

struct field {
    std::string name;
    std::string value;
};

class head_repairer {
public:
    result<repaired_head> repair(std::string_view head) {
        made_.text.reserve(head.size() + head.size() / 8);
        if (head.find('\0') != head.npos) {
            return make_error_code(error::malformed_header);  // ends a line for some readers
        }
        add_start_line(take_line(head));
        for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
            if (const auto failure = take_field(line)) {
                return failure;
            }
        }
        if (const auto failure = settle_length()) {
            return failure;
        }
        for (const auto& [name, value] : fields_) {
            if (is_token(name)) {
                made_.text.append(name).append(": ").append(value).append("\r\n");
            }
        }
        made_.text += "\r\n";
        return std::move(made_);
    }

private:
    static std::string_view take_line(std::string_view& head) noexcept {
        const std::size_t feed = head.find('\n');
        std::string_view line = head.substr(0, feed);
        head.remove_prefix(std::min(line.size() + 1, head.size()));
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        return line;
    }

    // `text` with a space in place of what no line may hold. A CR is the end of the line for some readers.
    std::string cleaned(std::string_view text) {
        made_.doubtful |= text.find('\r') != text.npos;
        std::string clean(text);
        std::replace_if(clean.begin(), clean.end(), [](char c) { return !is_value_character(c); }, ' ');
        return clean;
    }

    // Spaces between the parts of the line, single ones.
    void add_start_line(std::string_view line) {
        const std::string clean = cleaned(line);
        std::string_view rest = trim(clean);
        for (const bool last : {false, false, true}) {
            const std::string_view part = rest.substr(0, last ? rest.npos : rest.find_first_of(" \t"));
            rest = trim(rest.substr(part.size()));
            made_.text.append(part).append(last || rest.empty() ? "" : " ");
        }
        made_.text += "\r\n";
    }

    std::error_code take_field(std::string_view line) {
        if (is_blank(line.front())) {
            return unfold(line);
        }
        const std::size_t colon = line.find(':');
        if (colon == line.npos) {
            return error::malformed_header;
        }
        const std::string_view name = trim(line.substr(0, colon));
        const std::string_view value = line.substr(colon + 1);
        if (is_length(name) && !is_field_value(value)) {
            return error::malformed_header;
        }
        made_.doubtful |= name.size() != colon || !is_token(name);
        fields_.push_back({std::string(name), std::string(trim(cleaned(value)))});
        return {};
    }

    // RFC 9112 5.2: a folded line goes on behind one space. Nobody agrees on one without a field before it.
    std::error_code unfold(std::string_view line) {
        if (fields_.empty()) {
            return error::malformed_header;
        }
        const std::string more = cleaned(line);
        auto& [name, value] = fields_.back();
        value.append(value.empty() || trim(more).empty() ? "" : " ").append(trim(more));
        made_.doubtful |= is_length(name);
        return {};
    }

    static bool is_length(std::string_view name) noexcept {
        return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding");
    }

    // All values must say the same; "5, 5" is two of them.
    static std::error_code read_length(std::string_view list, std::optional<std::uint64_t>& length) {
        auto each = next_element(list);
        if (each.empty()) {
            return error::bad_content_length;
        }
        for (; !each.empty(); each = next_element(list)) {
            const auto number = leat::detail::parse_number<std::uint64_t>(each);
            if (!number) {
                return error::bad_content_length;
            }
            if (length && *length != *number) {
                return error::conflicting_lengths;
            }
            length = number;
        }
        return {};
    }

    // "identity" was once registered for no coding, and is still sent. More than one "chunked" means one.
    static std::error_code read_codings(std::string_view list, bool& chunked) {
        for (auto each = next_element(list); !each.empty(); each = next_element(list)) {
            if (equal_ignoring_case(each, "chunked")) {
                chunked = true;
            } else if (!equal_ignoring_case(each, "identity")) {
                return error::unsupported_transfer_encoding;
            }
        }
        return {};
    }

    // RFC 9112 6.3: one Transfer-Encoding is left or, if there is none, one Content-Length.
    std::error_code settle_length() {
        std::optional<std::uint64_t> length;
        bool chunked = false;
        std::size_t lengths = 0;
        bool plain = true;
        for (const auto& [name, value] : fields_) {
            if (!is_length(name)) {
                continue;
            }
            const bool counts = equal_ignoring_case(name, "Content-Length");
            const auto failure = counts ? read_length(value, length) : read_codings(value, chunked);
            if (failure) {
                return failure;
            }
            ++lengths;
            plain = counts ? value.find(',') == value.npos : equal_ignoring_case(value, "chunked");
        }
        if (lengths == 0 || (lengths == 1 && plain)) {
            return {};
        }
        made_.doubtful = true;
        std::erase_if(fields_, [](const field& each) { return is_length(each.name); });
        if (chunked) {
            fields_.push_back({"Transfer-Encoding", "chunked"});
        } else if (length) {
            fields_.push_back({"Content-Length", std::to_string(*length)});
        }
        return {};
    }

    std::vector<field> fields_;
    repaired_head made_;
};

}  // namespace

result<repaired_head> repair_head(std::string_view head) {
    return head_repairer().repair(head);
}

}  // namespace leat::http::detail
