// SPDX-License-Identifier: MIT
// content_decoder: decodes the Content-Encoding of a body as it arrives (RFC 9110 8.4): gzip, deflate, br
// and zstd where the library was built with brotli and zstd. The HTTP client pulls decoded pieces out of it:
//
//     while (!(piece = decoder.next(bytes).value()).empty()) ...    // then get more bytes; finish() at the
//     end
//
// It has one buffer of a fixed size, so a compression bomb costs no memory; more output than the limit is an
// error.
#pragma once

#include <leat/result.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

namespace leat::http::detail {

class content_coding;

class content_decoder {
public:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    // Takes nothing off: the pieces are the bytes given.
    content_decoder() noexcept;
    // For the value of a Content-Encoding field, which may be empty. A coding that is not known, and several
    // on top of each other, are left on: is_identity() tells. Nothing is allocated for an identity.
    [[nodiscard]] static content_decoder make(std::string_view content_encoding,
                                              std::uint64_t decoded_max = no_limit);
    content_decoder(content_decoder&&) noexcept;
    content_decoder& operator=(content_decoder&&) noexcept;
    ~content_decoder();

    // Takes bytes off the front of `input` and returns the next piece of content; an empty one when all of
    // `input` is used up. The piece is good until the next call, or, of an identity, as long as the input.
    // Fails with corrupt_content or content_too_large, and then for ever.
    //
    // Behind gzip and zstd content there may be further members or frames. Whatever else stands behind the
    // end of the content, such as a line break or zeros, is no part of it and ignored, as browsers and curl
    // do.
    [[nodiscard]] result<std::string_view> next(std::string_view& input);

    // The body has ended: truncated_content when the compressed content has not. No body at all is complete.
    [[nodiscard]] result<void> finish() const noexcept;

    // The bytes of content that came out so far.
    [[nodiscard]] std::uint64_t decoded_bytes() const noexcept { return decoded_; }
    [[nodiscard]] bool is_identity() const noexcept { return coding_ == nullptr; }

private:
    content_decoder(std::unique_ptr<content_coding> coding, std::uint64_t decoded_max);
    std::error_code count(std::size_t size) noexcept;

    std::unique_ptr<content_coding> coding_;  // null: identity
    std::unique_ptr<char[]> buffer_;
    std::uint64_t decoded_ = 0;
    std::uint64_t decoded_max_ = no_limit;
    std::error_code error_;
};

// Whether the value of a Content-Encoding field names a coding: anything but "identity" and "none".
[[nodiscard]] bool names_coding(std::string_view content_encoding) noexcept;

// "gzip, deflate, br, zstd", or without the last ones: the value of an Accept-Encoding field that promises
// what this decodes.
[[nodiscard]] std::string_view accept_encoding() noexcept;

}  // namespace leat::http::detail
