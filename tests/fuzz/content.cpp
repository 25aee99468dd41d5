// SPDX-License-Identifier: MIT
// Bytes from a stranger as compressed content: no decoder crashes, loops or goes past its limit, and what
// comes out does not depend on how the input is cut.
#include <leat/check.hpp>
#include <leat/http/core/content_decoder.hpp>

#include <algorithm>
#include <string>

using leat::http::detail::content_decoder;

namespace {

constexpr std::size_t limit = 1 << 20;

struct outcome {
    std::string text;
    std::error_code error;
    bool operator==(const outcome&) const = default;
};

outcome decode(std::string_view coding, std::string_view input, std::size_t step) {
    auto decoder = content_decoder::make(coding, limit);
    outcome seen;
    for (std::size_t at = 0; at < input.size(); at += step) {
        std::string_view piece = input.substr(at, step);
        for (;;) {
            const auto decoded = decoder.next(piece);
            if (!decoded) {
                seen.error = decoded.error();
                return seen;
            }
            if (decoded->empty()) {
                break;
            }
            seen.text += *decoded;
        }
        leat::check(piece.empty(), "nothing more means that the input is used up");
    }
    seen.error = decoder.finish().error();
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    for (const char* coding : {"gzip", "deflate", "br", "zstd"}) {
        const outcome whole = decode(coding, input, std::max<std::size_t>(1, size));
        const outcome bytewise = decode(coding, input, 1);
        leat::check(whole.error == bytewise.error, "the cuts of the input do not change the verdict");
        leat::check(whole.error || whole.text == bytewise.text, "nor the content");
        leat::check(whole.text.size() <= limit, "the limit holds");
    }
    return 0;
}
