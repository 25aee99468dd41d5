// SPDX-License-Identifier: MIT
// How a file is gone on with: what a request says of the bytes that are there, and what its answer brings
// (RFC 9110 13.1.5, 14). A server that does not keep to it must not make a wrong file: what contradicts
// itself is an error, and what is doubtful begins from the start.
#pragma once

#include <fetch/files/byte_ranges.hpp>
#include <fetch/files/file_origin.hpp>

#include <leat/http/headers.hpp>
#include <leat/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fetch {

// What is known of a file, but for its URL and size, by the answer that brings it. A time counts as a
// validator only when the answer was made at least a second later: before, the file may have changed twice at
// that time (8.8.2.2).
[[nodiscard]] file_origin origin_of(const leat::http::response& answer);

// Asks for the bytes from `from` on, if the file is still that of `known`, which has a validator.
void ask_for_rest(leat::http::headers& fields, std::uint64_t from, const file_origin& known);

// The same of a range.
void ask_for_part(leat::http::headers& fields, byte_range part, const file_origin& known);

// Whether an answer to that brings the range to the letter, of the same file, and tells so; `length` is that
// of its body. All else may be bytes of another file, or of another place.
[[nodiscard]] bool brings_part(const leat::http::response& answer, std::optional<std::uint64_t> length,
                               byte_range part, const file_origin& known);

enum class brings : std::uint8_t {
    whole,     // the body is the file from its start
    rest,      // the body is what comes behind the bytes that are there
    nothing,   // the bytes that are there are the whole file
    doubt,     // they are not of this file: ask for all of it
    nonsense,  // the server contradicts itself or what was asked
};

struct answer_meaning {
    brings what = brings::whole;
    std::optional<std::uint64_t> size = {};  // of the whole file
    std::string why = {};                    // of nonsense, in a few words
};

// Of an answer with 206 or 416 to a request for the bytes from `from` on; or with another 2xx.
[[nodiscard]] answer_meaning meaning_of(const leat::http::response& answer, std::uint64_t from,
                                        const file_origin& known);

// Whether an answer says that its body is exactly these bytes of a file of that size.
[[nodiscard]] bool is_part(const leat::http::response& answer, byte_range part, std::uint64_t size);

}  // namespace fetch
