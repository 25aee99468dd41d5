// SPDX-License-Identifier: MIT
// What tests of compressed answers share: the codings that the library makes, a page, and the way back.
#pragma once

#include <leat/http/answers.hpp>
#include <leat/http/core/content_decoder.hpp>

#include "static_site.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace leat::testing {

inline const std::vector<std::string> codings_made{
#if LEAT_HAS_BROTLI
    "br",
#endif
#if LEAT_HAS_ZSTD
    "zstd",
#endif
    "gzip"};

inline std::string decoded(std::string_view coding, std::string_view bytes) {
    auto decoder = http::detail::content_decoder::make(coding);
    std::string text;
    for (;;) {
        const auto piece = decoder.next(bytes);
        CHECK(piece.ok());
        if (!piece.ok() || piece->empty()) {
            break;
        }
        text += *piece;
    }
    CHECK(decoder.finish().ok());
    return text;
}

inline const std::string page_text = bytes_of(30'000);

inline http::response page() {
    http::response made = http::text_answer(page_text);
    made.headers.add("ETag", "\"7\"");
    made.headers.add("Accept-Ranges", "bytes");
    return made;
}

}  // namespace leat::testing
