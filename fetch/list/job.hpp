// SPDX-License-Identifier: MIT
// job: one file that is to be fetched, as a line of a list, an argument or a Metalink file says it. Made by
// the lists, carried out by the engine.
#pragma once

#include <fetch/files/digest.hpp>

#include <leat/http/headers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fetch {

// What each piece of a file must be: of `length` bytes, but for the last one, which may be shorter.
struct piece_digests {
    digest_kind kind = digest_kind::sha_256;
    std::uint64_t length = 0;             // more than 0
    std::vector<std::string> bytes = {};  // of each piece, size_of(kind) of them
};

struct job {
    std::uint64_t number = 0;                  // from 1, in the order of the arguments and lists
    std::string url = {};                      // as it was given
    std::vector<std::string> mirrors = {};     // of the same file, in the order in which to try them
    std::string output = {};                   // the path it asks for, below the output folder; empty: none
    std::optional<digest> checksum = {};       // that the file must have
    std::optional<std::uint64_t> size = {};    // that it must have
    std::optional<piece_digests> pieces = {};  // that it must have
    leat::http::headers fields = {};           // that go with its requests, beside those of all
    std::string mistake = {};  // what is wrong with it: a whole line, as of failure::text. Then it fails
};

}  // namespace fetch
