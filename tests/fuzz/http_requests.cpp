// SPDX-License-Identifier: MIT
// Bytes from a stranger as requests, read twice: by the parser, and by a reader that is written from the
// grammar of RFC 9110 and 9112, slowly and plainly. Both take the same requests, with the same parts, and
// both see their ends at the same byte: what one of them takes and the other does not could be smuggled.
#include <leat/check.hpp>
#include <leat/http/core/parser.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using leat::check;
using text = std::string_view;

// One request as far as the grammar tells; nothing if the bytes are none, or not the whole of one.
struct plain_request {
    std::string method, target, version, host, body;
    std::vector<std::pair<std::string, std::string>> fields;
    std::size_t size = 0;
    bool operator==(const plain_request&) const = default;
};

bool all_of(text each, bool (*allowed)(char)) {
    return std::all_of(each.begin(), each.end(), allowed);
}
bool any_of(char c, text set) {
    return set.find(c) != set.npos;
}
bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool hexadecimal(char c) {
    return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool tchar(char c) {
    return digit(c) || letter(c) || any_of(c, "!#$%&'*+-.^_`|~");
}
bool token(text each) {
    return !each.empty() && all_of(each, tchar);
}
bool field_vchar(char c) {
    return c == ' ' || c == '\t' || static_cast<unsigned char>(c) > 0x7f || (c > 0x20 && c < 0x7f);
}
std::string lower(text each) {
    std::string made(each);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return made;
}
text behind_blanks(text each) {
    while (!each.empty() && any_of(each.front(), " \t")) {
        each.remove_prefix(1);
    }
    return each;
}
text without_ows(text each) {
    each = behind_blanks(each);
    while (!each.empty() && any_of(each.back(), " \t")) {
        each.remove_suffix(1);
    }
    return each;
}
// The line at the front, which it takes; nothing if it has no CRLF, or another CR or LF.
std::optional<text> line_of(text& rest) {
    const std::size_t end = rest.find("\r\n");
    if (end == rest.npos || rest.substr(0, end).find_first_of("\r\n") != rest.npos) {
        return std::nullopt;
    }
    const text line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
}
std::optional<std::uint64_t> number(text digits, unsigned base, std::uint64_t most) {
    std::uint64_t value = 0;
    if (digits.empty() || !all_of(digits, base == 10 ? digit : hexadecimal)) {
        return std::nullopt;
    }
    for (const char c : digits) {
        const auto step = static_cast<std::uint64_t>(digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        if (value > (most - step) / base) {
            return std::nullopt;
        }
        value = value * base + step;
    }
    return value;
}

// RFC 3986 3.2.2 for a name or IPv4, and brackets, whose inside is the parser's to judge.
bool authority(text each) {
    text host = each;
    text port;
    if (each.starts_with('[')) {
        const std::size_t end = each.find(']');
        if (end == each.npos ||
            !all_of(each.substr(1, end - 1), [](char c) { return hexadecimal(c) || c == ':' || c == '.'; })) {
            return false;
        }
        host = each.substr(0, end + 1);
        port = each.substr(end + 1);
    } else {
        host = each.substr(0, each.find(':'));
        port = each.substr(host.size());
        for (std::size_t i = 0; i < host.size(); ++i) {
            const bool encoded =
                host[i] == '%' && i + 2 < host.size() && hexadecimal(host[i + 1]) && hexadecimal(host[i + 2]);
            if (!encoded && !digit(host[i]) && !letter(host[i]) && !any_of(host[i], "-._~!$&'()*+;=")) {
                return false;
            }
            i += encoded ? 2 : 0;
        }
    }
    if (host.empty() || (!port.empty() && port.front() != ':')) {
        return false;
    }
    return port.size() <= 1 || number(port.substr(1), 10, 65535).has_value();
}

// The authority of a target, empty for the forms that have none; nothing for what is no target.
std::optional<std::string> authority_of(text method, text target) {
    if (target.empty() || !all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; })) {
        return std::nullopt;
    }
    if (method == "CONNECT") {
        return authority(target) && !target.ends_with(':') && target.rfind(':') != target.npos &&
                       !target.ends_with(']')
                   ? std::optional(std::string(target))
                   : std::nullopt;
    }
    if (target.front() == '/' || (target == "*" && method == "OPTIONS")) {
        return std::string();
    }
    const std::size_t scheme = target.find("://");
    if (scheme == target.npos || scheme == 0 || !letter(target.front()) ||
        !all_of(target.substr(0, scheme), [](char c) { return letter(c) || digit(c) || any_of(c, "+-."); })) {
        return std::nullopt;
    }
    const text behind = target.substr(scheme + 3);
    const text host = behind.substr(0, behind.find_first_of("/?"));
    return authority(host) ? std::optional(std::string(host)) : std::nullopt;
}

