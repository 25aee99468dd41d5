// SPDX-License-Identifier: MIT
#include <fetch/names/wanted_name.hpp>

#include <fetch/names/content_disposition.hpp>
#include <fetch/names/name_pattern.hpp>
#include <fetch/names/safe_name.hpp>
#include <fetch/names/url_name.hpp>

#include <optional>
#include <utility>

namespace fetch {
namespace {

std::optional<std::string> told_name(const name_settings& by, const leat::http::response* answer) {
    if (!by.content_disposition || answer == nullptr) {
        return std::nullopt;
    }
    const auto field = answer->headers.get("Content-Disposition");
    const auto name = field.has_value() ? disposition_name(*field) : std::nullopt;
    return name.has_value() ? std::optional(safe_name(*name)) : std::nullopt;
}

}  // namespace

std::string wanted_name(const name_settings& by, const job& of, const leat::http::url& asked,
                        const leat::http::response* answer) {
    if (!of.output.empty()) {
        return safe_path(of.output, named_by::user);
    }
    std::optional<std::string> told = told_name(by, answer);
    switch (by.source) {
        case name_source::url:
            break;
        case name_source::tree: {
            const std::string name = told.has_value() ? *std::move(told) : url_name(asked);
            return safe_path(url_host(asked) + "/" + url_folders(asked) + "/" + name);
        }
        case name_source::pattern:
            return path_by(by.pattern, {.host = url_host(asked),
                                        .path = url_folders(asked),
                                        .name = told.has_value() ? *std::move(told) : url_file(asked),
                                        .query = url_query(asked),
                                        .number = of.number,
                                        .url = of.url});
    }
    return told.has_value() ? *std::move(told) : url_name(asked);
}

}  // namespace fetch
