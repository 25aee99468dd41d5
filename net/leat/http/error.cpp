// SPDX-License-Identifier: MIT
#include <leat/http/error.hpp>

#include <string>

namespace leat::http {
namespace {

const char* text_of(error value) noexcept {
    switch (value) {
        case error::malformed_start_line:
            return "the first line of the message is not HTTP/1.0 or HTTP/1.1";
        case error::malformed_header:
            return "a header line is malformed";
        case error::unsupported_version:
            return "the message is of an HTTP version other than 1.0 and 1.1";
        case error::bad_host:
            return "the request has no Host header, or more than one, or one that is malformed";
        case error::head_too_large:
            return "the header is larger than the limit";
        case error::target_too_large:
            return "the target of the request is larger than the limit";
        case error::too_many_headers:
            return "the message has more header lines than the limit";
        case error::truncated_head:
            return "the connection ended inside the header";
        case error::no_message:
            return "the connection ended before a message began";
        case error::bad_content_length:
            return "Content-Length is not one whole number";
        case error::conflicting_lengths:
            return "the message has more than one length (Content-Length or Transfer-Encoding repeated or "
                   "both)";
        case error::unsupported_transfer_encoding:
            return "Transfer-Encoding names a coding other than chunked";
        case error::bad_chunk:
            return "the chunked body is malformed";
        case error::trailers_too_large:
            return "the trailer behind the chunked body is larger than the limit";
        case error::body_too_large:
            return "the body is larger than the limit";
        case error::truncated_body:
            return "the connection ended inside the body";
        case error::unexpected_data:
            return "the peer sent data that is part of no message";
        case error::bad_transfer_encoding:
            return "Transfer-Encoding is malformed, or chunked is not its last coding and the only such";
        case error::corrupt_content:
            return "the compressed body is corrupt";
        case error::truncated_content:
            return "the compressed body ends early";
        case error::content_too_large:
            return "the decompressed body is larger than the limit";
        case error::too_many_redirects:
            return "too many redirects";
        case error::insecure_redirect:
            return "refused to follow a redirect from https to http";
        case error::bad_redirect:
            return "the redirect has no Location";
        case error::unasked_range:
            return "the server sent a part (206) where the whole was asked for";
        case error::too_many_interim_responses:
            return "the server sent too many 1xx responses";
        case error::body_length_differs:
            return "the body of the request is not as long as was told";
        case error::body_not_repeatable:
            return "the body of the request would have to be sent again and can be sent only once";
        case error::not_upgraded:
            return "the server did not go over to the protocol that was asked for";
        case error::bad_form:
            return "the multipart body is malformed";
        case error::form_too_large:
            return "the form has more parts, or larger ones, than the limit";
        case error::bad_http2:
            return "the peer does not keep to the rules of HTTP/2";
        case error::stream_reset:
            return "the server has reset the request";
    }
    return "unknown HTTP error";
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
