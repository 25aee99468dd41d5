// SPDX-License-Identifier: MIT
#include <leat/tls/core/digest.hpp>

#include <array>
#include <cstddef>

#include <openssl/evp.h>

namespace leat::tls::detail {

std::optional<std::string> hex_digest(const char* algorithm, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
    std::size_t size = 0;
    if (::EVP_Q_digest(nullptr, algorithm, nullptr, text.data(), text.size(), bytes.data(), &size) != 1) {
        return std::nullopt;
    }
    std::string digits;
    for (std::size_t i = 0; i < size; ++i) {
        constexpr const char* hex = "0123456789abcdef";
        digits += hex[bytes.at(i) >> 4U];
        digits += hex[bytes.at(i) & 15U];
    }
    return digits;
}

}  // namespace leat::tls::detail
