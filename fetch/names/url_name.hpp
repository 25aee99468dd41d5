// SPDX-License-Identifier: MIT
// What a URL says of its file's name. All that is given is safe (safe_name.hpp), with percent-encoding
// undone. The rules are here, as they are for all kinds of names.
#pragma once

#include <leat/http/url.hpp>

#include <string>

namespace fetch {

// The last part of the path, "index.html" where that is empty, and the query behind a question mark, as wget
// does: "page?id=1".
[[nodiscard]] std::string url_name(const leat::http::url& of);

// The same without the query.
[[nodiscard]] std::string url_file(const leat::http::url& of);

// The folders in front of it: "a/b", or nothing.
[[nodiscard]] std::string url_folders(const leat::http::url& of);

// The query; nothing when there is none.
[[nodiscard]] std::string url_query(const leat::http::url& of);

// "example.org", or "example.org:8080" with a port that is not the scheme's.
[[nodiscard]] std::string url_host(const leat::http::url& of);

}  // namespace fetch
