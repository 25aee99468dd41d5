// SPDX-License-Identifier: MIT
#include <leat/http/head_reader.hpp>

#include <leat/http/error.hpp>
#include <leat/http/text.hpp>

#include <algorithm>

#if LEAT_HAS_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif

namespace leat::http {
namespace {

#if LEAT_HAS_LLHTTP
using engine = llhttp_t;
using engine_settings = llhttp_settings_t;
using engine_kind = llhttp_type_t;
using engine_error = llhttp_errno_t;
#else
using engine = http_parser;
using engine_settings = http_parser_settings;
using engine_kind = http_parser_type;
using engine_error = http_errno;
#endif

// Notes where the engine finds fields. It may report one name or value in several pieces, which then lie
// side by side, and need not report a value that is empty.
class field_collector {
public:
    field_collector(std::string_view lines, std::size_t fields_max, headers& into)
        : lines_(lines), fields_max_(fields_max), into_(into) {
        into_.assign_wire(lines);
    }

    void name_piece(std::string_view piece) {
        if (!in_name_) {
            finish_field();
            name_ = piece.substr(0, 0);
            in_name_ = true;
        }
        name_ = {name_.data(), name_.size() + piece.size()};
        value_ = piece.substr(piece.size());
    }
    void value_piece(std::string_view piece) {
        value_ = in_name_ ? piece : std::string_view(value_.data(), value_.size() + piece.size());
        in_name_ = false;
    }
    void finish() {
        finish_field();
        complete_ = true;
    }

    // What is wrong with the fields read so far, the last one included, if it is the length they give.
    [[nodiscard]] http::error length_error() const noexcept {
        int lengths = is_length(name_) ? 1 : 0;
        for (const auto& each : into_) {
            lengths += is_length(each.name) ? 1 : 0;
        }
        if (lengths > 1) {
            return error::conflicting_lengths;
        }
        return equal_ignoring_case(name_, "Content-Length") ? error::bad_content_length
                                                            : error::unsupported_transfer_encoding;
    }

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    [[nodiscard]] std::error_code error() const noexcept { return error_; }

private:
    static bool is_length(std::string_view name) noexcept {
        return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding");
    }

    void finish_field() {
        if (name_.data() == nullptr || error_) {
            return;
        }
        if (into_.size() == fields_max_) {
            error_ = error::too_many_headers;
            return;
        }
        if (!is_token(name_) || !is_field_value(value_)) {
            error_ = error::malformed_header;
            return;
        }
        const std::string_view value = trim(value_);
        const auto name_at = static_cast<std::size_t>(name_.data() - lines_.data());
        const auto value_at =
            value.empty() ? name_at : static_cast<std::size_t>(value.data() - lines_.data());
        into_.append_index(name_at, name_.size(), value_at, value.size());
    }

