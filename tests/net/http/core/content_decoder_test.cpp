// SPDX-License-Identifier: MIT
#include <leat/http/core/content_decoder.hpp>

#include <leat/http/error.hpp>

#include "../compressed.hpp"

#if LEAT_HAS_ZSTD
#include <zstd.h>
#endif

#include <doctest/doctest.h>

#include <ostream>  // doctest prints a std::error_code through it
#include <string>
#include <vector>

using leat::http::error;
using leat::http::detail::content_decoder;

namespace {

// Text that compresses to something, but not to nothing.
std::string varied(std::size_t size) {
    std::string text;
    for (std::uint32_t state = 1; text.size() < size; state = state * 1664525 + 1013904223) {
        text += static_cast<char>('a' + (state >> 24) % 26);
    }
    return text;
}

struct outcome {
    std::string text;
    std::error_code error;
    bool operator==(const outcome&) const = default;
};

// Decodes `pieces`, then the end.
outcome decode(std::string_view coding, const std::vector<std::string_view>& pieces,
               std::uint64_t limit = content_decoder::no_limit) {
    content_decoder made = content_decoder::make(coding, limit);
    content_decoder decoder = std::move(made);  // a move must not disturb it
    outcome seen;
    for (std::string_view input : pieces) {
        for (;;) {
            const auto piece = decoder.next(input);
            if (!piece) {
                seen.error = piece.error();
                CHECK(decoder.finish().error() == seen.error);
                return seen;
            }
            if (piece->empty()) {
                break;
            }
            seen.text += *piece;
        }
        CHECK(input.empty());
    }
    CHECK(decoder.decoded_bytes() == seen.text.size());
    seen.error = decoder.finish().error();
    return seen;
}

outcome decode(std::string_view coding, std::string_view input) {
    return decode(coding, std::vector<std::string_view>{input});
}

outcome decode_bytewise(std::string_view coding, std::string_view input) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < input.size(); ++at) {
        pieces.push_back(input.substr(at, 1));
    }
    return decode(coding, pieces);
}

}  // namespace

TEST_CASE("content of every coding comes out as it went in, whole or byte by byte") {
    for (const std::size_t size : {0U, 1U, 100U, 16384U, 16385U, 200000U}) {
        CAPTURE(size);
        const std::string text = varied(size);
        const outcome expected{text, {}};
        for (const char* name : {"gzip", "x-gzip", "GZip", "identity, gzip", " gzip ,"}) {
            CAPTURE(name);
            CHECK(decode(name, compressed(text, gzip_window)) == expected);
        }
        CHECK(decode("deflate", compressed(text, zlib_window)) == expected);
        CHECK(decode("deflate", compressed(text, raw_window)) == expected);
        CHECK(decode("", text) == expected);
        CHECK(decode("identity", text) == expected);
    }
    const std::string text = varied(3000);
    CHECK(decode_bytewise("gzip", compressed(text, gzip_window)) == outcome{text, {}});
    CHECK(decode_bytewise("deflate", compressed(text, zlib_window)) == outcome{text, {}});
    CHECK(decode_bytewise("deflate", compressed(text, raw_window)) == outcome{text, {}});
    CHECK(decode_bytewise("", text) == outcome{text, {}});
}

TEST_CASE("raw deflate is told apart at every compression level and kind of content") {
    for (const int level : {0, 1, 6, 9}) {
        for (const std::string& text :
             {std::string(), std::string("x"), varied(70000), std::string(70000, 'x')}) {
            CAPTURE(level);
            CAPTURE(text.size());
            CHECK(decode("deflate", compressed(text, raw_window, level)) == outcome{text, {}});
        }
    }
}

TEST_CASE("an identity passes the caller's bytes through without a copy") {
    content_decoder decoder;
    CHECK(decoder.is_identity());
    const std::string text = "as it is";
    std::string_view input = text;
    CHECK(static_cast<const void*>(decoder.next(input).value().data()) == text.data());
    CHECK(input.empty());
    CHECK(decoder.next(input).value().empty());
    CHECK(decoder.finish().ok());
}

