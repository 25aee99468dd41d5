// SPDX-License-Identifier: MIT
// Folders, and the names of files in them: what has a name, renaming, removing, listing; and files read or
// written as a whole.
//
// None of it blocks the loop: file.hpp says who does the work. Errors are std::system_error whose text has
// the operation and the path. Cancelled: what has not begun does not happen; what has begun does, and the
// task waits for it. A relative path begins at the working directory of the process. What changes a name is
// on the disk only after sync_folder() of the folder that it is in.
#pragma once

#include <leat/bytes.hpp>
#include <leat/system/file.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat {

// What `path` leads to.
[[nodiscard]] task<file_info> file_info_of(std::string path);
// What the name itself is, which may be a symbolic link.
[[nodiscard]] task<file_info> link_info_of(std::string path);
// Whether there is something at `path`. Throws when that cannot be told, as for errc::permission_denied. What
// is there now may be gone when it is used: where it matters, use it and look at the error.
[[nodiscard]] task<bool> path_exists(std::string path);

// `from` is called `to` from then on, in one step: there is never neither. A file that is there is replaced,
// and so is an empty folder by a folder. Not between file systems: errc::cross_device_link.
[[nodiscard]] task<> rename_file(std::string from, std::string to);
// The same, but throws errc::file_exists when `to` is there. Where the file system cannot, as NFS, a file has
// both names for a moment, and a folder is not renamed: errc::operation_not_permitted.
[[nodiscard]] task<> rename_to_new(std::string from, std::string to);
// Removes a name; the file is gone when nobody has it open. Not of a folder: errc::is_a_directory.
[[nodiscard]] task<> remove_file(std::string path);

[[nodiscard]] task<> make_folder(std::string path, unsigned permissions = 0777);
// Of an empty one: else errc::directory_not_empty.
[[nodiscard]] task<> remove_folder(std::string path);
// All that the folder has, without "." and "..", in no order. Names that come or go meanwhile are there or
// not.
[[nodiscard]] task<std::vector<folder_entry>> list_folder(std::string path);
// The names in it are on the disk: of what was created, renamed or removed there before.
[[nodiscard]] task<> sync_folder(std::string path);

// All bytes of a file of at most `limit` bytes; errc::file_too_large otherwise. A limit of 0 is misuse.
[[nodiscard]] task<std::string> read_file(std::string path, std::size_t limit);
// Makes a file of these bytes, in place of what was there. They stay alive and unchanged until then.
// Cancelled or failed: the file has a part of them. Not synced.
[[nodiscard]] task<> write_file(std::string path, byte_view bytes);
// The same so that whoever looks, also after a crash of the machine, finds all of the old file or all of the
// new one: it is written as `path` with ".part" behind it, synced, renamed, and the folder is synced. Then it
// is on the disk. A symbolic link is replaced, not followed. One at a time for each path. Its permissions are
// those of a new file, less the umask: 0600 for what nobody else may read at any moment. Failed: the old file
// is there, but for an error of the last step. Cancelled: the same; a ".part" may be left, which the next
// replaces.
[[nodiscard]] task<> write_file_atomically(std::string path, byte_view bytes, unsigned permissions = 0666);

}  // namespace leat
