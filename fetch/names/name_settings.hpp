// SPDX-License-Identifier: MIT
// name_settings: what files are called that no list gives a name to.
#pragma once

#include <cstdint>
#include <string>

namespace fetch {

enum class name_source : std::uint8_t {
    url,      // the last part of its path, and its query
    tree,     // host/path, as on the site
    pattern,  // by name_settings::pattern
};

struct name_settings {
    name_source source = name_source::url;
    bool content_disposition = false;  // as the server says, where it does (RFC 6266)
    std::string pattern = {};          // as "{host}/{number}-{name}"
};

}  // namespace fetch
