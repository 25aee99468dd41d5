// SPDX-License-Identifier: MIT
// content_encoder: compresses one body as it comes (RFC 9110 8.4): gzip, and br and zstd where the library
// was built with them. compress() and compressed() use it.
// Invariant: none takes more than 1 MiB (gzip 260 KiB, zstd 600, br 800), and one of a short body less.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace leat::http::detail {

class content_encoder {
public:
    // What can be decoded of what has been encoded.
    enum class flushing : std::uint8_t {
        none,   // as it comes
        piece,  // all that was given
        end,    // all, and nothing follows
    };

    content_encoder() noexcept { ++alive_; }
    content_encoder(const content_encoder&) = delete;
    content_encoder& operator=(const content_encoder&) = delete;
    virtual ~content_encoder() { --alive_; }

    // Appends to `out` what becomes of `piece`, which may be empty. Throws std::bad_alloc, and is of no use
    // then.
    virtual void encode(std::string_view piece, flushing how, std::string& out) = 0;

    // How many there are on this thread.
    [[nodiscard]] static std::size_t alive() noexcept { return alive_; }

private:
    inline static thread_local std::size_t alive_ = 0;
};

// How long the body is that will be compressed.
inline constexpr std::uint64_t unknown_size = std::numeric_limits<std::uint64_t>::max();

[[nodiscard]] std::unique_ptr<content_encoder> make_gzip_encoder(std::uint64_t size);
// Null when the library was built without brotli; without zstd.
[[nodiscard]] std::unique_ptr<content_encoder> make_brotli_encoder(std::uint64_t size);
[[nodiscard]] std::unique_ptr<content_encoder> make_zstd_encoder(std::uint64_t size);

}  // namespace leat::http::detail
