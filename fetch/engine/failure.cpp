// SPDX-License-Identifier: MIT
#include <fetch/engine/failure.hpp>

#include <fetch/files/file_error.hpp>

#include <leat/dns/error.hpp>
#include <leat/http/error.hpp>
#include <leat/stream.hpp>
#include <leat/tls/error.hpp>

#include <system_error>

namespace fetch {
namespace {

failure_kind kind_of(leat::http::error code) noexcept {
    using leat::http::error;
    switch (code) {
        case error::too_many_redirects:
        case error::insecure_redirect:
        case error::bad_redirect:
        case error::body_not_repeatable:
            return failure_kind::redirect;
        case error::truncated_head:
        case error::no_message:
        case error::truncated_body:
        case error::truncated_content:
        case error::stream_reset:
            return failure_kind::interrupted;
        case error::malformed_start_line:
        case error::malformed_header:
        case error::unsupported_version:
        case error::bad_host:
        case error::head_too_large:
        case error::target_too_large:
        case error::too_many_headers:
        case error::bad_content_length:
        case error::conflicting_lengths:
        case error::unsupported_transfer_encoding:
        case error::bad_chunk:
        case error::trailers_too_large:
        case error::body_too_large:
        case error::unexpected_data:
        case error::bad_transfer_encoding:
        case error::corrupt_content:
        case error::content_too_large:
        case error::unasked_range:
        case error::too_many_interim_responses:
        case error::body_length_differs:
        case error::not_upgraded:
        case error::bad_form:
        case error::form_too_large:
        case error::bad_http2:
            return failure_kind::protocol;
    }
    return failure_kind::protocol;
}

bool is_lasting(const std::error_code& code) noexcept {
    using leat::dns_errc;
    return code == dns_errc::no_such_host || code == dns_errc::no_address ||
           code == dns_errc::malformed_name || code == dns_errc::unsupported;
}

bool ends_a_connection(const std::error_code& code) noexcept {
    return code == std::errc::connection_reset || code == std::errc::broken_pipe ||
           code == std::errc::connection_aborted || code == leat::stream_errc::end_of_stream ||
           code == leat::tls::failure::truncated;
}

failure_kind kind_of(const std::error_code& code) noexcept {
    if (code.category() == leat::http::url_category()) {
        return failure_kind::bad_input;
    }
    if (code.category() == leat::dns_category()) {
        return failure_kind::name;
    }
    if (code.category() == leat::http::http_category()) {
        return kind_of(static_cast<leat::http::error>(code.value()));
    }
    if (ends_a_connection(code)) {
        return failure_kind::interrupted;
    }
    if (code.category() == leat::tls::error_category()) {
        return failure_kind::tls;
    }
    if (code == std::errc::timed_out) {
        return failure_kind::stalled;
    }
    return code.category() == std::generic_category() || code.category() == std::system_category()
               ? failure_kind::connect
               : failure_kind::other;
}

}  // namespace

std::string_view name_of(failure_kind kind) noexcept {
    switch (kind) {
        case failure_kind::bad_input:
            return "bad_input";
        case failure_kind::name:
            return "name";
        case failure_kind::connect:
            return "connect";
        case failure_kind::tls:
            return "tls";
        case failure_kind::refused:
            return "refused";
        case failure_kind::busy:
            return "busy";
        case failure_kind::server:
            return "server";
        case failure_kind::protocol:
            return "protocol";
        case failure_kind::redirect:
            return "redirect";
        case failure_kind::interrupted:
            return "interrupted";
        case failure_kind::stalled:
            return "stalled";
        case failure_kind::checksum:
            return "checksum";
        case failure_kind::file:
            return "file";
        case failure_kind::other:
            return "other";
    }
    return "other";
}

bool is_trouble(failure_kind kind) noexcept {
    return kind == failure_kind::busy || kind == failure_kind::interrupted || kind == failure_kind::stalled ||
           kind == failure_kind::connect;
}

bool failure::may_pass() const noexcept {
    switch (kind) {
        case failure_kind::name:
        case failure_kind::server:
            return !lasting;
        case failure_kind::connect:
        case failure_kind::busy:
        case failure_kind::interrupted:
        case failure_kind::stalled:
            return true;
        case failure_kind::bad_input:
        case failure_kind::tls:
        case failure_kind::refused:
        case failure_kind::protocol:
        case failure_kind::redirect:
        case failure_kind::checksum:
        case failure_kind::file:
        case failure_kind::other:
            return false;
    }
    return false;
}

failure failure_of(const std::exception& thrown) {
    if (dynamic_cast<const file_error*>(&thrown) != nullptr) {
        return {.kind = failure_kind::file, .text = thrown.what()};
    }
    const auto* const error = dynamic_cast<const std::system_error*>(&thrown);
    if (error == nullptr) {
        return {.kind = failure_kind::other, .text = thrown.what()};
    }
    return {.kind = kind_of(error->code()), .text = thrown.what(), .lasting = is_lasting(error->code())};
}

}  // namespace fetch
