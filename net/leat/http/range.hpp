// SPDX-License-Identifier: MIT
// read_range: the parts of a representation that a Range field asks for (RFC 9110 14), as a server answers
// them. Only the unit "bytes" is known.
//
//   const auto asked = leat::http::read_range(*field, size);
//   if (asked.answer == leat::http::range_answer::parts) { ... asked.parts ... }
//
// Invariant: parts are as the client has ordered them, none is empty, all lie within the representation, and
// together they are at most three times as long.
#pragma once

#include <cstddef>
#include <cstdint>
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

}  // namespace leat::http
