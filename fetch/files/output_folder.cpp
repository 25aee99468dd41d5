// SPDX-License-Identifier: MIT
#include <fetch/files/output_folder.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/output_place.hpp>

#include <leat/io.hpp>
#include <leat/system/folder.hpp>

#include <utility>

namespace fetch {

namespace {

// Of this boot of the machine; empty when it has none.
leat::task<std::string> boot_id() {
    const auto text = co_await leat::as_result(leat::read_file("/proc/sys/kernel/random/boot_id", 100));
    co_return text.ok() ? text->substr(0, text->find('\n')) : std::string();
}

leat::task<> make_all(std::string path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        (void)co_await leat::as_result(leat::make_folder(path.substr(0, slash)));  // the last one tells
    }
    const auto made = co_await leat::as_result(leat::make_folder(path));
    if (made.error() != std::errc::file_exists) {
        made.value();
    }
}

leat::task<std::unique_ptr<output_place>> open_place(std::string path, file_settings how) {
    if (!how.only_look) {
        co_await make_all(path);
    }
    std::string boot = co_await boot_id();
    co_return std::make_unique<output_place>(std::move(path), how, std::move(boot));
}

}  // namespace

output_folder::output_folder(std::unique_ptr<output_place> place) noexcept : place_(std::move(place)) {}
output_folder::output_folder(output_folder&& other) noexcept = default;
output_folder& output_folder::operator=(output_folder&& other) noexcept = default;
output_folder::~output_folder() = default;

leat::task<output_folder> output_folder::open(std::string path, file_settings how) {
    co_return output_folder(co_await as_file_error(open_place(std::move(path), how)));
}

leat::task<output_file> output_folder::claim(std::string wanted, std::string url) {
    return as_file_error(place_->claim(std::move(wanted), std::move(url)));
}

const std::string& output_folder::path() const noexcept {
    return place_->path;
}

}  // namespace fetch
