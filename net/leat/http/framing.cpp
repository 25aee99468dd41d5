// SPDX-License-Identifier: MIT
#include <leat/http/framing.hpp>

#include <leat/http/error.hpp>
#include <leat/http/text.hpp>
#include <leat/number.hpp>

#include <algorithm>

namespace leat::http {
namespace {

struct connection_tokens {
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;

    void read(std::string_view list) noexcept {
        for (auto token = next_element(list); !token.empty(); token = next_element(list)) {
            close |= equal_ignoring_case(token, "close");
            keep_alive |= equal_ignoring_case(token, "keep-alive");
            upgrade |= equal_ignoring_case(token, "upgrade");
        }
    }
};

bool is_host_character(char c) noexcept {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("-._~:[]%!$&'()*+;=").find(c) != std::string_view::npos;
}

}  // namespace

result<framing_fields> read_framing(const headers& fields, version of) {
    framing_fields found;
    connection_tokens tokens;
    bool has_upgrade = false;
    for (const auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "Content-Length")) {
            if (found.content_length || found.chunked) {
                return make_error_code(error::conflicting_lengths);
            }
            found.content_length = parse_number<std::uint64_t>(value);
            if (!found.content_length) {
                return make_error_code(error::bad_content_length);
            }
        } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
            if (found.content_length || found.chunked) {
                return make_error_code(error::conflicting_lengths);
            }
            // RFC 9112 6.1: in an HTTP/1.0 message it shows a gateway that passed on what it did not know.
            if (!equal_ignoring_case(value, "chunked") || of == version::http_1_0) {
                return make_error_code(error::unsupported_transfer_encoding);
            }
            found.chunked = true;
        } else if (equal_ignoring_case(name, "Connection")) {
            tokens.read(value);
        } else if (equal_ignoring_case(name, "Upgrade")) {
            has_upgrade = true;
        }
    }
    found.close = tokens.close;
    found.keep_alive = tokens.keep_alive;
    found.upgrade = tokens.upgrade && has_upgrade;
    return found;
}

bool host_is_valid(const headers& fields, version of) noexcept {
    int count = 0;
    for (const auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "Host")) {
            ++count;
            if (!std::all_of(value.begin(), value.end(), is_host_character)) {
                return false;
            }
        }
    }
    return count == 1 || (count == 0 && of == version::http_1_0);
}

}  // namespace leat::http
