// SPDX-License-Identifier: MIT
#include <leat/system/folder.hpp>

#include <leat/check.hpp>
#include <leat/io.hpp>
#include <leat/result.hpp>
#include <leat/system/core/file_wait.hpp>
#include <leat/system/core/name_calls.hpp>
#include <leat/system/core/open_file.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

namespace leat {

namespace {

using detail::check_path, detail::checked_file, detail::file_wait;

// The folder that a name is in.
std::string folder_of(const std::string& path) {
    const std::size_t end = path.find_last_not_of('/');
    const std::size_t slash = end == std::string::npos ? end : path.rfind('/', end);
    if (slash == std::string::npos) {
        return end == std::string::npos && !path.empty() ? "/" : ".";
    }
    return path.substr(0, slash + 1);
}

constexpr std::size_t first_piece = 16 * 1024;
constexpr std::size_t largest_piece = 1024 * 1024;

// With room for one byte more than the limit, which tells whether there is one.
void make_room(std::string& bytes, std::size_t size, std::size_t limit) {
    const std::size_t piece = std::clamp(size, first_piece, largest_piece);
    bytes.resize(size + std::min(piece, limit - size + 1));
}

// What was left under that name has permissions of its own.
task<file> open_part(std::string path, unsigned permissions) {
    const file_options how{
        .read = false, .write = true, .create = true, .exclusive = true, .permissions = permissions};
    auto made = co_await as_result(file::open(path, how));
    if (made.error() == std::errc::file_exists) {
        co_await remove_file(path);
        co_return co_await file::open(std::move(path), how);
    }
    co_return std::move(made.value());
}

task<> write_and_sync(std::string path, byte_view bytes, unsigned permissions) {
    auto part = co_await open_part(std::move(path), permissions);
    co_await part.write_at(0, bytes);
    co_await part.sync();
    co_await part.close();
}

task<> replace(std::string part, std::string path, byte_view bytes, unsigned permissions) {
    co_await write_and_sync(part, bytes, permissions);
    co_await rename_file(std::move(part), std::move(path));
}

// A file system that cannot rename so can give a file a second name.
task<> link_and_remove(const detail::path_root& root, const std::string& from, const std::string& to) {
    const std::int64_t linked = co_await file_wait(file_call::link, root.descriptor, [&](file_operation& op) {
        op.path = from.c_str();
        op.target = to.c_str();
    });
    if (linked < 0) {
        detail::fail_file(linked, "rename ", root.shown + from + " to " + root.shown + to);
    }
    co_await detail::call_on_name(root, file_call::remove, from, 0, 0, "remove ");
}

}  // namespace

namespace detail {

task<file_info> info_of_name(path_root root, std::string path, int flags) {
    constexpr const char* what = "info of ";
    check_path(what, path);
    struct statx about{};
    const std::int64_t answer =
        co_await file_wait(file_call::look_up, root.descriptor, [&](file_operation& op) {
            op.path = path.c_str();
            op.flags = flags;
            op.about = &about;
        });
    if (answer < 0) {
        fail_file(answer, what, root.shown + path);
    }
    co_return info_of(about);
}

task<> rename_name(path_root root, std::string from, std::string to, int flags) {
    check_path("rename ", from);
    check_path("rename to ", to);
    const std::int64_t answer =
        co_await file_wait(file_call::rename, root.descriptor, [&](file_operation& op) {
            op.path = from.c_str();
            op.target = to.c_str();
            op.flags = flags;
        });
    if (answer == -EINVAL && (flags & RENAME_NOREPLACE) != 0) {
        co_await link_and_remove(root, from, to);
    } else if (answer < 0) {
        fail_file(answer, "rename ", root.shown + from + " to " + root.shown + to);
    }
}

task<> call_on_name(path_root root, file_call call, std::string path, int flags, unsigned mode,
                    const char* what) {
    check_path(what, path);
    const std::int64_t answer = co_await file_wait(call, root.descriptor, [&](file_operation& op) {
        op.path = path.c_str();
        op.flags = flags;
        op.mode = mode;
    });
    if (answer < 0) {
        fail_file(answer, what, root.shown + path);
    }
}

}  // namespace detail

task<file_info> file_info_of(std::string path) {
    return detail::info_of_name({}, std::move(path), 0);
}

task<file_info> link_info_of(std::string path) {
    return detail::info_of_name({}, std::move(path), AT_SYMLINK_NOFOLLOW);
}

task<bool> path_exists(std::string path) {
    const auto found = co_await as_result(file_info_of(std::move(path)));
    if (found.error() == std::errc::no_such_file_or_directory ||
        found.error() == std::errc::not_a_directory) {
        co_return false;
    }
    (void)found.value();
    co_return true;
}

task<> rename_file(std::string from, std::string to) {
    return detail::rename_name({}, std::move(from), std::move(to), 0);
}

task<> rename_to_new(std::string from, std::string to) {
    return detail::rename_name({}, std::move(from), std::move(to), RENAME_NOREPLACE);
}

task<> remove_file(std::string path) {
    return detail::call_on_name({}, file_call::remove, std::move(path), 0, 0, "remove ");
}

task<> make_folder(std::string path, unsigned permissions) {
    return detail::call_on_name({}, file_call::make_folder, std::move(path), 0, permissions, "make folder ");
}

task<> remove_folder(std::string path) {
    return detail::call_on_name({}, file_call::remove, std::move(path), AT_REMOVEDIR, 0, "remove folder ");
}

task<std::vector<folder_entry>> list_folder(std::string path) {
    constexpr const char* what = "list ";
    check_path(what, path);
    std::vector<folder_entry> entries;
    const std::int64_t answer = co_await file_wait(file_call::list, -1, [&](file_operation& op) {
        op.path = path.c_str();
        op.entries = &entries;
    });
    (void)checked_file(answer, what, path);
    co_return entries;
}

task<> sync_folder(std::string path) {
    constexpr const char* what = "sync ";
    const auto folder = co_await detail::open_file(std::move(path), O_RDONLY | O_DIRECTORY, 0);
    const std::int64_t answer = co_await file_wait(file_call::sync, folder->descriptor);
    (void)checked_file(answer, what, folder->path);
}

task<std::string> read_file(std::string path, std::size_t limit) {
    check(limit != 0, "a file that is read as a whole has a limit of at least one byte");
    auto opened = co_await file::open(std::move(path));
    std::string bytes;
    limit = std::min(limit, bytes.max_size() - 1);
    std::size_t size = 0;
    for (;;) {
        make_room(bytes, size, limit);
        const std::span<char> room(bytes.data() + size, bytes.size() - size);
        const std::size_t got = co_await opened.read_at(size, room);
        size += got;
        if (size > limit) {
            detail::fail_file(-EFBIG, "read ", opened.path());
        }
        if (got == 0) {
            break;
        }
    }
    bytes.resize(size);
    co_return bytes;
}

task<> write_file(std::string path, byte_view bytes) {
    auto created = co_await file::create(std::move(path));
    co_await created.write_at(0, bytes);
    co_await created.close();
}

task<> write_file_atomically(std::string path, byte_view bytes, unsigned permissions) {
    const std::string part = path + ".part";
    const auto replaced = co_await as_result(replace(part, path, bytes, permissions));
    if (!replaced.ok()) {
        (void)co_await as_result(remove_file(part));
        replaced.value();
    }
    co_await sync_folder(folder_of(path));
}

}  // namespace leat
