// SPDX-License-Identifier: MIT
#include <leat/http/multipart.hpp>

#include <leat/check.hpp>
#include <leat/http/core/parameters.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t padding_max = 256;  // blanks behind a delimiter

// RFC 2046 5.1.1.
bool is_boundary(std::string_view text) noexcept {
    const auto good = [](char c) {
        return detail::is_alpha(c) || detail::is_digit(c) ||
               std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= 70 && text.back() != ' ' && std::ranges::all_of(text, good);
}

std::string without_folders(const std::string& name) {
    const std::size_t slash = name.find_last_of("/\\");
    return slash == name.npos ? name : name.substr(slash + 1);
}

// Adds "Name: value"; false for what is no field.
bool add_field(headers& to, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !detail::is_token(line.substr(0, colon)) ||
        !detail::is_field_value(line.substr(colon + 1))) {
        return false;
    }
    to.add(line.substr(0, colon), line.substr(colon + 1));
    return true;
}

}  // namespace

multipart_parser::multipart_parser(std::string_view boundary, multipart_limits limits)
    : delimiter_("\r\n--"), limits_(limits) {
    check(is_boundary(boundary), "a boundary has 1 to 70 characters of those that RFC 2046 allows");
    delimiter_ += boundary;
}

result<multipart_parser::step> multipart_parser::fail(http::error why) {
    failure_ = why;
    return failure_;
}

result<multipart_parser::step> multipart_parser::next(std::string_view& input) {
    if (failure_) {
        return failure_;
    }
    for (;;) {
        switch (state_) {
            case state::preamble:
                if (!find_delimiter(input)) {
                    if (input.empty()) {
                        return step::more;
                    }
                    continue;
                }
                state_ = state::delimiter_end;
                break;
            case state::delimiter_end:
                if (const auto taken = take_line_end(input); !taken || *taken != step::part) {
                    return taken;
                }
                break;
            case state::head:
                return take_head(input);
            case state::data:
                if (const auto taken = take_data(input); !taken || *taken != step::part) {
                    return taken;
                }
                break;
            case state::epilogue:
                input = {};
                return step::end;
        }
    }
}

// What was matched and is no delimiter is data: its text is at the front of delimiter_.
bool multipart_parser::find_delimiter(std::string_view& input) noexcept {
    data_ = {};
    if (matched_ == 0) {
        const std::size_t begin = std::min(input.find('\r'), input.size());
        data_ = input.substr(0, begin);
        input.remove_prefix(begin);
        if (!data_.empty()) {
            return false;
        }
    }
    while (!input.empty() && matched_ < delimiter_.size()) {
        if (input.front() != delimiter_[matched_]) {
            data_ = std::string_view(delimiter_).substr(before_, matched_ - before_);
            matched_ = before_ = 0;
            return false;
        }
        input.remove_prefix(1);
        ++matched_;
    }
    if (matched_ < delimiter_.size()) {
        return false;
    }
    matched_ = before_ = 0;
    return true;
}

// step::part: a delimiter has ended it.
result<multipart_parser::step> multipart_parser::take_data(std::string_view& input) {
    for (;;) {
        if (find_delimiter(input)) {
            state_ = state::delimiter_end;
            return step::part;
        }
        if (data_.size() > data_left_) {
            return fail(error::form_too_large);
        }
        data_left_ -= data_.size();
        if (!data_.empty()) {
            return step::data;
        }
        if (input.empty()) {
            return step::more;
        }
    }
}

// Behind a delimiter: the end of its line, or "--". step::part: the head of a part begins.
result<multipart_parser::step> multipart_parser::take_line_end(std::string_view& input) {
    while (!input.empty()) {
        const char c = input.front();
        input.remove_prefix(1);
        line_ += c;
        if (line_ == "--") {
            line_.clear();
            state_ = state::epilogue;
            return step::end;
        }
        if (line_.ends_with("\r\n")) {
            line_.clear();
            if (++parts_ > limits_.parts) {
                return fail(error::form_too_large);
            }
            state_ = state::head;
            return step::part;
        }
        const bool begins = line_.find_first_not_of(" \t") >= line_.size() - 1;
        const bool good = line_ == "-" || (begins && (detail::is_blank(c) || c == '\r'));
        if (!good || line_.size() > padding_max) {
            return fail(error::bad_form);
        }
    }
    return step::more;
}

result<multipart_parser::step> multipart_parser::take_head(std::string_view& input) {
    while (!input.empty()) {
        line_ += input.front();
        input.remove_prefix(1);
        if (line_.size() > limits_.header_bytes) {
            return fail(error::form_too_large);
        }
        if (line_ == "\r\n" || line_.ends_with("\r\n\r\n")) {
            if (!read_head()) {
                return fail(error::bad_form);
            }
            line_.clear();
            data_left_ = part_.file_name ? limits_.file_bytes : limits_.field_bytes;
            matched_ = before_ = 2;  // an empty part may end with the same CR LF as its head
            state_ = state::data;
            return step::part;
        }
    }
    return step::more;
}

bool multipart_parser::read_head() {
    part_ = {};
    std::string_view rest = line_;
    while (rest != "\r\n") {
        const std::size_t end = rest.find("\r\n");
        if (!add_field(part_.headers, rest.substr(0, end))) {
            return false;
        }
        rest.remove_prefix(end + 2);
    }
    const auto disposition = part_.headers.get("Content-Disposition");
    if (!disposition || !detail::equal_ignoring_case(detail::main_value(*disposition), "form-data")) {
        return false;
    }
    auto name = detail::parameter_of(*disposition, "name");
    if (!name) {
        return false;
    }
    part_.name = std::move(*name);
    if (auto file_name = detail::parameter_of(*disposition, "filename")) {
        part_.file_name = without_folders(*file_name);
    }
    if (const auto type = part_.headers.get("Content-Type")) {
        part_.content_type = *type;
    }
    return true;
}

std::optional<std::string> multipart_boundary(const request& asked) {
    const auto type = asked.headers.get("Content-Type");
    if (!type || !detail::equal_ignoring_case(detail::main_value(*type), "multipart/form-data")) {
        return std::nullopt;
    }
    auto boundary = detail::parameter_of(*type, "boundary");
    return boundary && is_boundary(*boundary) ? std::move(boundary) : std::nullopt;
}

result<std::vector<whole_part>> read_multipart(std::string_view body, std::string_view boundary,
                                               multipart_limits limits) {
    multipart_parser parser(boundary, limits);
    std::vector<whole_part> parts;
    for (;;) {
        const auto step = parser.next(body);
        if (!step) {
            return step.error();
        }
        switch (*step) {
            case multipart_parser::step::more:
                return make_error_code(error::truncated_body);
            case multipart_parser::step::part:
                parts.push_back({parser.part(), {}});
                break;
            case multipart_parser::step::data:
                parts.back().data += parser.data();
                break;
            case multipart_parser::step::end:
                return parts;
        }
    }
}

}  // namespace leat::http
