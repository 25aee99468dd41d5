// SPDX-License-Identifier: MIT
#include <leat/backends/kernel_files.hpp>

#include <leat/backends/system_call.hpp>

#include <leat/fd.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace leat {

namespace system_call {

constinit long (*openat2)(int, const char*, const open_how&) = [](int folder, const char* path,
                                                                  const open_how& how) {
    return ::syscall(SYS_openat2, folder, path, &how, sizeof how);
};

}  // namespace system_call

namespace {

// /dev/null, /dev/zero, /dev/full, /dev/random and /dev/urandom (Documentation/admin-guide/devices.txt).
bool is_memory_device(const struct statx& about) noexcept {
    constexpr unsigned memory = 1;
    constexpr unsigned minors[] = {3, 5, 7, 8, 9};
    return S_ISCHR(about.stx_mode) && about.stx_rdev_major == memory &&
           std::find(std::begin(minors), std::end(minors), about.stx_rdev_minor) != std::end(minors);
}

// 0, or an errno value that says why it is not the kind that was asked for.
int unfit(const struct statx& about, int flags) noexcept {
    if (S_ISDIR(about.stx_mode)) {
        return (flags & O_DIRECTORY) != 0 ? 0 : EISDIR;
    }
    return S_ISREG(about.stx_mode) || S_ISBLK(about.stx_mode) || is_memory_device(about) ? 0 : EOPNOTSUPP;
}

file_kind kind_in(int folder, const dirent& entry) noexcept {
    struct stat about{};
    switch (entry.d_type) {
        case DT_REG:
            return file_kind::regular;
        case DT_DIR:
            return file_kind::folder;
        case DT_LNK:
            return file_kind::link;
        case DT_UNKNOWN:
            if (::fstatat(folder, entry.d_name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
                return S_ISREG(about.st_mode)   ? file_kind::regular
                       : S_ISDIR(about.st_mode) ? file_kind::folder
                       : S_ISLNK(about.st_mode) ? file_kind::link
                                                : file_kind::other;
            }
            return file_kind::other;
        default:
            return file_kind::other;
    }
}

std::int64_t list_folder(const file_operation& op) noexcept {
    const int fd = ::open(op.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd), ::closedir);
    if (folder == nullptr) {
        const int error = errno;
        ::close(fd);
        return -error;
    }
    try {
        for (;;) {
            errno = 0;
            const dirent* const entry = ::readdir(folder.get());
            if (entry == nullptr) {
                return -errno;
            }
            const std::string_view name(entry->d_name);
            if (name != "." && name != "..") {
                op.entries->push_back({std::string(name), kind_in(fd, *entry)});
            }
        }
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

// Opens `name` in `folder`, which is no link; `last`: as the file that is asked for, else as a folder.
std::int64_t step_into(int folder, std::string_view name, bool last, const open_how& how) noexcept {
    if (name.size() > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    if (name == "..") {
        return -EXDEV;
    }
    char text[NAME_MAX + 1] = {};
    name.copy(text, name.size());
    const int flags = last ? static_cast<int>(how.flags) : O_PATH | O_DIRECTORY | O_CLOEXEC;
    return uninterrupted(
        [&] { return ::openat(folder, text, flags | O_NOFOLLOW, static_cast<mode_t>(how.mode)); });
}

// Opens `path` below `folder`, one name after the other.
std::int64_t open_by_steps(int folder, std::string_view path, open_how how) noexcept {
    if (path.empty() || path.front() == '/') {
        return path.empty() ? -ENOENT : -EXDEV;
    }
    fd reached;
    for (;;) {
        const std::size_t end = std::min(path.find('/'), path.size());
        const std::size_t next = std::min(path.find_first_not_of('/', end), path.size());
        const bool last = next == path.size();
        if (last && end < path.size()) {
            if ((how.flags & O_CREAT) != 0) {
                return -EISDIR;  // with both flags a kernel before 6.4 makes a file
            }
            how.flags |= static_cast<unsigned>(O_DIRECTORY);
        }
        const std::int64_t opened =
            step_into(reached ? reached.get() : folder, path.substr(0, end), last, how);
        if (last || opened < 0) {
            return opened;
        }
        reached = fd(static_cast<int>(opened));
        path.remove_prefix(next);
    }
}

std::int64_t lock(int fd) noexcept {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return uninterrupted([&] { return ::fcntl(fd, F_OFD_SETLK, &whole); });
}

std::int64_t performed(const file_operation& op) noexcept {
    const int fd = op.descriptor;
    switch (op.call) {
        case file_call::open: {
            const std::int64_t opened = uninterrupted([&] { return ::open(op.path, op.flags, op.mode); });
            return opened < 0 ? opened : take_opened(static_cast<int>(opened), op);
        }
        case file_call::open_below: {
            const std::int64_t opened = open_below(fd, op.path, *op.how);
            return opened < 0 ? opened : take_opened(static_cast<int>(opened), op);
        }
        case file_call::read:
            return uninterrupted([&] { return ::pread(fd, op.buffer, op.length, op.offset); });
        case file_call::write:
            return uninterrupted([&] { return ::pwrite(fd, op.buffer, op.length, op.offset); });
        case file_call::sync:
            return uninterrupted([&] { return ::fsync(fd); });
        case file_call::sync_data:
            return uninterrupted([&] { return ::fdatasync(fd); });
        case file_call::resize:
            return uninterrupted([&] { return ::ftruncate(fd, op.offset); });
        case file_call::allocate:
            return uninterrupted(
                [&] { return ::fallocate(fd, op.flags, op.offset, static_cast<off_t>(op.length)); });
        case file_call::lock:
            return lock(fd);
        case file_call::set_time:
            return set_file_time(fd, op.offset);
        case file_call::set_extra:
            return uninterrupted([&] { return ::fsetxattr(fd, op.path, op.buffer, op.length, 0); });
        case file_call::close:
            return ::close(fd) == 0 || errno == EINTR ? 0 : -errno;
        case file_call::look:
            return uninterrupted([&] { return ::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, op.about); });
        case file_call::look_up:
        case file_call::rename:
        case file_call::link:
        case file_call::remove:
        case file_call::make_folder:
        case file_call::store:
            return perform_on_name(op);
        case file_call::list:
            return list_folder(op);
    }
    return -ENOSYS;
}

}  // namespace

std::int64_t set_file_time(int fd, std::int64_t nanoseconds) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const std::int64_t part = (nanoseconds % second + second) % second;
    const timespec times[] = {{0, UTIME_OMIT}, {(nanoseconds - part) / second, part}};
    return uninterrupted([&] { return ::futimens(fd, times); });
}

// A kernel before 5.6 lacks openat2(2), and a sandbox may forbid it.
std::int64_t open_below(int folder, const char* path, const open_how& how) noexcept {
    const std::int64_t opened = uninterrupted([&] { return system_call::openat2(folder, path, how); });
    return opened == -ENOSYS || opened == -EPERM ? open_by_steps(folder, path, how) : opened;
}

// It was opened with O_NONBLOCK, so that a FIFO that nobody writes to kept nobody waiting. What a network
// file system knows of it is recent enough: nobody is asked.
std::int64_t take_opened(int fd, const file_operation& op) noexcept {
    struct statx kind{};
    struct statx& about = op.about != nullptr ? *op.about : kind;
    const unsigned wanted = op.about != nullptr ? STATX_BASIC_STATS : STATX_TYPE;
    int error = 0;
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, wanted, &about) != 0) {
        error = errno;
    } else {
        error = unfit(about, op.flags);
    }
    if (error == 0 && ::fcntl(fd, F_SETFL, op.flags & ~O_NONBLOCK) != 0) {  // it sets no more than it may
        error = errno;
    }
    if (error == 0) {
        return fd;
    }
    ::close(fd);
    return -error;
}

std::int64_t open_from_memory(const file_operation& op) noexcept {
    open_how how = *op.how;
    how.resolve |= RESOLVE_CACHED;
    const long opened = system_call::openat2(op.descriptor, op.path, how);
    if (opened >= 0) {
        return take_opened(static_cast<int>(opened), op);
    }
    const bool unknown = errno == EINVAL || errno == ENOSYS || errno == EPERM || errno == EINTR;
    return unknown ? -EAGAIN : -errno;
}

std::int64_t read_from_memory(const file_operation& op) noexcept {
    const iovec into{op.buffer, op.length};
    const ssize_t size = system_call::preadv2(op.descriptor, &into, 1, op.offset, RWF_NOWAIT);
    // At the end, too: Linux 5.9 and 5.10 say 0 elsewhere (preadv2(2), BUGS).
    return size > 0 ? size : -EAGAIN;
}

void perform_file_call(file_operation& op) noexcept {
    op.result = performed(op);
}

}  // namespace leat
