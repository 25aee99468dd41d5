// SPDX-License-Identifier: MIT
#include <leat/http/core/framing.hpp>

#include <leat/core/number.hpp>
#include <leat/http/core/request_target.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/error.hpp>

namespace leat::http::detail {
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

// What is wrong with the value of a Transfer-Encoding field, if anything.
std::error_code coding_error(std::string_view value) noexcept {
    if (equal_ignoring_case(value, "chunked")) {
        return {};
    }
    bool last = false;
    int chunked = 0;
    for (bool more = true; more;) {
        const std::size_t comma = value.find(',');
        const std::string_view coding = trim(value.substr(0, comma));
        more = comma != value.npos;
        value.remove_prefix(more ? comma + 1 : value.size());
        const std::string_view name = trim(coding.substr(0, coding.find(';')));
        last = equal_ignoring_case(name, "chunked");
        chunked += last ? 1 : 0;
        if (!is_token(name) || (last && name.size() != coding.size())) {
            return error::bad_transfer_encoding;
        }
    }
    return chunked == (last ? 1 : 0) ? error::unsupported_transfer_encoding : error::bad_transfer_encoding;
}

}  // namespace

result<framing_fields> read_framing(const headers& fields, version of, strictness how) {
    framing_fields found;
    connection_tokens tokens;
    bool has_upgrade = false;
    for (const auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "Content-Length")) {
            if (found.content_length || found.chunked) {
                return make_error_code(error::conflicting_lengths);
            }
            found.content_length = leat::detail::parse_number<std::uint64_t>(value);
            if (!found.content_length) {
                return make_error_code(error::bad_content_length);
            }
        } else if (equal_ignoring_case(name, "Transfer-Encoding")) {
            if (found.content_length || found.chunked) {
                return make_error_code(error::conflicting_lengths);
            }
            if (const auto failure = coding_error(value)) {
                return failure;
            }
            // RFC 9112 6.1: in an HTTP/1.0 message it shows a gateway that passed on what it did not know.
            if (of == version::http_1_0 && how == strictness::strict) {
                return make_error_code(error::bad_transfer_encoding);
            }
            found.chunked = true;
        } else if (equal_ignoring_case(name, "Connection")) {
            tokens.read(value);
        } else if (equal_ignoring_case(name, "Upgrade")) {
            has_upgrade = true;
        }
    }
    found.close = tokens.close || (found.chunked && of == version::http_1_0);
    found.keep_alive = tokens.keep_alive;
    found.upgrade = tokens.upgrade && has_upgrade;
    return found;
}

bool host_is_valid(const headers& fields, version of) noexcept {
    int count = 0;
    for (const auto& [name, value] : fields) {
        if (equal_ignoring_case(name, "Host")) {
            ++count;
            if (!is_authority(value)) {
                return false;
            }
        }
    }
    return count == 1 || (count == 0 && of == version::http_1_0);
}

}  // namespace leat::http::detail
