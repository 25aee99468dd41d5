// SPDX-License-Identifier: MIT
// The http and https URLs among those by which browsers test theirs (the WHATWG's urltestdata.json), read
// from where Debian's librust-url-dev installs them.
#include <leat/http/url.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using leat::http::url;
using nlohmann::json;

namespace {

std::optional<std::filesystem::path> list_of_urls() {
    std::error_code ignored;
    std::vector<std::filesystem::path> found;
    for (const auto& each : std::filesystem::directory_iterator("/usr/share/cargo/registry", ignored)) {
        const auto list = each.path() / "tests/urltestdata.json";
        if (each.path().filename().string().starts_with("url-") && std::filesystem::exists(list, ignored)) {
            found.push_back(list);
        }
    }
    return found.empty() ? std::nullopt : std::optional(*std::max_element(found.begin(), found.end()));
}

bool is_web(std::string_view text) {
    return text.starts_with("http:") || text.starts_with("https:");
}

std::string text_of(const json& from, const char* key) {
    return from.contains(key) && from[key].is_string() ? from[key].get<std::string>() : std::string();
}

// Where we differ on purpose; url.hpp says why.
bool is_exception(const std::string& input, const std::string& href) {
    constexpr std::string_view inputs[] = {
        "http://f:0/c",  // port 0
        "http://f:00000000000000/c",
        "http://!\"$&'()*+,-.;=_`{}~/",  // characters that no name has
        "https://%e2%98%83",             // a symbol
    };
    return std::find(std::begin(inputs), std::end(inputs), input) != std::end(inputs) && !href.empty();
}

// What a URL is, in the words of the list.
std::vector<std::pair<const char*, std::string>> facts_of(const url& parsed) {
    const std::string port = parsed.authority().ends_with("]") ? "" : parsed.authority();
    const std::size_t colon = port.rfind(':');
    const std::string hash = parsed.fragment() == "#" ? "" : parsed.fragment();
    return {
        {"href", parsed.href()},
        {"protocol", std::string(parsed.scheme()) + ":"},
        {"username", parsed.username()},
        {"password", parsed.password()},
        {"host", parsed.authority()},
        {"port", colon == port.npos ? "" : port.substr(colon + 1)},
        {"pathname", std::string(parsed.path())},
        {"search", parsed.query().empty() ? "" : "?" + std::string(parsed.query())},
        {"hash", hash},
    };
}

void check_case(const json& each) {
    const std::string input = text_of(each, "input");
    const std::string base_text = text_of(each, "base");
    CAPTURE(input);
    CAPTURE(base_text);
    const auto base = is_web(base_text) ? std::optional(url::parse(base_text)) : std::nullopt;
    const auto parsed = base ? base->try_resolve(input) : url::try_parse(input);
    if (each.contains("failure")) {
        CHECK_FALSE(parsed.ok());
        return;
    }
    const std::string href = text_of(each, "href");
    if (!is_web(href) || is_exception(input, href)) {
        CHECK_FALSE(parsed.ok());
        return;
    }
    INFO((parsed ? std::string() : parsed.error().message()));
    REQUIRE(parsed.ok());
    for (const auto& [key, value] : facts_of(*parsed)) {
        CAPTURE(key);
        CHECK(value == text_of(each, key));
    }
    CHECK(url::parse(parsed->href()) == *parsed);
}

}  // namespace

TEST_CASE("URLs are what browsers make of them, but for a few that are named") {
    const auto list = list_of_urls();
    if (!list) {
        MESSAGE("skipped: librust-url-dev, which has the list, is not installed");
        return;
    }
#if !LEAT_HAS_IDN
    MESSAGE("skipped: leat was built without libidn2");
#else
    std::size_t cases = 0;
    for (const auto& each : json::parse(std::ifstream(*list))) {
        if (each.is_object() && (is_web(text_of(each, "href")) || each.contains("failure"))) {
            check_case(each);
            ++cases;
        }
    }
    CHECK(cases >= 400);
#endif
}
