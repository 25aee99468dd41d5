// SPDX-License-Identifier: MIT
#include <leat/http/error.hpp>

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

namespace leat::http {
namespace {

// In the order of their codes, all of them.
constexpr std::pair<error, const char*> texts[] = {
    {error::malformed_start_line, "the first line of the message is not HTTP/1.0 or HTTP/1.1"},
    {error::malformed_header, "a header line is malformed"},
    {error::unsupported_version, "the message is of an HTTP version other than 1.0 and 1.1"},
    {error::bad_host, "the request has no Host header, or more than one, or one that is malformed"},
    {error::head_too_large, "the header is larger than the limit"},
    {error::target_too_large, "the target of the request is larger than the limit"},
    {error::too_many_headers, "the message has more header lines than the limit"},
    {error::truncated_head, "the connection ended inside the header"},
    {error::no_message, "the connection ended before a message began"},
    {error::bad_content_length, "Content-Length is not one whole number"},
    {error::conflicting_lengths,
     "the message has more than one length (Content-Length or Transfer-Encoding repeated or both)"},
    {error::unsupported_transfer_encoding, "Transfer-Encoding names a coding other than chunked"},
    {error::bad_chunk, "the chunked body is malformed"},
    {error::trailers_too_large, "the trailer behind the chunked body is larger than the limit"},
    {error::body_too_large, "the body is larger than the limit"},
    {error::truncated_body, "the connection ended inside the body"},
    {error::unexpected_data, "the peer sent data that is part of no message"},
    {error::bad_transfer_encoding,
     "Transfer-Encoding is malformed, or chunked is not its last coding and the only such"},
    {error::corrupt_content, "the compressed body is corrupt"},
    {error::truncated_content, "the compressed body ends early"},
    {error::content_too_large, "the decompressed body is larger than the limit"},
    {error::too_many_redirects, "too many redirects"},
    {error::insecure_redirect, "refused to follow a redirect from https to http"},
    {error::bad_redirect, "the redirect has no Location"},
    {error::unasked_range, "the server sent a part (206) where the whole was asked for"},
    {error::too_many_interim_responses, "the server sent too many 1xx responses"},
    {error::body_length_differs, "the body of the request is not as long as was told"},
    {error::body_not_repeatable,
     "the body of the request would have to be sent again and can be sent only once"},
    {error::not_upgraded, "the server did not go over to the protocol that was asked for"},
    {error::bad_form, "the multipart body is malformed"},
    {error::form_too_large, "the form has more parts, or larger ones, than the limit"},
    {error::bad_http2, "the peer does not keep to the rules of HTTP/2"},
    {error::stream_reset, "the server has reset the request"},
};

// Whether there is such a code. The compiler warns here of a code that is new; then it wants its text above.
constexpr bool is_code(error value) {
    switch (value) {
        case error::malformed_start_line:
        case error::malformed_header:
        case error::unsupported_version:
        case error::bad_host:
        case error::head_too_large:
        case error::target_too_large:
        case error::too_many_headers:
        case error::truncated_head:
        case error::no_message:
        case error::bad_content_length:
        case error::conflicting_lengths:
        case error::unsupported_transfer_encoding:
        case error::bad_chunk:
        case error::trailers_too_large:
        case error::body_too_large:
        case error::truncated_body:
        case error::unexpected_data:
        case error::bad_transfer_encoding:
        case error::corrupt_content:
        case error::truncated_content:
        case error::content_too_large:
        case error::too_many_redirects:
        case error::insecure_redirect:
        case error::bad_redirect:
        case error::unasked_range:
        case error::too_many_interim_responses:
        case error::body_length_differs:
        case error::body_not_repeatable:
        case error::not_upgraded:
        case error::bad_form:
        case error::form_too_large:
        case error::bad_http2:
        case error::stream_reset:
            return true;
    }
    return false;
}

constexpr bool texts_are_complete() {
    int code = 1;
    for (const auto& each : texts) {
        if (each.first != static_cast<error>(code) || !is_code(static_cast<error>(code))) {
            return false;
        }
        ++code;
    }
    return !is_code(static_cast<error>(code));
}
static_assert(texts_are_complete());

const char* text_of(error value) noexcept {
    const auto code = static_cast<std::size_t>(value);
    return code >= 1 && code <= std::size(texts) ? texts[code - 1].second : "unknown HTTP error";
}

class http_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "http"; }
    std::string message(int value) const override { return text_of(static_cast<error>(value)); }
};

const char* text_of(url_error value) noexcept {
    switch (value) {
        case url_error::missing_scheme:
            return "it does not begin with http:// or https://";
        case url_error::unsupported_scheme:
            return "its scheme is neither http nor https";
        case url_error::missing_host:
            return "it names no host";
        case url_error::bad_host:
            return "its host is neither a host name nor an IP address";
        case url_error::non_ascii_host:
#if LEAT_HAS_IDN
            return "its host is not ASCII, and no name that IDNA 2008 allows";
#else
            return "its host is not ASCII (write such a name in its xn-- form; leat was built without "
                   "libidn2)";
#endif
        case url_error::bad_port:
            return "its port is not a number from 1 to 65535";
        case url_error::too_long:
            return "it is longer than 65536 characters";
    }
    return "unknown URL error";
}

class url_category_type final : public std::error_category {
public:
    const char* name() const noexcept override { return "url"; }
    std::string message(int value) const override { return text_of(static_cast<url_error>(value)); }
};

}  // namespace

const std::error_category& http_category() noexcept {
    static const http_category_type instance;
    return instance;
}

const std::error_category& url_category() noexcept {
    static const url_category_type instance;
    return instance;
}

}  // namespace leat::http