    std::string_view lines_;
    std::string_view name_;
    std::string_view value_;
    std::size_t fields_max_;
    headers& into_;
    std::error_code error_;
    bool in_name_ = false;
    bool complete_ = false;
};

field_collector& collector_of(engine* of) noexcept {
    return *static_cast<field_collector*>(of->data);
}

int on_name(engine* from, const char* at, std::size_t size) {
    collector_of(from).name_piece({at, size});
    return 0;
}

int on_value(engine* from, const char* at, std::size_t size) {
    collector_of(from).value_piece({at, size});
    return 0;
}

// Any other answer than 0, 1 and 2 ends the engine's work: the body is not its business.
int on_head_complete(engine* from) {
    collector_of(from).finish();
    return -1;
}

const engine_settings& settings() noexcept {
    static const engine_settings callbacks = [] {
        engine_settings made{};
        made.on_header_field = on_name;
        made.on_header_value = on_value;
        made.on_headers_complete = on_head_complete;
        return made;
    }();
    return callbacks;
}

engine_error run_engine(engine_kind kind, std::string_view head, field_collector& collector) {
    engine state;
#if LEAT_HAS_LLHTTP
    llhttp_init(&state, kind, &settings());
    state.data = &collector;
    return llhttp_execute(&state, head.data(), head.size());
#else
    http_parser_init(&state, kind);
    state.data = &collector;
    // http-parser has a limit of its own, one for the whole process; ours is per parser and already met.
    constexpr std::size_t slice_max = 32768;
    while (!head.empty() && state.http_errno == HPE_OK) {
        const std::string_view slice = head.substr(0, slice_max);
        state.nread = 0;
        http_parser_execute(&state, &settings(), slice.data(), slice.size());
        head.remove_prefix(slice.size());
    }
    return static_cast<engine_error>(state.http_errno);
#endif
}

// The start line has passed our own checks when the engine runs, so most of what it can still object to lies
// in the fields. The engines do not agree on the code for each way in which a length can be wrong.
error error_of(engine_error objection, const field_collector& collector) noexcept {
    switch (static_cast<int>(objection)) {
        case HPE_INVALID_METHOD:
        case HPE_INVALID_URL:
        case HPE_INVALID_STATUS:
        case HPE_INVALID_CONSTANT:
            return error::malformed_start_line;
        case HPE_INVALID_CONTENT_LENGTH:
        case HPE_UNEXPECTED_CONTENT_LENGTH:
        case HPE_INVALID_TRANSFER_ENCODING:
            return collector.length_error();
        default:
            return error::malformed_header;
    }
}

std::error_code read_fields(engine_kind kind, std::string_view head, std::size_t lines_at,
                            std::size_t fields_max, headers& into) {
    const std::string_view lines = head.substr(lines_at, head.size() - lines_at - 2);
    field_collector collector(lines, fields_max, into);
    const engine_error objection = run_engine(kind, head, collector);
    if (collector.error()) {
        return collector.error();
    }
    return collector.complete() ? std::error_code() : error_of(objection, collector);
}

// "HTTP/1.0" or "HTTP/1.1", exactly.
std::error_code read_version(std::string_view text, version& into) noexcept {
    if (text == "HTTP/1.1" || text == "HTTP/1.0") {
        into = text.back() == '1' ? version::http_1_1 : version::http_1_0;
        return {};
    }
    constexpr std::size_t number_at = 5;  // behind "HTTP/"
    const bool other = text.starts_with("HTTP/") && text.size() > number_at &&
                       text.find_first_not_of("0123456789.", number_at) == text.npos;
    return other ? error::unsupported_version : error::malformed_start_line;
}

}  // namespace

// RFC 9112 3: method SP request-target SP HTTP-version, with single spaces.
std::error_code read_head(std::string_view head, std::size_t fields_max, request& into) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t target_at = line.find(' ') + 1;
    const std::size_t target_end = line.find(' ', target_at);
    if (target_at == 0 || target_end == line.npos) {
        return error::malformed_start_line;
    }
    const std::string_view target = line.substr(target_at, target_end - target_at);
    if (const auto failure = read_version(line.substr(target_end + 1), into.version)) {
        return failure;
    }
    if (!is_request_target(target)) {
        return error::malformed_start_line;
    }
    into.method.assign(line.substr(0, target_at - 1));
    into.target.assign(target);
    return read_fields(HTTP_REQUEST, head, line.size() + 2, fields_max, into.headers);
}

// RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ]. The second space is often forgotten.
std::error_code read_head(std::string_view head, std::size_t fields_max, response& into) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (const auto failure = read_version(line.substr(0, line.find(' ')), into.version)) {
        return failure;
    }
    const std::string_view rest = line.substr(std::min<std::size_t>(line.size(), 9));
    const bool status = rest.size() >= 3 && rest[0] != '0' && is_digit(rest[0]) && is_digit(rest[1]) &&
                        is_digit(rest[2]) && (rest.size() == 3 || rest[3] == ' ');
    if (!status || !is_field_value(rest)) {
        return error::malformed_start_line;
    }
    into.status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
    into.reason.assign(rest.substr(std::min<std::size_t>(rest.size(), 4)));
    return read_fields(HTTP_RESPONSE, head, line.size() + 2, fields_max, into.headers);
}

}  // namespace leat::http
