// SPDX-License-Identifier: MIT
#include <leat/system/file.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/stream.hpp>
#include <leat/system/core/file_wait.hpp>
#include <leat/system/core/open_file.hpp>

#include <algorithm>
#include <chrono>
#include <system_error>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace leat {

namespace {

using detail::checked_file, detail::file_reference, detail::file_state, detail::file_use, detail::file_wait;

// The kernel's offsets are signed, and io_uring takes -1 for the current position.
std::int64_t checked_offset(std::uint64_t offset, const char* what, const std::string& path) {
    if (offset > INT64_MAX) {
        detail::fail_file(-EINVAL, what, path);
    }
    return static_cast<std::int64_t>(offset);
}

void set_bytes(file_operation& op, std::int64_t offset, std::span<const std::byte> bytes) noexcept {
    op.offset = offset;
    op.buffer = const_cast<std::byte*>(bytes.data());
    op.length = bytes.size();
}

// O_NONBLOCK keeps an open from waiting for the other end of a FIFO.
constexpr int always = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;

constexpr const char* reading = "read ";
constexpr const char* writing = "write to ";

task<std::size_t> read_some(file_reference from, std::uint64_t offset, byte_buffer into) {
    const file_use use(*from, reading);
    const std::int64_t place = checked_offset(offset, reading, from->path);
    const std::int64_t size = co_await file_wait(file_call::read, from->descriptor, [&](file_operation& op) {
        set_bytes(op, place, std::span<std::byte>(into));
    });
    co_return static_cast<std::size_t>(checked_file(size, reading, from->path));
}

task<> read_all(file_reference from, std::uint64_t offset, byte_buffer into) {
    const file_use use(*from, reading);
    const std::int64_t place = checked_offset(offset, reading, from->path);
    const std::span<std::byte> whole = into;
    for (std::size_t done = 0; done < whole.size();) {
        const std::int64_t size =
            co_await file_wait(file_call::read, from->descriptor, [&](file_operation& op) {
                set_bytes(op, place + static_cast<std::int64_t>(done), whole.subspan(done));
            });
        if (size <= 0) {
            const std::error_code why =
                size == 0 ? make_error_code(stream_errc::end_of_stream) : errno_code(static_cast<int>(-size));
            throw detail::cut_short(why, reading + from->path, done, whole.size());
        }
        done += static_cast<std::size_t>(size);
    }
}

[[noreturn]] void fail_write(std::int64_t answer, const file_state& to, std::size_t done, std::size_t asked) {
    throw std::system_error(
        errno_code(answer == 0 ? EIO : static_cast<int>(-answer)),
        writing + to.path + ": " + std::to_string(done) + " of " + std::to_string(asked) + " bytes written");
}

task<> write_all(file_reference to, std::uint64_t offset, byte_view from) {
    const file_use use(*to, writing);
    const std::int64_t place = checked_offset(offset, writing, to->path);
    const std::span<const std::byte> whole = from;
    for (std::size_t done = 0; done < whole.size();) {
        const std::int64_t size =
            co_await file_wait(file_call::write, to->descriptor, [&](file_operation& op) {
                set_bytes(op, to->appends ? 0 : place + static_cast<std::int64_t>(done), whole.subspan(done));
            });
        if (size <= 0) {
            fail_write(size, *to, done, whole.size());
        }
        done += static_cast<std::size_t>(size);
    }
}

task<> call_on(file_reference on, file_call call, const char* what) {
    const file_use use(*on, what);
    const std::int64_t answer = co_await file_wait(call, on->descriptor);
    (void)checked_file(answer, what, on->path);
}

task<> resize(file_reference on, file_call call, std::uint64_t offset, std::uint64_t length, const char* what,
              int flags = 0) {
    const file_use use(*on, what);
    const std::int64_t place = checked_offset(offset, what, on->path);
    (void)checked_offset(length, what, on->path);
    const std::int64_t answer = co_await file_wait(call, on->descriptor, [&](file_operation& op) {
        op.offset = place;
        op.length = length;
        op.flags = flags;
    });
    (void)checked_file(answer, what, on->path);
}

task<bool> lock(file_reference on) {
    constexpr const char* what = "lock ";
    const file_use use(*on, what);
    const std::int64_t answer = co_await file_wait(file_call::lock, on->descriptor);
    if (answer == -EAGAIN || answer == -EACCES) {
        co_return false;
    }
    (void)checked_file(answer, what, on->path);
    co_return true;
}

task<> set_time(file_reference on, std::chrono::nanoseconds since) {
    constexpr const char* what = "set time of ";
    const file_use use(*on, what);
    const std::int64_t answer = co_await file_wait(file_call::set_time, on->descriptor,
                                                   [&](file_operation& op) { op.offset = since.count(); });
    (void)checked_file(answer, what, on->path);
}

task<> set_extra(file_reference on, std::string name, std::string value) {
    constexpr const char* what = "set attribute of ";
    const file_use use(*on, what);
    detail::check_path(what, name);
    const std::int64_t answer =
        co_await file_wait(file_call::set_extra, on->descriptor, [&](file_operation& op) {
            op.path = name.c_str();
            set_bytes(op, 0, std::as_bytes(std::span(value)));
        });
    (void)checked_file(answer, what, on->path);
}

task<file_info> look(file_reference on) {
    constexpr const char* what = "info of ";
    const file_use use(*on, what);
    struct statx about{};
    const std::int64_t answer =
        co_await file_wait(file_call::look, on->descriptor, [&](file_operation& op) { op.about = &about; });
    (void)checked_file(answer, what, on->path);
    co_return detail::info_of(about);
}

task<> close_file(file_reference closed) {
    constexpr const char* what = "close ";
    if (closed->closed) {
        detail::fail_file(0, what, closed->path);
    }
    closed->closed = true;
    if (closed->under_way > 0) {
        check(closed->home == this_thread.loop, "a file is closed by the run that uses it");
        co_await closed->idle.wait();
    }
    const std::int64_t answer = co_await file_wait(file_call::close, closed->descriptor);
    closed->descriptor = -1;
    (void)checked_file(answer, what, closed->path);
}

file_kind kind_of(unsigned mode) noexcept {
    return S_ISREG(mode)   ? file_kind::regular
           : S_ISDIR(mode) ? file_kind::folder
           : S_ISLNK(mode) ? file_kind::link
                           : file_kind::other;
}

// Anybody may give a file any time. What the clock does not reach is as near to it as it can be.
std::chrono::system_clock::time_point time_of(const statx_timestamp& time) noexcept {
    using std::chrono::duration_cast, std::chrono::seconds, std::chrono::system_clock;
    constexpr seconds last = duration_cast<seconds>(system_clock::duration::max()) - seconds(1);
    const system_clock::duration since = std::clamp(seconds(time.tv_sec), -last, last);
    return system_clock::time_point(
        since + duration_cast<system_clock::duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

}  // namespace

namespace detail {

file_state::~file_state() {
    if (descriptor < 0) {
        return;
    }
    if (this_thread.loop != nullptr) {
        this_thread.loop->io().retire(descriptor);
    } else {
        close_descriptor(descriptor);
    }
}

file_use::file_use(file_state& of, const char* what) : of_(of) {
    if (of.closed) {
        fail_file(0, what, of.path);
    }
    check(of.under_way == 0 || of.home == this_thread.loop,
          "the operations under way on a file are of one run");
    of.home = this_thread.loop;
    ++of.under_way;
}

// 0: the file is closed.
void fail_file(std::int64_t answer, const char* what, const std::string& path) {
    throw std::system_error(
        answer == 0 ? make_error_code(stream_errc::closed) : errno_code(static_cast<int>(-answer)),
        what + path);
}

void check_path(const char* what, const std::string& path) {
    if (path.find('\0') != std::string::npos) {
        fail_file(-EINVAL, what, path.substr(0, path.find('\0')) + "\\0...");
    }
}

file_info info_of(const struct statx& about) noexcept {
    file_info info;
    info.size = about.stx_size;
    info.modified = time_of(about.stx_mtime);
    info.kind = kind_of(about.stx_mode);
    info.permissions = about.stx_mode & 07777U;
    info.links = about.stx_nlink;
    info.device = makedev(about.stx_dev_major, about.stx_dev_minor);
    info.number = about.stx_ino;
    return info;
}

int open_flags(const file_options& how) {
    const bool writes = how.write || how.append;
    check(how.read || writes, "a file is opened to read, to write or to append");
    check(writes || (!how.create && !how.truncate), "a file that is created or truncated is opened to write");
    check(!how.exclusive || how.create, "only a file that is to be created can be exclusive");
    return (!writes    ? O_RDONLY
            : how.read ? O_RDWR
                       : O_WRONLY) |
           (how.append ? O_APPEND : 0) | (how.create ? O_CREAT : 0) | (how.exclusive ? O_EXCL : 0) |
           (how.truncate ? O_TRUNC : 0) | (how.follow ? 0 : O_NOFOLLOW);
}

task<file_reference> open_file(std::string path, int flags, unsigned permissions) {
    constexpr const char* what = "open ";
    check_path(what, path);
    file_reference made(*new file_state(std::move(path)));
    const std::int64_t opened = co_await file_wait(file_call::open, -1, [&](file_operation& op) {
        op.path = made->path.c_str();
        op.flags = flags | always;
        op.mode = permissions;
    });
    made->descriptor = static_cast<int>(checked_file(opened, what, made->path));
    made->appends = (flags & O_APPEND) != 0;
    co_return made;
}

task<file_reference> open_below(file_reference folder, std::string path, int flags, unsigned permissions,
                                file_info* about) {
    constexpr const char* what = "open ";
    check_path(what, path);
    const file_use use(*folder, what);
    file_reference made(*new file_state(folder->path + "/" + path));
    const open_how how{.flags = static_cast<unsigned>(flags | always),
                       .mode = (flags & O_CREAT) != 0 ? permissions & 07777U : 0U,
                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
                                  ((flags & O_NOFOLLOW) != 0 ? std::uint64_t{RESOLVE_NO_SYMLINKS} : 0)};
    struct statx found{};
    std::int64_t opened = -EAGAIN;
    for (int tries = 0; tries < 16 && opened == -EAGAIN; ++tries) {  // something was renamed meanwhile
        opened = co_await file_wait(file_call::open_below, folder->descriptor, [&](file_operation& op) {
            op.path = path.c_str();
            op.flags = flags | always;
            op.mode = permissions;
            op.how = &how;
            op.about = about != nullptr ? &found : nullptr;
        });
    }
    made->descriptor = static_cast<int>(checked_file(opened, what, made->path));
    made->appends = (flags & O_APPEND) != 0;
    if (about != nullptr) {
        *about = info_of(found);
    }
    co_return made;
}

}  // namespace detail

task<file> file::open(std::string path, file_options how) {
    auto opened = co_await detail::open_file(std::move(path), detail::open_flags(how), how.permissions);
    co_return file(std::move(opened));
}

task<std::size_t> file::read_at(std::uint64_t offset, byte_buffer into) {
    check(into.size() != 0, "read_at was given an empty buffer: the 0 that it would give means the end");
    return read_some(state(), offset, into);
}

task<> file::read_exactly_at(std::uint64_t offset, byte_buffer into) {
    return read_all(state(), offset, into);
}

task<> file::write_at(std::uint64_t offset, byte_view from) {
    check(!state()->appends, "a file that was opened to append is written by append()");
    return write_all(state(), offset, from);
}

task<> file::append(byte_view from) {
    check(state()->appends, "append() writes to a file that was opened to append");
    return write_all(state(), 0, from);
}

task<> file::sync() {
    return call_on(state(), file_call::sync, "sync ");
}

task<> file::sync_data() {
    return call_on(state(), file_call::sync_data, "sync ");
}

task<> file::truncate(std::uint64_t size) {
    return resize(state(), file_call::resize, size, 0, "truncate ");
}

task<> file::allocate(std::uint64_t offset, std::uint64_t size) {
    return resize(state(), file_call::allocate, offset, size, "allocate for ");
}

task<> file::reserve(std::uint64_t offset, std::uint64_t size) {
    return resize(state(), file_call::allocate, offset, size, "allocate for ", FALLOC_FL_KEEP_SIZE);
}

task<bool> file::try_lock() {
    return lock(state());
}

task<> file::set_modified(std::chrono::system_clock::time_point when) {
    return set_time(state(), when.time_since_epoch());
}

task<> file::set_attribute(std::string name, std::string value) {
    return set_extra(state(), std::move(name), std::move(value));
}

task<file_info> file::info() {
    return look(state());
}

task<> file::close() {
    return close_file(state());
}

}  // namespace leat
