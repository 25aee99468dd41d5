// SPDX-License-Identifier: MIT
// Patterns of names, as "{host}/{number:5}-{stem}{extension}" of --output. In braces stand
//   {host}       example.org, or example.org:8080
//   {path}       the folders of the URL's path: a/b, or nothing
//   {name}       the file's name, from the URL's path or, if that is asked for, from Content-Disposition
//   {stem}, {extension}  its parts: "a.tar" and ".gz" of a.tar.gz. An extension has its dot, or is nothing
//   {query}      of the URL, without its question mark
//   {number}     of the job, from 1; {number:5} has zeros in front of it: 00017
//   {hash}       16 hexadecimal digits of the SHA-256 of the URL; {hash:64} all of them
// and "{{" and "}}" are braces. A "/" is one of a path. A part of a path that comes out empty is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fetch {

// What stands for the braces. Names without slashes, but for the path.
struct pattern_values {
    std::string host = {};
    std::string path = {};
    std::string name = {};
    std::string query = {};
    std::uint64_t number = 0;
    std::string url = {};  // of which the hash is
};

// What is wrong with a pattern, in one line; nothing when it is sound.
[[nodiscard]] std::string pattern_mistake(std::string_view pattern);

// The path that a sound pattern makes, safe (safe_name.hpp). Of one that is not sound: what can be made of
// it.
[[nodiscard]] std::string path_by(std::string_view pattern, const pattern_values& values);

}  // namespace fetch
