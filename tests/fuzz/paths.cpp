// SPDX-License-Identifier: MIT
// Bytes from a stranger as the path of a URL: the path of files that is made of it stays below its folder by
// its text alone, and what was encoded comes back.
#include <leat/check.hpp>
#include <leat/http/core/static_path.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/target.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using leat::check;

namespace {

void check_path(std::string_view path, bool dot_files) {
    const auto made = leat::http::detail::static_path(path, dot_files);
    if (!made) {
        return;
    }
    check(!made->starts_with('/'), "it is relative");
    check(made->find('\0') == made->npos && made->find('\\') == made->npos, "no name holds these");
    for (std::string_view rest = *made; !rest.empty();) {
        const std::string_view name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        check(!name.empty() && name != "." && name != "..", "each name is one");
        check(dot_files || name.front() != '.' || name == ".well-known", "none is hidden");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    check_path(input, false);
    check_path(input, true);
    const auto [path, query] = leat::http::split_target(input);
    check_path(path, true);
    check(path.find('?') == path.npos, "a query is no part of a path");
    if (leat::http::detail::is_request_target(input)) {
        const std::string location = leat::http::detail::folder_location(input);
        check(location.starts_with("./") && leat::http::detail::is_field_value(location),
              "a place is one line");
        check(location.find('/', 2) + 1 == std::min(location.find('?'), location.size()), "and one segment");
    }
    std::string encoded;
    for (const char c : input) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto code = static_cast<unsigned char>(c);
        encoded += {'%', digits[code >> 4], digits[code & 15]};
    }
    check(leat::http::percent_decode(encoded) == input, "what was encoded comes back");
    return 0;
}
