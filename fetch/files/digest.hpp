// SPDX-License-Identifier: MIT
// digest: what tells that a file is the one that was meant, as "sha-256=2cf2..." of a list says it.
// digester: makes one of bytes that pass. By OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fetch {

// By the names of RFC 9530 and, for lists of old, md5 and sha-1.
enum class digest_kind : std::uint8_t { md5, sha_1, sha_224, sha_256, sha_384, sha_512 };

// "sha-256", as lists and Metalink files have it.
[[nodiscard]] std::string_view name_of(digest_kind kind) noexcept;
// "sha-256", "sha256" and "SHA256" are the same. Nothing for a name that is not known.
[[nodiscard]] std::optional<digest_kind> digest_kind_of(std::string_view name) noexcept;
// In bytes.
[[nodiscard]] std::size_t size_of(digest_kind kind) noexcept;

struct digest {
    digest_kind kind = digest_kind::sha_256;
    std::string bytes;  // size_of(kind) of them

    friend bool operator==(const digest&, const digest&) = default;
};

// "sha-256=HEX". Nothing for what is none.
[[nodiscard]] std::optional<digest> read_digest(std::string_view text);
// What hexadecimal digits of either case say; nothing for what are none.
[[nodiscard]] std::optional<std::string> bytes_of(std::string_view digits);
// In lower case, without the kind.
[[nodiscard]] std::string hexadecimal(const digest& of);

class digester {
public:
    // Throws std::system_error where the system's policy forbids the kind, and std::bad_alloc.
    explicit digester(digest_kind kind);
    digester(digester&&) noexcept;
    digester& operator=(digester&&) noexcept;
    ~digester();

    void add(std::span<const std::byte> bytes);
    // Of all bytes so far; begins again.
    [[nodiscard]] digest end();

private:
    struct context;
    std::unique_ptr<context> context_;
    digest_kind kind_;
};

}  // namespace fetch
