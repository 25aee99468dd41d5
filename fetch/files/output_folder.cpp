// SPDX-License-Identifier: MIT
#include <fetch/files/output_folder.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/output_place.hpp>

#include <leat/io.hpp>
#include <leat/system/folder.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace fetch {

namespace {

// The listing of a larger folder is not read: it would need memory for all its names.
constexpr std::uint64_t largest_listing = 64 * 1024;  // of the folder itself, in bytes

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

leat::task<known_names> names_in(std::string path) {
    const auto about = co_await leat::as_result(leat::file_info_of(path));
    if (!about.ok() || about->size > largest_listing) {
        co_return known_names();
    }
    const auto entries = co_await leat::as_result(leat::list_folder(std::move(path)));
    if (!entries.ok()) {
        co_return known_names();
    }
    known_names known(true);
    for (const leat::folder_entry& each : *entries) {
        known.add(each.name);
    }
    co_return known;
}

leat::task<std::unique_ptr<output_place>> open_place(std::string path, file_settings how) {
    if (how.only_look && !co_await leat::path_exists(path)) {
        // Nothing is in it, so that no name is looked for below this other one.
        auto other = co_await leat::root_folder::open("/");
        co_return std::make_unique<output_place>(std::move(other), how, std::string(), known_names(true));
    }
    if (!how.only_look) {
        co_await make_all(path);
    }
    auto root = co_await leat::root_folder::open(path);
    std::string boot = co_await boot_id();
    known_names known = co_await names_in(std::move(path));
    co_return std::make_unique<output_place>(std::move(root), how, std::move(boot), std::move(known));
}

leat::task<> read_whole(const output_place& place, std::string name,
                        std::function<void(leat::byte_view)> take) {
    leat::file opened = co_await place.open(std::move(name), {});
    std::vector<std::byte> block(256 * 1024);
    for (std::uint64_t at = 0;;) {
        const std::size_t got = co_await opened.read_at(at, block);
        if (got == 0) {
            break;
        }
        take(std::span(block).first(got));
        at += got;
    }
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

leat::task<> output_folder::read(std::string name, std::function<void(leat::byte_view)> take) {
    return as_file_error(read_whole(*place_, std::move(name), std::move(take)));
}

const std::string& output_folder::path() const noexcept {
    return place_->root.path();
}

}  // namespace fetch
