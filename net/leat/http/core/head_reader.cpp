// SPDX-License-Identifier: MIT
#include <leat/http/core/head_reader.hpp>

#include <leat/http/core/framing.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

#include <algorithm>
#include <new>

#if LEAT_HAS_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif

namespace leat::http::detail {
namespace {

#if LEAT_HAS_LLHTTP
using engine = llhttp_t;
using engine_settings = llhttp_settings_t;
#else
using engine = http_parser;
using engine_settings = http_parser_settings;
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

    [[nodiscard]] bool complete() const noexcept { return complete_; }
    [[nodiscard]] std::error_code error() const noexcept { return error_; }
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }

private:
    // Called by the engine, whose frames cannot be unwound.
    void finish_field() noexcept try {
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
    } catch (const std::bad_alloc&) {
        out_of_memory_ = true;
    }

    std::string_view lines_;
    std::string_view name_;
    std::string_view value_;
    std::size_t fields_max_;
    headers& into_;
    std::error_code error_;
    bool in_name_ = false;
    bool complete_ = false;
    bool out_of_memory_ = false;
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

// The engine behind a start line of ours: the engines know a fixed list of methods, and let other things pass
// in a start line. It is read once, and this copied.
const engine& begun_engine() noexcept {
    static const engine begun = [] {
        constexpr std::string_view start = "GET / HTTP/1.1\r\n";
        engine made;
#if LEAT_HAS_LLHTTP
        llhttp_init(&made, HTTP_REQUEST, &settings());
        llhttp_execute(&made, start.data(), start.size());
#else
        http_parser_init(&made, HTTP_REQUEST);
        http_parser_execute(&made, &settings(), start.data(), start.size());
#endif
        return made;
    }();
    return begun;
}

// The engine reads `lines`, those of the fields and the blank one. Returns whether it came to the end.
bool run_engine(std::string_view lines, field_collector& collector) {
    engine state = begun_engine();
    state.data = &collector;
#if LEAT_HAS_LLHTTP
    llhttp_execute(&state, lines.data(), lines.size());
#else
    // http-parser has a limit of its own, one for the whole process; ours is per parser and already met.
    constexpr std::size_t slice_max = 32768;
    while (!lines.empty() && state.http_errno == HPE_OK) {
        const std::string_view slice = lines.substr(0, slice_max);
        state.nread = 0;
        http_parser_execute(&state, &settings(), slice.data(), slice.size());
        lines.remove_prefix(slice.size());
    }
#endif
    return collector.complete();
}

// What is wrong where the engine did not come to the end. It stops at the first length that it does not like,
// and the engines differ in what that is and in what they call it: so the fields are looked at again, all of
// them. Where nothing is wrong they are taken: http-parser has a field named "Transfer-EncodingX" for a
// length.
std::error_code answer_objection(std::string_view lines, std::size_t fields_max, version of, headers& into) {
    into.clear();
    while (!lines.starts_with("\r\n")) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        lines.remove_prefix(line.size() + 2);
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string_view value = line.substr(std::min(colon + 1, line.size()));
        if (colon == line.size() || !is_token(line.substr(0, colon)) || !is_field_value(value)) {
            return error::malformed_header;
        }
        into.add(line.substr(0, colon), value);
    }
    if (into.size() > fields_max) {
        return error::too_many_headers;
    }
    const auto framing = read_framing(into, of);
    return framing ? std::error_code() : framing.error();
}

// `lines` ends with the blank line.
std::error_code read_fields(std::string_view lines, std::size_t fields_max, version of, headers& into) {
    field_collector collector(lines.substr(0, lines.size() - 2), fields_max, into);
    const bool complete = run_engine(lines, collector);
    if (collector.out_of_memory()) {
        throw std::bad_alloc();
    }
    if (collector.error()) {
        return collector.error();
    }
    return complete ? std::error_code() : answer_objection(lines, fields_max, of, into);
}

// RFC 9112 2.3: "HTTP/" DIGIT "." DIGIT. What is sent by a later minor version is read as the last one known.
std::error_code read_version(std::string_view text, version& into) noexcept {
    constexpr std::string_view name = "HTTP/";
    const std::string_view number = text.substr(std::min(name.size(), text.size()));
    if (!text.starts_with(name) || number.size() != 3 || !is_digit(number[0]) || number[1] != '.' ||
        !is_digit(number[2])) {
        return error::malformed_start_line;
    }
    into = number[2] == '0' ? version::http_1_0 : version::http_1_1;
    return number[0] == '1' ? std::error_code() : error::unsupported_version;
}

}  // namespace

// RFC 9112 3: method SP request-target SP HTTP-version, with single spaces.
std::error_code read_head(std::string_view head, std::size_t fields_max, request& into) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t target_at = line.find(' ') + 1;
    const std::size_t target_end = line.find(' ', target_at);
    if (target_at == 0 || target_end == line.npos || !is_token(line.substr(0, target_at - 1))) {
        return error::malformed_start_line;
    }
    if (const auto failure = read_version(line.substr(target_end + 1), into.version)) {
        return failure;
    }
    into.method.assign(line.substr(0, target_at - 1));
    into.target.assign(line.substr(target_at, target_end - target_at));
    return read_fields(head.substr(line.size() + 2), fields_max, into.version, into.headers);
}

// RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ]. The second space is often forgotten.
std::error_code read_head(std::string_view head, std::size_t fields_max, response& into) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string_view written = line.substr(0, line.find(' '));
    if (written == "HTTP/2" || written == "HTTP/3") {  // their names, if no version by the grammar
        return error::unsupported_version;
    }
    if (const auto failure = read_version(written, into.version)) {
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
    return read_fields(head.substr(line.size() + 2), fields_max, into.version, into.headers);
}

}  // namespace leat::http::detail
