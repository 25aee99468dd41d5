// SPDX-License-Identifier: MIT
#include <fetch/list/own_fields.hpp>

#include <algorithm>
#include <array>

namespace fetch {
namespace {

struct own_field {
    std::string_view name;  // in small letters
    std::string_view instead;
};

constexpr std::string_view by_resume =
    "what is there of a file is gone on with, as --resume and --continue say";
constexpr std::string_view by_newer = "--newer asks only for what has changed";
constexpr std::string_view by_method = "no request has a body";
constexpr std::string_view by_connection = "connections are the program's own; see --http1 and --http2";

constexpr std::array own_request_fields{
    own_field{"accept-encoding", "--compressed asks for compressed bodies"},
    own_field{"connection", by_connection},
    own_field{"content-length", by_method},
    own_field{"expect", by_method},
    own_field{"host", "it is the URL's; --resolve and --unix-socket say where that host is"},
    own_field{"http2-settings", by_connection},
    own_field{"if-match", by_newer},
    own_field{"if-modified-since", by_newer},
    own_field{"if-none-match", by_newer},
    own_field{"if-range", by_resume},
    own_field{"if-unmodified-since", by_newer},
    own_field{"keep-alive", by_connection},
    own_field{"proxy-connection", by_connection},
    own_field{"range", by_resume},
    own_field{"te", by_connection},
    own_field{"trailer", by_method},
    own_field{"transfer-encoding", by_method},
    own_field{"upgrade", by_connection},
};

bool is_named(std::string_view given, std::string_view small) noexcept {
    return std::equal(given.begin(), given.end(), small.begin(), small.end(), [](char each, char low) {
        return (each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each) == low;
    });
}

}  // namespace

std::string mistake_of_field(std::string_view name) {
    const auto* const found = std::find_if(own_request_fields.begin(), own_request_fields.end(),
                                           [&](const own_field& each) { return is_named(name, each.name); });
    return found == own_request_fields.end()
               ? std::string()
               : std::string(name) + " cannot be given: " + std::string(found->instead);
}

}  // namespace fetch
