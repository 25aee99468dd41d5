// SPDX-License-Identifier: MIT
// Bytes from a stranger as Set-Cookie fields: what is kept can stand in a field, is for the host that it came
// from, and stays within the limits.
#include <leat/check.hpp>
#include <leat/http/cookie_jar.hpp>
#include <leat/http/core/text.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using leat::check;
using leat::http::url;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    std::string_view fields(reinterpret_cast<const char*>(data) + 1, size - 1);
    const url from =
        url::parse((data[0] & 1) != 0 ? "http://www.example.org/a/b" : "https://www.example.org/a/b");
    const url stranger = url::parse("https://example.com/a/b");
    leat::http::cookie_jar jar({.cookies = 3, .per_domain = 2, .bytes = 50});
    while (!fields.empty()) {
        const std::string_view field = fields.substr(0, fields.find('\n'));
        fields.remove_prefix(std::min(field.size() + 1, fields.size()));
        (void)jar.store(from, field);
        check(jar.size() <= 3, "the limit holds");
    }
    const std::string sent = jar.cookies_for(from);
    check(leat::http::detail::is_field_value(sent), "what is sent can stand in a field");
    check(jar.cookies_for(stranger).empty(), "no other site gets it");
    for (const auto& each : jar.all()) {
        check(each.name.size() + each.value.size() <= 50, "a cookie is within its limit");
        check(each.domain == "www.example.org" || each.domain == "example.org",
              "it is for where it came from");
        check(each.path.starts_with('/'), "a path is absolute");
        check(!each.secure || from.is_secure(), "only who is secure sets what is");
    }
    return 0;
}
