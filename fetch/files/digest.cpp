// SPDX-License-Identifier: MIT
#include <fetch/files/digest.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>

#include <openssl/evp.h>

namespace fetch {
namespace {

struct known_kind {
    digest_kind kind;
    std::string_view name;
    std::string_view plain;  // without its dash
    std::size_t size;
    const EVP_MD* (*make)();
};

constexpr std::array kinds{
    known_kind{digest_kind::md5, "md5", "md5", 16, EVP_md5},
    known_kind{digest_kind::sha_1, "sha-1", "sha1", 20, EVP_sha1},
    known_kind{digest_kind::sha_224, "sha-224", "sha224", 28, EVP_sha224},
    known_kind{digest_kind::sha_256, "sha-256", "sha256", 32, EVP_sha256},
    known_kind{digest_kind::sha_384, "sha-384", "sha384", 48, EVP_sha384},
    known_kind{digest_kind::sha_512, "sha-512", "sha512", 64, EVP_sha512},
};

const known_kind& known(digest_kind kind) noexcept {
    return *std::find_if(kinds.begin(), kinds.end(), [&](const known_kind& one) { return one.kind == kind; });
}

char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same(std::string_view given, std::string_view name) noexcept {
    return std::equal(given.begin(), given.end(), name.begin(), name.end(),
                      [](char one, char other) { return lower(one) == other; });
}

int value_of(char digit) noexcept {
    const char low = lower(digit);
    return low >= '0' && low <= '9' ? low - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

void succeed(int answer) {
    if (answer != 1) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                                "this system's OpenSSL refuses the checksum");
    }
}

}  // namespace

std::string_view name_of(digest_kind kind) noexcept {
    return known(kind).name;
}

std::optional<digest_kind> digest_kind_of(std::string_view name) noexcept {
    for (const known_kind& one : kinds) {
        if (same(name, one.name) || same(name, one.plain)) {
            return one.kind;
        }
    }
    return std::nullopt;
}

std::size_t size_of(digest_kind kind) noexcept {
    return known(kind).size;
}

std::optional<std::string> bytes_of(std::string_view digits) {
    std::string bytes;
    if (digits.size() % 2 != 0) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = value_of(digits[i]);
        const int low = value_of(digits[i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::optional<digest> read_digest(std::string_view text) {
    const std::size_t end = std::min(text.find('='), text.size());
    const auto kind = digest_kind_of(text.substr(0, end));
    auto bytes = bytes_of(text.substr(std::min(end + 1, text.size())));
    if (!kind || !bytes || bytes->size() != size_of(*kind)) {
        return std::nullopt;
    }
    return digest{.kind = *kind, .bytes = *std::move(bytes)};
}

std::string hexadecimal(const digest& of) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char each : of.bytes) {
        const auto byte = static_cast<unsigned char>(each);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

struct digester::context {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> made{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

digester::digester(digest_kind kind) : context_(std::make_unique<context>()), kind_(kind) {
    if (context_->made == nullptr) {
        throw std::bad_alloc();
    }
    succeed(EVP_DigestInit_ex(context_->made.get(), known(kind).make(), nullptr));
}
digester::digester(digester&&) noexcept = default;
digester& digester::operator=(digester&&) noexcept = default;
digester::~digester() = default;

void digester::add(std::span<const std::byte> bytes) {
    succeed(EVP_DigestUpdate(context_->made.get(), bytes.data(), bytes.size()));
}

digest digester::end() {
    digest made{.kind = kind_, .bytes = std::string(size_of(kind_), '\0')};
    succeed(EVP_DigestFinal_ex(context_->made.get(), reinterpret_cast<unsigned char*>(made.bytes.data()),
                               nullptr));
    succeed(EVP_DigestInit_ex(context_->made.get(), nullptr, nullptr));
    return made;
}

}  // namespace fetch
