// SPDX-License-Identifier: MIT
// Bytes from a stranger as a file of cookies: what is taken can stand in a field, stays within the limits,
// and what is written is read back as it was.
#include <leat/check.hpp>
#include <leat/http/cookie_file.hpp>
#include <leat/http/core/text.hpp>

#include <string>
#include <string_view>

using leat::check;
using leat::http::cookie_jar;
using leat::http::cookies_read;
using leat::http::cookies_text;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    cookie_jar jar({.cookies = 8, .per_domain = 4, .bytes = 50});
    const cookies_read done = leat::http::read_cookies(text, jar);
    check(jar.size() <= 8 && jar.size() <= done.taken, "the limit holds");
    check(done.bad_lines.size() == std::min<std::size_t>(done.bad, 20), "bad lines are told");
    std::size_t before = 0;
    for (const auto& each : done.bad_lines) {
        check(each.number > before, "in order");
        before = each.number;
    }
    for (const auto& each : jar.all()) {
        check(leat::http::detail::is_field_value(each.name + "=" + each.value), "it can stand in a field");
        check(each.value.find(';') == each.value.npos, "it is one cookie");
        check(each.name.size() + each.value.size() <= 50, "it is within its limit");
        check(each.path.starts_with('/'), "a path is absolute");
    }
    const std::string written = cookies_text(jar);
    cookie_jar same;
    const cookies_read again = leat::http::read_cookies(written, same);
    check(again.bad == 0 && again.taken == jar.all().size(), "what is written is read");
    check(cookies_text(same) == written, "and is the same");
    const auto lasting = cookies_text(jar, false);
    check(lasting.size() <= written.size(), "without those of the session there are no more");
    return 0;
}