// *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
bool chunk_extensions(text rest) {
    const auto take_token = [&rest] {
        const auto end = std::find_if_not(rest.begin(), rest.end(), tchar);
        const auto size = static_cast<std::size_t>(end - rest.begin());
        rest.remove_prefix(size);
        return size > 0;
    };
    const auto take_quoted = [&rest] {
        std::size_t at = 1;
        while (at < rest.size() && rest[at] != '"') {
            at += rest[at] == '\\' ? 2 : 1;
        }
        const bool good = at < rest.size() && all_of(rest.substr(0, at), field_vchar);
        rest.remove_prefix(good ? at + 1 : 0);
        return good;
    };
    while (!rest.empty()) {
        rest = behind_blanks(rest);
        if (!rest.starts_with(';')) {
            return false;
        }
        rest = behind_blanks(rest.substr(1));
        if (!take_token()) {
            return false;
        }
        if (!behind_blanks(rest).starts_with('=')) {
            continue;
        }
        rest = behind_blanks(behind_blanks(rest).substr(1));
        if (!(rest.starts_with('"') ? take_quoted() : take_token())) {
            return false;
        }
    }
    return true;
}

bool read_chunks(text& rest, std::string& body) {
    for (;;) {
        const auto line = line_of(rest);
        if (!line) {
            return false;
        }
        const auto digits_end = std::find_if_not(line->begin(), line->end(), hexadecimal);
        const text digits = line->substr(0, static_cast<std::size_t>(digits_end - line->begin()));
        const auto size = number(digits, 16, (std::uint64_t{1} << 60) - 1);
        if (!size || !chunk_extensions(line->substr(digits.size()))) {
            return false;
        }
        if (*size == 0) {
            break;
        }
        if (rest.size() < *size + 2 || rest.substr(*size, 2) != "\r\n") {
            return false;
        }
        body += rest.substr(0, *size);
        rest.remove_prefix(*size + 2);
    }
    for (;;) {
        const auto line = line_of(rest);
        if (!line || line->empty()) {
            return line.has_value();
        }
        const std::size_t colon = std::min(line->find(':'), line->size());
        if (colon == line->size() || !token(line->substr(0, colon)) ||
            !all_of(line->substr(colon + 1), field_vchar)) {
            return false;
        }
    }
}

bool read_head(text& rest, plain_request& made) {
    const auto start = line_of(rest);
    const std::size_t first = start ? start->find(' ') : text::npos;
    const std::size_t last = start ? start->rfind(' ') : text::npos;
    if (first == text::npos || first == last) {
        return false;
    }
    made.method = start->substr(0, first);
    made.target = start->substr(first + 1, last - first - 1);
    made.version = start->substr(last + 1);
    if (!token(made.method) || made.version.size() != 8 || !made.version.starts_with("HTTP/1.") ||
        !digit(made.version.back())) {
        return false;
    }
    for (;;) {
        const auto line = line_of(rest);
        if (!line || line->empty()) {
            return line.has_value();
        }
        const std::size_t colon = line->find(':');
        if (colon == line->npos || !token(line->substr(0, colon)) ||
            !all_of(line->substr(colon + 1), field_vchar)) {
            return false;
        }
        made.fields.emplace_back(line->substr(0, colon), without_ows(line->substr(colon + 1)));
    }
}

