// SPDX-License-Identifier: MIT
// Certificates for tests and demonstrations of TLS, made in memory: a certificate authority and what it
// issues. Keys are new each time and stay in memory unless the caller writes them to a file. Everything is
// PEM text, ready for leat::tls::pem::text(). By default it is valid now, by the system's clock, and in the
// year that begins with the clock of a simulation (simulation_options::wall_start).
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

enum class key_kind { ec, ed25519, rsa };  // P-256, Ed25519, 2048 bits

// A certificate, followed by the authorities between it and the root, and its private key.
struct certificate {
    std::string chain;
    std::string key;
};

namespace detail {

// From now: `before` it, or a day before the clock of a simulation begins; and `after` it, or a year after.
// Whichever makes the time longer.
[[nodiscard]] std::chrono::seconds usual_beginning(std::chrono::seconds before = std::chrono::hours(1));
[[nodiscard]] std::chrono::seconds usual_end(std::chrono::seconds after = std::chrono::hours(24));

}  // namespace detail

struct certificate_options {
    key_kind key = key_kind::ec;
    // Both from now, by the system's clock: an hour ago, and in a day, or as much more as simulations need.
    std::chrono::seconds not_before = detail::usual_beginning();
    std::chrono::seconds not_after = detail::usual_end();
    std::string_view common_name = {};  // without one: the first of the names
};

struct ocsp_options {
    bool revoked = false;
    std::chrono::seconds next_update = detail::usual_end();  // from now: when a newer response is to be had
};

class certificate_authority {
public:
    // A root, valid for ten years from now, that signs itself.
    explicit certificate_authority(std::string_view name = "leat test authority",
                                   key_kind key = key_kind::ec);
    certificate_authority(certificate_authority&&) noexcept;
    certificate_authority& operator=(certificate_authority&&) noexcept;
    ~certificate_authority();

    // Its own certificate: what a client is told to trust.
    [[nodiscard]] std::string certificate_text() const;

    // For a server (or a client) with these host names, wildcards and addresses: {"localhost", "127.0.0.1"}.
    [[nodiscard]] certificate issue(const std::vector<std::string>& names,
                                    const certificate_options& options = {}) const;

    // What this authority says by OCSP of a certificate that it has issued: good, or revoked. In DER form,
    // for leat::tls::der::bytes().
    [[nodiscard]] std::string ocsp_response(const certificate& about, const ocsp_options& options = {}) const;

    // An authority that this one vouches for; what it issues comes with the chain up to, not including, the
    // root.
    [[nodiscard]] certificate_authority intermediate(std::string_view name) const;

private:
    struct state;
    explicit certificate_authority(std::unique_ptr<state> made) noexcept;

    std::unique_ptr<state> state_;
};

// A certificate that vouches for itself.
[[nodiscard]] certificate self_signed(const std::vector<std::string>& names,
                                      const certificate_options& options = {});

}  // namespace leat::testing
