// SPDX-License-Identifier: MIT
// Ranges of a representation: what a Range field asks a server for, and what Content-Range tells a client
// (RFC 9110 14). Only the unit "bytes" is known.
//
//   const auto asked = leat::http::read_range(*field, size);
//   if (asked.answer == leat::http::range_answer::parts) { ... asked.parts ... }
//
// Invariant of read_range: parts are as the client has ordered them, none is empty, all lie within the
// representation, and together they are at most three times as long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::http {

// Some bytes of a representation.
struct byte_range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    friend bool operator==(const byte_range&, const byte_range&) noexcept = default;
};

// How a request with a Range field is answered.
enum class range_answer : std::uint8_t {
    whole,    // 200, as without the field: it is malformed or of another unit
    parts,    // 206
    refused,  // 416: the representation has none of the parts, or they are too many
};

struct asked_ranges {
    range_answer answer = range_answer::whole;
    std::vector<byte_range> parts;  // one or more for `parts`
};

// How many parts a client may ask for at once. Readers of PDF files ask for a few dozen.
inline constexpr std::size_t ranges_max = 64;

// What `field`, the value of a Range field, asks of a representation of `size` bytes. More than `most` parts,
// or more than two that overlap others, are refused: they would cost a server far more than the client (RFC
// 9110 14.2, 17.15). An empty representation is sent as a whole.
[[nodiscard]] asked_ranges read_range(std::string_view field, std::uint64_t size,
                                      std::size_t most = ranges_max);

// The value of Content-Range: "bytes 0-499/1234"; and of that in a 416: "bytes */1234".
[[nodiscard]] std::string content_range(byte_range part, std::uint64_t size);
[[nodiscard]] std::string unsatisfied_range(std::uint64_t size);

// What a Content-Range field says: which part the body is, and how long the whole is; one of the two at
// least.
struct told_range {
    std::optional<byte_range> part;     // without: none could be given (416)
    std::optional<std::uint64_t> size;  // without: the server does not know it
    friend bool operator==(const told_range&, const told_range&) noexcept = default;
};

// What `field`, the value of a Content-Range field (RFC 9110 14.4), says to a client: "bytes 0-499/1234",
// "bytes 0-499/*" or "bytes */1234", with the unit in any case. Nothing for what is none of them, to the
// letter, for a part that is empty or does not lie within the whole, and for numbers beyond 64 bits: a client
// that took such a part could not know where it belongs.
[[nodiscard]] std::optional<told_range> read_content_range(std::string_view field) noexcept;

}  // namespace leat::http
