// SPDX-License-Identifier: MIT
// ocsp_response: what a certificate's authority says of it, for a server to send along ("stapling", RFC 6066,
// 8). Used by server_certificates only. That it is signed is for the client to check.
#pragma once

#include <leat/tls/pem.hpp>

#include <chrono>
#include <string>
#include <string_view>

struct ssl_st;
struct x509_st;

namespace leat::tls::detail {

class ocsp_response {
public:
    // Throws tls::error that names the file: it cannot be read, is no answer, or not one about `certificate`.
    ocsp_response(const der& source, const x509_st* certificate);

    // False once a newer one is to be had, by the clock of the system, or of a simulation.
    [[nodiscard]] bool is_current() const noexcept;
    // Makes `ssl` send it; false when there is no memory.
    [[nodiscard]] bool send_with(ssl_st* ssl) const noexcept;

private:
    std::string bytes_;
    std::chrono::system_clock::time_point next_update_ = std::chrono::system_clock::time_point::max();
};

}  // namespace leat::tls::detail