std::vector<std::string> values_of(const plain_request& made, text name) {
    std::vector<std::string> values;
    for (const auto& [each, value] : made.fields) {
        if (lower(each) == name) {
            values.push_back(value);
        }
    }
    return values;
}

std::optional<plain_request> read_plainly(text input) {
    plain_request made;
    text rest = input;
    while (rest.starts_with("\r\n")) {
        rest.remove_prefix(2);
    }
    if (!read_head(rest, made)) {
        return std::nullopt;
    }
    const bool old = made.version.ends_with('0');
    const auto hosts = values_of(made, "host");
    const auto named = authority_of(made.method, made.target);
    if (!named || hosts.size() > 1 || (hosts.empty() && !old) ||
        (!hosts.empty() && !authority(hosts.front()))) {
        return std::nullopt;
    }
    const bool absolute = !named->empty() && made.method != "CONNECT";
    made.host = absolute ? *named : hosts.empty() ? std::string() : hosts.front();
    const auto lengths = values_of(made, "content-length");
    const auto codings = values_of(made, "transfer-encoding");
    if (lengths.size() + codings.size() > 1) {
        return std::nullopt;
    }
    std::uint64_t length = 0;
    if (!lengths.empty()) {
        const auto value = number(lengths.front(), 10, ~std::uint64_t{0});
        if (!value) {
            return std::nullopt;
        }
        length = *value;
    }
    if (!codings.empty() && (old || lower(codings.front()) != "chunked")) {
        return std::nullopt;
    }
    if (made.method != "CONNECT") {
        if (!codings.empty()) {
            if (!read_chunks(rest, made.body)) {
                return std::nullopt;
            }
        } else if (length > rest.size()) {
            return std::nullopt;
        } else {
            made.body = rest.substr(0, length);
            rest.remove_prefix(length);
        }
    }
    made.size = input.size() - rest.size();
    return made;
}

std::optional<plain_request> read_by_parser(text input) {
    using leat::http::detail::progress;
    leat::http::detail::request_parser parser;
    parser.start();
    plain_request made;
    text rest = input;
    for (;;) {
        const auto step = parser.next(rest);
        if (!step || *step == progress::more) {
            return std::nullopt;
        }
        if (*step == progress::body) {
            made.body += parser.body();
        }
        if (*step == progress::end) {
            break;
        }
    }
    const leat::http::request& head = parser.message();
    made.method = head.method;
    made.target = head.target;
    made.version = head.version == leat::http::version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1";
    made.host = head.headers.get("Host").value_or("");
    for (const auto& [name, value] : head.headers) {
        made.fields.emplace_back(name, value);
    }
    made.size = input.size() - rest.size();
    return made;
}

// What the parser may change: a later version is read as 1.1, and the host of a whole URL replaces Host.
void forget_what_may_differ(plain_request& made) {
    made.version = made.version.ends_with('0') ? "HTTP/1.0" : "HTTP/1.1";
    std::erase_if(made.fields, [](const auto& field) { return lower(field.first) == "host"; });
}

bool has_bracket_or_limit(const plain_request& made) {
    const auto hosts = values_of(made, "host");
    return made.host.starts_with('[') || made.target.find('[') != text::npos || made.fields.size() > 255 ||
           std::any_of(hosts.begin(), hosts.end(), [](const auto& host) { return host.starts_with('['); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    text input(reinterpret_cast<const char*>(data), size);
    for (int requests = 0; requests < 20; ++requests) {
        auto expected = read_plainly(input);
        auto seen = read_by_parser(input);
        if (!expected && !seen) {
            break;
        }
        check(expected.has_value(), "what the parser takes is a request by the grammar");
        if (!seen) {
            check(has_bracket_or_limit(*expected), "what is a request by the grammar is taken");
            break;
        }
        forget_what_may_differ(*expected);
        forget_what_may_differ(*seen);
        check(*expected == *seen, "both readers see the same parts and the same end");
        input.remove_prefix(seen->size);
    }
    return 0;
}
