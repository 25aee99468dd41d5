// SPDX-License-Identifier: MIT
// root_folder: a folder as the root of all that a stranger's paths may open: no "..", no absolute path, no
// symbolic link and no race with who renames folders leads out of it.
//
//   const auto uploads = co_await leat::root_folder::open("uploads");
//   auto one = co_await uploads.open_file(name);
//
// The kernel sees to it, by openat2(2) with RESOLVE_BENEATH (Linux 5.6). Links are followed as long as they
// stay inside. Where it cannot, as in a sandbox that forbids that call, links are not followed at all. What
// is mounted inside belongs to it. On threads, and errors, as of file.hpp.
//
// It stays the folder that was opened when that is renamed, or when a link that led to it leads elsewhere.
#pragma once

#include <leat/system/core/file_state.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <string>
#include <utility>

namespace leat {

// A file, and what was known of it when it was opened.
struct found_file {
    found_file(file it, const file_info& known) noexcept : opened(std::move(it)), info(known) {}

    file opened;
    file_info info;
};

// A copy is the same folder, which closes with its last copy. All are used by tasks of one run.
class root_folder {
public:
    root_folder() noexcept = default;

    // A path of the program's own, whose links are followed.
    [[nodiscard]] static task<root_folder> open(std::string path);

    // As file::open, below this folder. What leads out of it is errc::cross_device_link; a link, where links
    // cannot be followed, errc::too_many_symbolic_link_levels or errc::not_a_directory.
    [[nodiscard]] task<file> open_file(std::string path, file_options how = {}) const {
        return open_in(state(), std::move(path), how);
    }
    // To read, with its info, which costs no further call.
    [[nodiscard]] task<found_file> find_file(std::string path) const {
        return find_in(state(), std::move(path));
    }

    // As it was opened.
    [[nodiscard]] const std::string& path() const noexcept { return state()->path; }

private:
    explicit root_folder(detail::file_reference state) noexcept : state_(std::move(state)) {}
    [[nodiscard]] const detail::file_reference& state() const noexcept {
        check(static_cast<bool>(state_), "the folder was moved from, or never opened");
        return state_;
    }
    static task<file> open_in(detail::file_reference folder, std::string path, file_options how);
    static task<found_file> find_in(detail::file_reference folder, std::string path);

    detail::file_reference state_;
};

}  // namespace leat
