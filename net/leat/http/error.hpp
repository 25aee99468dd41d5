// SPDX-License-Identifier: MIT
// What can be wrong with an HTTP message, a peer that sends one, or a chain of them: the error codes that
// everything in http/ reports. Each message is one plain line meant for a person.
#pragma once

#include <system_error>

namespace leat::http {

enum class error {
    // The head of a message.
    malformed_start_line = 1,
    malformed_header,
    unsupported_version,
    bad_host,
    head_too_large,
    target_too_large,
    too_many_headers,
    truncated_head,
    no_message,

    // The body and what says how long it is.
    bad_content_length,
    conflicting_lengths,
    unsupported_transfer_encoding,
    bad_chunk,
    trailers_too_large,
    body_too_large,
    truncated_body,
    unexpected_data,
    bad_transfer_encoding,

    // Content codings.
    corrupt_content,
    truncated_content,
    content_too_large,

    // Errors of a client between messages.
    too_many_redirects,
    insecure_redirect,
    bad_redirect,
    unasked_range,
    too_many_interim_responses,
    body_length_differs,
    body_not_repeatable,
    not_upgraded,

    // Forms.
    bad_form,
    form_too_large,

    // HTTP/2.
    bad_http2,
    stream_reset,
};

// The category "http".
[[nodiscard]] const std::error_category& http_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(error value) noexcept {
    return {static_cast<int>(value), http_category()};
}

// What can be wrong with a URL.
enum class url_error {
    missing_scheme = 1,
    unsupported_scheme,
    missing_host,
    bad_host,
    non_ascii_host,
    bad_port,
    too_long,
};

// The category "url".
[[nodiscard]] const std::error_category& url_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(url_error value) noexcept {
    return {static_cast<int>(value), url_category()};
}

}  // namespace leat::http

template <>
struct std::is_error_code_enum<leat::http::error> : std::true_type {};
template <>
struct std::is_error_code_enum<leat::http::url_error> : std::true_type {};