TEST_CASE("a gzip body may have several members, and what else stands behind the end is ignored") {
    const std::string one = compressed("one", gzip_window);
    const std::string two = compressed("two", gzip_window);
    const std::string none = compressed("", gzip_window);
    const std::string zeros(600, '\0');
    for (const auto& body : {one + two, one + none + two, one + two + zeros, none + one + two + none,
                             one + two + "\r\n", one + two + "\x1f", one + two + "\x1f!" + one}) {
        CHECK(decode("gzip", body) == outcome{"onetwo", {}});
        CHECK(decode_bytewise("gzip", body) == outcome{"onetwo", {}});
    }
    for (const auto& body : {one + "x", one + zeros + "x", one + zeros + two, one + "\r\n" + two}) {
        CHECK(decode("gzip", body) == outcome{"one", {}});
        CHECK(decode_bytewise("gzip", body) == outcome{"one", {}});
    }
    CHECK(decode("gzip", one + two.substr(0, 2)) == outcome{"one", error::truncated_content});
    CHECK(decode("gzip", one + "\x1f\x8b!!!!") == outcome{"one", error::corrupt_content});
    CHECK(decode_bytewise("gzip", one + "\x1f\x8b!!!!") == outcome{"one", error::corrupt_content});
    for (const int window : {zlib_window, raw_window}) {
        for (const auto& rest : {std::string("x"), zeros, compressed("two", window)}) {
            CHECK(decode("deflate", compressed("one", window) + rest) == outcome{"one", {}});
            CHECK(decode_bytewise("deflate", compressed("one", window) + rest) == outcome{"one", {}});
        }
    }
}

TEST_CASE("compressed content that ends early is found out wherever it ends") {
    const std::string text = varied(300);
    for (const auto& [name, whole] : {std::pair{"gzip", compressed(text, gzip_window)},
                                      std::pair{"deflate", compressed(text, zlib_window)},
                                      std::pair{"deflate", compressed(text, raw_window)}}) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            CAPTURE(size);
            const outcome seen = decode(name, std::string_view(whole).substr(0, size));
            CHECK(seen.error == error::truncated_content);
            CHECK(text.starts_with(seen.text));
        }
    }
    CHECK(decode("gzip", std::vector<std::string_view>{}) == outcome{});
}

TEST_CASE("damaged content is found out") {
    const std::string text = varied(300);
    const std::string whole = compressed(text, gzip_window);
    std::string checksum = whole;
    checksum[checksum.size() - 6] ^= 1;
    CHECK(decode("gzip", checksum).error == error::corrupt_content);
    std::string length = whole;
    length.back() ^= 1;
    CHECK(decode("gzip", length).error == error::corrupt_content);
    CHECK(decode("gzip", "plain text").error == error::corrupt_content);
    CHECK(decode("deflate", "\x78plain text").error == error::corrupt_content);
    CHECK(decode("deflate", "\xff\xff\xff\xff").error == error::corrupt_content);
    CHECK(decode("gzip", compressed(text, zlib_window)).error == error::corrupt_content);
}

