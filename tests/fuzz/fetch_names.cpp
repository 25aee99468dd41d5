// SPDX-License-Identifier: MIT
// A URL, a Content-Disposition, a pattern and a path that a list asks for, from strangers, one a line: no
// file leaves its folder, none is hidden unless the list says so, and none looks unfinished.
#include <fetch/names/content_disposition.hpp>
#include <fetch/names/name_pattern.hpp>
#include <fetch/names/reserved.hpp>
#include <fetch/names/safe_name.hpp>
#include <fetch/names/utf8.hpp>
#include <fetch/names/wanted_name.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

using leat::check;

namespace {

void check_wanted(const std::string& path, fetch::named_by whom) {
    check(!path.empty() && !path.ends_with('/'), "it is the path of a file");
    check(path.size() < 4000, "of a length that systems take");
    check(fetch::is_utf8(path) && path.find('\\') == path.npos, "it is UTF-8 without backslashes");
    check(std::none_of(path.begin(), path.end(), [](char each) { return each >= 0 && each < ' '; }),
          "and without controls");
    for (std::string_view rest = path; !rest.empty();) {
        const std::string_view name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        check(!name.empty() && name != "." && name != "..", "each name is one");
        check(name.size() <= fetch::name_max, "it is not too long");
        check(!fetch::looks_unfinished(name), "and does not look unfinished");
        check(whom == fetch::named_by::user || (name.front() != '.' && name.front() != '-'),
              "none is hidden");
    }
    check(fetch::safe_path(path, whom) == path, "what is safe stays as it is");
}

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

void check_names(const leat::http::url& asked, const leat::http::response& answer, std::string_view pattern) {
    using fetch::name_source;
    for (const name_source source : {name_source::url, name_source::tree, name_source::pattern}) {
        for (const bool told : {false, true}) {
            const fetch::name_settings by{
                .source = source, .content_disposition = told, .pattern = std::string(pattern)};
            check_wanted(fetch::wanted_name(by, {}, asked, &answer), fetch::named_by::stranger);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string_view target = take_line(text);
    const std::string_view disposition = take_line(text);
    const std::string_view pattern = take_line(text);
    const fetch::job asks{.output = std::string(take_line(text))};
    leat::http::response answer;
    try {
        answer.headers.add("Content-Disposition", disposition);
    } catch (const std::invalid_argument&) {  // such a field cannot come
        static_cast<void>(fetch::disposition_name(disposition));
    }
    static_cast<void>(fetch::pattern_mistake(pattern));
    const auto asked = leat::http::url::try_parse("http://h/" + std::string(target));
    if (asked.ok()) {
        check_names(*asked, answer, pattern);
        if (!asks.output.empty()) {
            check_wanted(fetch::wanted_name({}, asks, *asked, nullptr), fetch::named_by::user);
        }
    }
    check_wanted(fetch::safe_path(text), fetch::named_by::stranger);
    return 0;
}
