// SPDX-License-Identifier: MIT
// checksum_list: which checksum each file of a folder has, as sha256sum(1) and its like write and read it:
//
//   2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  hello.txt
//   SHA256 (hello.txt) = 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
//
// Of the first form the number of digits tells the kind: md5sum, sha1sum, sha224sum ... sha512sum. A
// backslash before a line says that its name has \n, \r and \\ for a line feed, a carriage return and a
// backslash.
#pragma once

#include <fetch/files/digest.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fetch {

struct listed_checksum {
    digest checksum;
    std::string name;

    friend bool operator==(const listed_checksum&, const listed_checksum&) = default;
};

// Without its line end. Nothing for a line that has none.
[[nodiscard]] std::optional<listed_checksum> read_checksum(std::string_view line);
// In the first form, with its line feed: what sha256sum --check reads.
[[nodiscard]] std::string checksum_line(const digest& checksum, std::string_view name);

class checksum_list {
public:
    // Comments (#) and blank lines do not count. Throws std::invalid_argument with the number of the line
    // that is none of these, or that contradicts another.
    [[nodiscard]] static checksum_list read(std::string_view text);

    // Of "name", "./name" or "*name" of the list; null when it has none. It lives as long as the list.
    [[nodiscard]] const digest* find(std::string_view name) const;
    [[nodiscard]] std::size_t size() const noexcept { return checksums_.size(); }

private:
    std::unordered_map<std::string, digest> checksums_;
};

}  // namespace fetch
