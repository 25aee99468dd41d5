// SPDX-License-Identifier: MIT
// file_operation: one call on a file or on a name in a folder, as an operation of the backend. Such calls do
// not wait for readiness: they take as long as a disk does, and any number may be under way on one file.
//
// backend::start_file() starts it. A backend whose kernel does such calls by itself (io_uring), or that has
// files of its own (a simulation), completes it like every other operation; one of the others leaves it to a
// thread, which calls perform_file_call().
// Invariant: what an operation points to stays where it is until it has completed.
#pragma once

#include <leat/core/operation.hpp>

#include <cstdint>
#include <string>
#include <vector>

struct open_how;
struct statx;

namespace leat {

// What a name in a folder leads to.
enum class file_kind : std::uint8_t { regular, folder, link, other };

// A name in a folder.
struct folder_entry {
    std::string name;
    file_kind kind = file_kind::other;
};

enum class file_call : std::uint8_t {
    open,         // path, flags, mode: as of openat(2). result: the descriptor of a file that never waits
    open_below,   // descriptor of a folder, path, how: as of openat2(2), flags: those in it; about, unless
                  // null. result: the same. Without openat2(2) no symbolic link is followed
    read,         // descriptor, buffer, length, offset. result: bytes, 0 at the end
    write,        // the same. The offset of a file that was opened to append does not count. result: bytes
    sync,         // descriptor. result: 0, as of all that follow
    sync_data,    // descriptor: the bytes, and of the rest only what it takes to read them
    resize,       // descriptor, offset: the size
    allocate,     // descriptor, offset, length, flags: as of fallocate(2)
    lock,         // descriptor: until it is closed. -EAGAIN: another open file has it
    set_time,     // descriptor, offset: when its bytes changed, in nanoseconds from 1970 on
    set_extra,    // descriptor, path: the name of an extended attribute; buffer, length: its value
    close,        // descriptor, which is closed in any case. It is not cancelled
    look,         // descriptor; about: statx(2)
    look_up,      // path, flags: those of statx(2); about
    rename,       // path, target, flags: those of renameat2(2)
    link,         // path, target: as of linkat(2)
    remove,       // path, flags: AT_REMOVEDIR for a folder
    make_folder,  // path, mode
    store,        // path, mode, buffer, length: a new file, whole when it is named;
                  // flags: O_SYNC or 0; offset: its time as of set_time or INT64_MIN
    list,         // path; entries: to which it adds what the folder has
};

// Paths of look_up, rename, link, remove, make_folder and store begin at the folder `descriptor`, unless
// it is -1. They do not lead out of it then, and follow no link.

struct file_operation : operation {
    file_operation(const wait_kind& what, file_call asked, int fd) noexcept
        : operation(what, operation_kind::file, fd), call(asked) {}

    file_call call;
    int flags = 0;
    unsigned mode = 0;
    std::uint32_t number = 0;  // the backend's own note of which one it is
    std::int64_t offset = 0;
    const char* path = nullptr;
    struct statx* about = nullptr;
    union {
        const char* target = nullptr;
        const struct open_how* how;
        std::vector<folder_entry>* entries;
    };
};

// How a call on a file has begun.
enum class file_start : std::uint8_t {
    over,       // and ended: the result is in it
    pending,    // it completes in a later collect
    may_block,  // not yet: it is left to a thread that may block
};

// Does what `op` asks of the kernel, in this thread, however long that takes. Its result is in it.
void perform_file_call(file_operation& op) noexcept;

}  // namespace leat
