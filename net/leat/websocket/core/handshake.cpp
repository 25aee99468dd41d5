// SPDX-License-Identifier: MIT
#include <leat/websocket/core/handshake.hpp>

#include <leat/check.hpp>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>

namespace leat::websocket::detail {
namespace {

constexpr std::string_view accepting_suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <std::size_t size>
std::string base64(const std::array<unsigned char, size>& bytes) {
    std::string text((size + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends it with a zero
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), size);
    text.pop_back();
    return text;
}

}  // namespace

bool is_handshake_key(std::string_view key) noexcept {
    return key.size() == 24 && key.ends_with("==") && std::ranges::all_of(key.substr(0, 22), [](char c) {
               return base64_digits.find(c) != base64_digits.npos;
           });
}

std::string accepted_key(std::string_view key) {
    std::string text(key);
    text += accepting_suffix;
    std::array<unsigned char, 20> digest{};
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
        throw std::bad_alloc();
    }
    return base64(digest);
}

std::string new_handshake_key() {
    std::array<unsigned char, 16> bytes{};
    check(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "OpenSSL has random bytes");
    return base64(bytes);
}

}  // namespace leat::websocket::detail
