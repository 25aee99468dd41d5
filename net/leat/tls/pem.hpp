// SPDX-License-Identifier: MIT
// pem and der: how the options of a context name certificates, keys and OCSP responses: in a file, or in
// memory. certified_key: what a server shows to those who ask for one of the certificate's names.
// Invariant: they refer to the path or the bytes that they were made of, which live until the context has
// been made, or reloaded.
#pragma once

#include <string_view>

namespace leat::tls {

namespace detail {

class given_bytes {
public:
    constexpr given_bytes() noexcept = default;

    [[nodiscard]] constexpr bool given() const noexcept { return given_; }
    [[nodiscard]] constexpr bool is_file() const noexcept { return is_file_; }
    [[nodiscard]] constexpr std::string_view value() const noexcept { return value_; }

protected:
    constexpr given_bytes(std::string_view value, bool is_file) noexcept
        : value_(value), given_(true), is_file_(is_file) {}

private:
    std::string_view value_;
    bool given_ = false;
    bool is_file_ = false;
};

}  // namespace detail

// Certificates or a key in PEM form (RFC 7468).
class pem : public detail::given_bytes {
public:
    constexpr pem() noexcept = default;
    [[nodiscard]] static constexpr pem file(std::string_view path) noexcept { return {path, true}; }
    [[nodiscard]] static constexpr pem text(std::string_view text) noexcept { return {text, false}; }

private:
    constexpr pem(std::string_view value, bool is_file) noexcept : given_bytes(value, is_file) {}
};

// An OCSP response in DER form (RFC 6960), as `openssl ocsp -respout` writes it.
class der : public detail::given_bytes {
public:
    constexpr der() noexcept = default;
    [[nodiscard]] static constexpr der file(std::string_view path) noexcept { return {path, true}; }
    [[nodiscard]] static constexpr der bytes(std::string_view bytes) noexcept { return {bytes, false}; }

private:
    constexpr der(std::string_view value, bool is_file) noexcept : given_bytes(value, is_file) {}
};

struct certified_key {
    pem certificate = {};  // the certificate, then its chain
    pem key = {};          // its private key
    der ocsp = {};  // what the authority says of it: sent to clients that ask, until its nextUpdate has come
};

}  // namespace leat::tls
