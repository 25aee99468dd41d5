// SPDX-License-Identifier: MIT
// compressed: text as zlib compresses it, for tests of content codings.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <zlib.h>

inline constexpr int zlib_window = 15;
inline constexpr int gzip_window = 31;
inline constexpr int raw_window = -15;

// `window` tells the format: one of the above. `level`: from 0, which only packs, to 9.
inline std::string compressed(std::string_view text, int window, int level = Z_BEST_COMPRESSION) {
    z_stream stream{};
    REQUIRE(::deflateInit2(&stream, level, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(::deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
}
