// SPDX-License-Identifier: MIT
// The ways in which looking up a name fails. resolve() throws them in a std::system_error that names the
// host; beside them only std::errc::not_enough_memory comes out of a look-up.
#pragma once

#include <string>
#include <system_error>

namespace leat {

enum class dns_errc {
    no_such_host = 1,   // no server knows the name
    no_address,         // the name is known but has no address of the wanted family
    temporary_failure,  // no server gave an answer: it failed, or none could be reached
    timed_out,          // no server answered in time
    refused,            // the server refused to answer; c-ares 1.18 calls it a temporary_failure
    malformed_name,     // not a host name: no question was sent
    malformed_answer,   // what came cannot be understood
    unsupported,        // this library was built without DNS
};

// timed_out is also std::errc::timed_out, temporary_failure std::errc::resource_unavailable_try_again, and
// malformed_name std::errc::invalid_argument.
[[nodiscard]] const std::error_category& dns_category() noexcept;
[[nodiscard]] inline std::error_code make_error_code(dns_errc code) noexcept {
    return {static_cast<int>(code), dns_category()};
}

}  // namespace leat

template <>
struct std::is_error_code_enum<leat::dns_errc> : std::true_type {};
