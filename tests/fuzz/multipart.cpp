// SPDX-License-Identifier: MIT
// Bytes from a stranger as a multipart body: what comes out does not depend on how they are cut, and stays
// within the limits. What is framed as the grammar says comes out as it went in; and so do fields that are
// written as a form.
#include <leat/check.hpp>
#include <leat/http/error.hpp>
#include <leat/http/form.hpp>
#include <leat/http/multipart.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using leat::check;
using leat::http::multipart_parser;

namespace {

constexpr leat::http::multipart_limits limits{
    .parts = 4, .header_bytes = 120, .field_bytes = 60, .file_bytes = 100};

struct outcome {
    std::vector<std::string> names;
    std::vector<std::string> data;
    std::error_code error;
    bool ended = false;
    bool operator==(const outcome&) const = default;
};

outcome read(std::string_view body, std::size_t step) {
    multipart_parser parser("b", limits);
    outcome seen;
    for (std::size_t at = 0; at < body.size() && !seen.ended; at += step) {
        std::string_view piece = body.substr(at, step);
        for (bool more = true; more;) {
            const auto taken = parser.next(piece);
            if (!taken) {
                check(parser.next(piece).error() == taken.error(), "an error stays");
                seen.error = taken.error();
                if (seen.error == leat::http::error::form_too_large && !seen.data.empty()) {
                    seen.data.back().clear();  // how much of it came first is a matter of the cuts
                }
                return seen;
            }
            switch (*taken) {
                case multipart_parser::step::more:
                    check(piece.empty(), "more is asked for when all was taken");
                    more = false;
                    break;
                case multipart_parser::step::part:
                    seen.names.push_back(parser.part().name);
                    seen.data.emplace_back();
                    break;
                case multipart_parser::step::data:
                    check(!parser.data().empty(), "data is some");
                    seen.data.back() += parser.data();
                    break;
                case multipart_parser::step::end:
                    seen.ended = true;
                    more = false;
                    break;
            }
        }
    }
    return seen;
}

void check_framing(std::string_view text) {
    const std::string data(text.substr(0, 60));
    if (("\r\n" + data).find("\r\n--b") != std::string::npos) {
        return;
    }
    const std::string body = "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n" + data + "\r\n--b--";
    const auto parts = leat::http::read_multipart(body, "b", limits);
    check(parts.ok() && parts->size() == 1 && (*parts)[0].data == data, "data survives its framing");
}

void check_form(std::string_view text) {
    const auto fields = leat::http::read_form(text, 50);
    check(fields.ok() || fields.error() == leat::http::error::form_too_large, "a form is only too large");
    std::string encoded;
    for (const char c : text) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto code = static_cast<unsigned char>(c);
        encoded += {'%', digits[code >> 4], digits[code & 15]};
    }
    const auto again = leat::http::read_form("a=" + encoded);
    check(again.ok() && again->get("a") == text, "a value survives its encoding");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const outcome whole = read(input, std::max<std::size_t>(1, size));
    check(read(input, 1) == whole, "single bytes give the same");
    check(read(input, 3) == whole, "and so do cuts at every third");
    check(whole.names.size() <= limits.parts, "no more parts than allowed");
    for (const std::string& each : whole.data) {
        check(each.size() <= limits.file_bytes, "none is larger than allowed");
    }
    check_framing(input);
    check_form(input);
    return 0;
}
