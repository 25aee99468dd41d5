// SPDX-License-Identifier: MIT
// root_folder: a folder as the root of all that a stranger's paths may open or change: no "..", no absolute
// path, no symbolic link and no race with who renames folders leads out of it.
//
//   const auto uploads = co_await leat::root_folder::open("uploads");
//   auto one = co_await uploads.open_file(name);
//
// The kernel sees to it, by openat2(2) with RESOLVE_BENEATH (Linux 5.6). Files are opened through links that
// stay inside, unless file_options::follow is false; what changes a name follows none. Where the kernel
// cannot, as in a sandbox that forbids that call, links are not followed at all. What is mounted inside
// belongs to it. On threads, errors and cancelling, as of file.hpp and folder.hpp.
//
// It stays the folder that was opened when that is renamed, or when a link that led to it leads elsewhere.
#pragma once

#include <leat/bytes.hpp>
#include <leat/system/core/file_state.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace leat {

// A file, and what was known of it when it was opened.
struct found_file {
    found_file(file it, const file_info& known) noexcept : opened(std::move(it)), info(known) {}

    file opened;
    file_info info;
};

// How a file is made by write_new_file.
struct new_file {
    unsigned permissions = 0666;  // less the umask
    bool sync = false;            // its bytes are on the disk before it has its name (fsync(2))
    std::optional<std::chrono::system_clock::time_point> modified = {};  // the time that it is given
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

    // A folder below this one, which it does not lead out of; no link to it is followed.
    [[nodiscard]] task<root_folder> open_folder(std::string path) const {
        return open_below(state(), std::move(path));
    }

    // As the functions of folder.hpp, below this folder; paths end in a name, not in a slash. What leads out
    // of it is errc::cross_device_link, a link on the way errc::too_many_symbolic_link_levels or
    // not_a_directory.
    [[nodiscard]] task<file_info> link_info_of(std::string path) const;
    [[nodiscard]] task<> rename_file(std::string from, std::string to) const;
    [[nodiscard]] task<> rename_to_new(std::string from, std::string to) const;
    [[nodiscard]] task<> remove_file(std::string path) const;
    [[nodiscard]] task<> remove_folder(std::string path) const;
    [[nodiscard]] task<> make_folder(std::string path, unsigned permissions = 0777) const;
    // And those above it; those that are there stay.
    [[nodiscard]] task<> make_folders(std::string path, unsigned permissions = 0777) const;
    // Makes a new file of these bytes, which stay alive and unchanged until then: one call, where opening,
    // writing, closing and renaming are four. Whoever looks finds all of it or nothing, as after a death of
    // the process. Throws errc::file_exists. Failed: there is nothing. Cancelled: all or nothing.
    // For a file system that has no files without a name (O_TMPFILE of open(2)), as NFS, it is written as
    // `path` with ".part" behind it first.
    [[nodiscard]] task<> write_new_file(std::string path, byte_view bytes, new_file how = {}) const;
    // The names in it are on the disk, as of sync_folder.
    [[nodiscard]] task<> sync() const;

    // As it was opened.
    [[nodiscard]] const std::string& path() const noexcept { return state()->path; }

private:
    explicit root_folder(detail::file_reference state) noexcept : state_(std::move(state)) {}
    [[nodiscard]] const detail::file_reference& state() const noexcept {
        check(static_cast<bool>(state_), "the folder was moved from, or never opened");
        return state_;
    }
    static task<root_folder> open_below(detail::file_reference folder, std::string path);
    static task<file> open_in(detail::file_reference folder, std::string path, file_options how);
    static task<found_file> find_in(detail::file_reference folder, std::string path);

    detail::file_reference state_;
};

}  // namespace leat