TEST_CASE("a compression bomb stops at the limit") {
    const std::string bomb = compressed(std::string(10'000'000, '\0'), gzip_window);
    REQUIRE(bomb.size() < 10'000);
    const outcome seen = decode("gzip", {bomb}, 100'000);
    CHECK(seen.error == error::content_too_large);
    CHECK(seen.text.size() <= 100'000);
    const std::string exact = compressed(varied(5000), gzip_window);
    CHECK_FALSE(decode("gzip", {exact}, 5000).error);
    CHECK(decode("gzip", {exact}, 4999).error == error::content_too_large);
    CHECK(decode("", {"12345"}, 4).error == error::content_too_large);
    CHECK_FALSE(decode("", {"12345"}, 5).error);
}

TEST_CASE("codings that are unknown, or several at once, are left on") {
    for (const char* name : {"compress", "gzip, gzip", "deflate, gzip", "gzip, zstd", "zstd, gzip",
                             "gzip;q=1", "x", "utf-8", "binary"}) {
        CAPTURE(name);
        CHECK(content_decoder::make(name).is_identity());
        CHECK(leat::http::detail::names_coding(name));
        CHECK(decode(name, "as it is") == outcome{"as it is", {}});
    }
    for (const char* name : {"", "identity", "none", " None ,identity", ","}) {
        CAPTURE(name);
        CHECK(content_decoder::make(name).is_identity());
        CHECK_FALSE(leat::http::detail::names_coding(name));
        CHECK(decode(name, "as it is") == outcome{"as it is", {}});
    }
}

TEST_CASE("brotli is decoded where the library has it, and left on where not") {
    const std::string_view sentence = "A leat carries water to a mill; this one carries bytes.";
    const std::string coded(
        "\x13\x36\x00\xf8\x45\x4f\x96\xaa\x90\x84\x22\x49\x91\x4d\xb0\x1d\x81\x02\x1c\x72\xa0\x07\xf4\x83\x05"
        "\x12\x78\x5b\x1d\x43\x3a\xfb\x64\xe4\x94\x10\x76\x2d\xba\x1e\x6b\x54\x09\x88\x84\x4e\x07\xf8\x67"
        "\x19",
        50);
    const std::string megabyte_of_a(
        "\xa3\xff\xff\x83\x5f\x22\x2c\x1e\x0b\x04\x72\xef\x0f\xea\xff\xff\xf0\x4b\x00\xc4\x61\x11\x80\xee\xfd"
        "\x01",
        26);
    const bool offered = leat::http::detail::accept_encoding().find("br") != std::string_view::npos;
    CHECK(content_decoder::make("br").is_identity() == !offered);
    if (!offered) {
        return;
    }
    const outcome expected{std::string(sentence), {}};
    CHECK(decode("br", coded) == expected);
    CHECK(decode_bytewise("br", coded) == expected);
    CHECK(decode("br", "\x06") == outcome{});
    CHECK(decode("br", std::vector<std::string_view>{}) == outcome{});
    CHECK(decode("br", megabyte_of_a) == outcome{std::string(1 << 20, 'a'), {}});
    CHECK(decode("br", {megabyte_of_a}, 1000).error == error::content_too_large);
    CHECK(decode("br", coded + "x") == expected);
    CHECK(decode_bytewise("br", coded + "\r\n") == expected);
    for (std::size_t size = 1; size < coded.size(); ++size) {
        CAPTURE(size);
        CHECK(decode("br", std::string_view(coded).substr(0, size)).error == error::truncated_content);
    }
    CHECK(decode("br", "\xff\xff\xff\xff\xff").error == error::corrupt_content);
}

TEST_CASE("zstd is offered and decoded where the library has it, and left on where not") {
    const bool offered = leat::http::detail::accept_encoding().find("zstd") != std::string_view::npos;
    CHECK(content_decoder::make("zstd").is_identity() == !offered);
#if LEAT_HAS_ZSTD
    CHECK(offered);
#else
    CHECK_FALSE(offered);
#endif
}

#if LEAT_HAS_ZSTD

namespace {

std::string zstd_of(std::string_view text, int window_log = 0) {
    ZSTD_CCtx* const context = ::ZSTD_createCCtx();
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    std::string coded(::ZSTD_compressBound(text.size()), '\0');
    coded.resize(::ZSTD_compress2(context, coded.data(), coded.size(), text.data(), text.size()));
    ::ZSTD_freeCCtx(context);
    return coded;
}

}  // namespace

TEST_CASE("zstd frames, one or several, are decoded however they are cut") {
    const std::string text = varied(200'000);
    const std::string coded = zstd_of(text);
    const std::string skipped("\x5a\x2a\x4d\x18\x03\0\0\0xyz", 11);
    CHECK(decode("zstd", coded) == outcome{text, {}});
    CHECK(decode_bytewise("zstd", coded) == outcome{text, {}});
    CHECK(decode("zstd", std::vector<std::string_view>{}) == outcome{});
    CHECK(decode("zstd", zstd_of("")) == outcome{});
    const std::string several = zstd_of("a") + skipped + zstd_of("") + zstd_of("b");
    CHECK(decode("zstd", several) == outcome{"ab", {}});
    CHECK(decode_bytewise("zstd", several) == outcome{"ab", {}});
    for (std::size_t size = 1; size < coded.size(); size += 1 + coded.size() / 50) {
        CAPTURE(size);
        CHECK(decode("zstd", std::string_view(coded).substr(0, size)).error == error::truncated_content);
    }
    CHECK(decode("zstd", zstd_of("a") + coded.substr(0, 5)).error == error::truncated_content);
}

TEST_CASE("a zstd frame that is shorter than its head tells is corrupt, however it is cut") {
    const std::string frame("\x28\xb5\x2f\xfd\x20\xa8\x01\0\0", 9);  // of 168 bytes, with one empty block
    CHECK(decode("zstd", frame).error == error::corrupt_content);
    CHECK(decode_bytewise("zstd", frame).error == error::corrupt_content);
    CHECK(decode_bytewise("zstd", zstd_of("a") + frame).error == error::corrupt_content);
}

TEST_CASE("what stands behind zstd frames is ignored, what is wrong in one is not") {
    const std::string coded = zstd_of("text");
    for (const char* behind : {"x", "\r\n", "\x28", "\x28\xb5\x2f", "\x28\xb5\x2fx", "\x50\x2a"}) {
        CHECK(decode("zstd", coded + behind) == outcome{"text", {}});
        CHECK(decode_bytewise("zstd", coded + behind) == outcome{"text", {}});
    }
    CHECK(decode("zstd", "plain").error == error::corrupt_content);
    std::string flipped = coded;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    CHECK(decode("zstd", flipped).error == error::corrupt_content);
    CHECK(decode("zstd", coded + flipped).error == error::corrupt_content);
}

TEST_CASE("zstd content is within its limit, and needs no window above 8 MiB") {
    const std::string large(std::size_t(20) << 20, 'a');
    CHECK(decode("zstd", {zstd_of(large)}, 1000).error == error::content_too_large);
    CHECK(decode("zstd", zstd_of(large, 23)).text.size() == large.size());
    CHECK(decode("zstd", zstd_of(large, 24)).error == error::corrupt_content);
}

#endif
