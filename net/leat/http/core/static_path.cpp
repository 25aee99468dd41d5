// SPDX-License-Identifier: MIT
#include <leat/http/core/static_path.hpp>

#include <leat/http/target.hpp>

#include <algorithm>

namespace leat::http::detail {
namespace {

bool may_be_name(std::string_view name, bool dot_files) noexcept {
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
        return false;
    }
    return dot_files || name.front() != '.' || name == ".well-known";
}

}  // namespace

std::optional<std::string> static_path(std::string_view path, bool dot_files) {
    if (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    std::string made;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const auto name = percent_decode(path.substr(0, end));
        if (!name || !may_be_name(*name, dot_files)) {
            return std::nullopt;
        }
        made += *name;
        if (end < path.size()) {
            made += '/';
        }
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return made;
}

// A FIFO, or a device without a driver, has one of the last errors.
int status_of_open(std::error_code why) noexcept {
    if (why == std::errc::permission_denied) {
        return 403;
    }
    const bool none = why == std::errc::no_such_file_or_directory || why == std::errc::not_a_directory ||
                      why == std::errc::too_many_symbolic_link_levels ||
                      why == std::errc::cross_device_link || why == std::errc::filename_too_long ||
                      why == std::errc::is_a_directory || why == std::errc::operation_not_supported ||
                      why == std::errc::no_such_device || why == std::errc::no_such_device_or_address;
    return none ? 404 : 0;
}

std::string folder_location(std::string_view target) {
    const auto [path, query] = split_target(target);
    std::string location = "./";
    location.append(path.substr(path.rfind('/') + 1)).append("/");
    if (!query.empty()) {
        location.append("?").append(query);
    }
    return location;
}

}  // namespace leat::http::detail
