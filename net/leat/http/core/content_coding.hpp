// SPDX-License-Identifier: MIT
// content_coding: one decompressor behind content_decoder; zlib, brotli and zstd each have one. Internal.
#pragma once

#include <leat/result.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace leat::http::detail {

class content_coding {
public:
    content_coding() = default;
    content_coding(const content_coding&) = delete;
    content_coding& operator=(const content_coding&) = delete;
    virtual ~content_coding() = default;

    // Takes bytes off the front of `input`, which may be empty, and says how many it put into `output`.
    // Zero means that it needs more input. Fails with corrupt_content. Bytes behind the end are ignored.
    [[nodiscard]] virtual result<std::size_t> decode(std::string_view& input, std::span<char> output) = 0;

    // Whether the input may end here.
    [[nodiscard]] virtual bool complete() const noexcept = 0;
};

enum class zlib_format : unsigned char { gzip, deflate };

[[nodiscard]] std::unique_ptr<content_coding> make_zlib_coding(zlib_format format);
// Null when the library was built without brotli.
[[nodiscard]] std::unique_ptr<content_coding> make_brotli_coding();
// Null when the library was built without zstd. It takes no content that needs a window above 8 MiB.
[[nodiscard]] std::unique_ptr<content_coding> make_zstd_coding();

}  // namespace leat::http::detail
