// SPDX-License-Identifier: MIT
#include "../coded_page.hpp"

#include <leat/http/core/content_encoder.hpp>

using leat::testing::bytes_of;
using leat::testing::codings_made;
using leat::testing::decoded;

TEST_CASE("encoders of each coding give back what they were given, however it is cut") {
    using leat::http::detail::content_encoder;
    for (const std::string& coding : codings_made) {
        for (const std::size_t size : {0, 1, 100, 70'000, 1'000'000}) {
            for (const std::size_t piece : {1'000'000, 5'000}) {
                const auto encoder = coding == "gzip" ? leat::http::detail::make_gzip_encoder(size)
                                     : coding == "br" ? leat::http::detail::make_brotli_encoder(size)
                                                      : leat::http::detail::make_zstd_encoder(size);
                const std::string text = bytes_of(size);
                std::string coded;
                for (std::size_t at = 0; at < size; at += piece) {
                    encoder->encode(
                        std::string_view(text).substr(at, piece),
                        at % 2 == 0 ? content_encoder::flushing::piece : content_encoder::flushing::none,
                        coded);
                }
                encoder->encode({}, content_encoder::flushing::end, coded);
                CHECK(decoded(coding, coded) == text);
            }
        }
    }
}
