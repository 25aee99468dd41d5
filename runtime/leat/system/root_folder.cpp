// SPDX-License-Identifier: MIT
#include <leat/system/root_folder.hpp>

#include <leat/io.hpp>
#include <leat/system/core/file_wait.hpp>
#include <leat/system/core/name_calls.hpp>
#include <leat/system/core/open_file.hpp>

#include <algorithm>
#include <system_error>

#include <fcntl.h>
#include <stdio.h>

namespace leat {

namespace {

using detail::file_reference, detail::file_use, detail::path_root;

path_root root_of(const file_reference& folder) {
    return {folder->descriptor, folder->path + "/"};
}

task<file_info> info_in(file_reference folder, std::string path) {
    const file_use use(*folder, "info of ");
    co_return co_await detail::info_of_name(root_of(folder), std::move(path), AT_SYMLINK_NOFOLLOW);
}

task<> rename_in(file_reference folder, std::string from, std::string to, int flags) {
    const file_use use(*folder, "rename in ");
    co_await detail::rename_name(root_of(folder), std::move(from), std::move(to), flags);
}

task<> call_in(file_reference folder, file_call call, std::string path, int flags, unsigned mode,
               const char* what) {
    const file_use use(*folder, what);
    co_await detail::call_on_name(root_of(folder), call, std::move(path), flags, mode, what);
}

task<> make_all_in(file_reference folder, std::string path, unsigned permissions) {
    std::size_t end = 0;
    do {
        end = std::min(path.find('/', end + 1), path.size());
        const auto made = co_await as_result(
            call_in(folder, file_call::make_folder, path.substr(0, end), 0, permissions, "make folder "));
        if (made.error() != std::errc::file_exists) {
            made.value();
        }
    } while (end < path.size());
}

std::int64_t in_nanoseconds(std::chrono::system_clock::time_point time) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

task<> store_in(file_reference folder, std::string path, byte_view bytes, new_file how) {
    constexpr const char* what = "write ";
    const file_use use(*folder, what);
    detail::check_path(what, path);
    const std::int64_t answer =
        co_await detail::file_wait(file_call::store, folder->descriptor, [&](file_operation& op) {
            op.path = path.c_str();
            op.mode = how.permissions & 07777U;
            op.flags = how.sync ? O_SYNC : 0;
            op.offset = how.modified ? in_nanoseconds(*how.modified) : INT64_MIN;
            op.buffer = const_cast<std::byte*>(bytes.data());
            op.length = bytes.size();
        });
    if (answer < 0) {
        detail::fail_file(answer, what, folder->path + "/" + path);
    }
}

task<> sync_it(file_reference folder) {
    constexpr const char* what = "sync ";
    const file_use use(*folder, what);
    const std::int64_t answer = co_await detail::file_wait(file_call::sync, folder->descriptor);
    (void)detail::checked_file(answer, what, folder->path);
}

}  // namespace

task<root_folder> root_folder::open(std::string path) {
    auto opened = co_await detail::open_file(std::move(path), O_RDONLY | O_DIRECTORY, 0);
    co_return root_folder(std::move(opened));
}

task<root_folder> root_folder::open_below(file_reference folder, std::string path) {
    auto opened = co_await detail::open_below(std::move(folder), std::move(path),
                                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, nullptr);
    co_return root_folder(std::move(opened));
}

task<file> root_folder::open_in(detail::file_reference folder, std::string path, file_options how) {
    auto opened = co_await detail::open_below(std::move(folder), std::move(path), detail::open_flags(how),
                                              how.permissions, nullptr);
    co_return file(std::move(opened));
}

task<found_file> root_folder::find_in(detail::file_reference folder, std::string path) {
    file_info info;
    auto opened = co_await detail::open_below(std::move(folder), std::move(path), O_RDONLY, 0, &info);
    co_return found_file(file(std::move(opened)), info);
}

task<file_info> root_folder::link_info_of(std::string path) const {
    return info_in(state(), std::move(path));
}

task<> root_folder::rename_file(std::string from, std::string to) const {
    return rename_in(state(), std::move(from), std::move(to), 0);
}

task<> root_folder::rename_to_new(std::string from, std::string to) const {
    return rename_in(state(), std::move(from), std::move(to), RENAME_NOREPLACE);
}

task<> root_folder::remove_file(std::string path) const {
    return call_in(state(), file_call::remove, std::move(path), 0, 0, "remove ");
}

task<> root_folder::remove_folder(std::string path) const {
    return call_in(state(), file_call::remove, std::move(path), AT_REMOVEDIR, 0, "remove folder ");
}

task<> root_folder::make_folder(std::string path, unsigned permissions) const {
    return call_in(state(), file_call::make_folder, std::move(path), 0, permissions, "make folder ");
}

task<> root_folder::make_folders(std::string path, unsigned permissions) const {
    return make_all_in(state(), std::move(path), permissions);
}

task<> root_folder::write_new_file(std::string path, byte_view bytes, new_file how) const {
    return store_in(state(), std::move(path), bytes, how);
}

task<> root_folder::sync() const {
    return sync_it(state());
}

}  // namespace leat
