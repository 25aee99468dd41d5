// SPDX-License-Identifier: MIT
// Calls on names in folders. A path below a folder is taken apart: its last name is what the call is about,
// in the folder that the rest leads to, which is open meanwhile.
#include <leat/backends/kernel_files.hpp>

#include <leat/fd.hpp>

#include <array>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace leat {

namespace {

bool is_one_name(std::string_view path) noexcept {
    return !path.empty() && path != "." && path != ".." && path.find('/') == std::string_view::npos;
}

// Where the last name of a path is.
class place {
public:
    // `folder` -1: from the working directory on, by any way.
    place(int folder, const char* path) noexcept : folder_(folder < 0 ? AT_FDCWD : folder), name_(path) {
        if (folder >= 0 && !is_one_name(path)) {
            find_below(folder, path);
        }
    }

    [[nodiscard]] int error() const noexcept { return error_; }
    [[nodiscard]] int folder() const noexcept { return above_ ? above_.get() : folder_; }
    [[nodiscard]] const char* name() const noexcept { return name_; }

private:
    void find_below(int folder, std::string_view path) noexcept {
        const std::size_t slash = path.rfind('/');
        if (slash == std::string_view::npos || !is_one_name(path.substr(slash + 1))) {
            error_ = path == ".." || path.ends_with("/..") ? EXDEV : path.empty() ? ENOENT : EINVAL;
            return;
        }
        std::array<char, PATH_MAX> above{};
        if (slash == 0 || slash >= above.size()) {
            error_ = slash == 0 ? EXDEV : ENAMETOOLONG;
            return;
        }
        path.copy(above.data(), slash);
        const open_how how{.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .mode = 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
        std::int64_t opened = -EAGAIN;
        for (int tries = 0; tries < 16 && opened == -EAGAIN; ++tries) {  // something was renamed meanwhile
            opened = open_below(folder, above.data(), how);
        }
        if (opened < 0) {
            error_ = static_cast<int>(-opened);
            return;
        }
        above_ = fd(static_cast<int>(opened));
        name_ = path.data() + slash + 1;
    }

    int folder_;
    int error_ = 0;
    const char* name_;
    fd above_;
};

// A kernel before 3.15, or a file system that cannot, has no flags.
std::int64_t rename_between(const place& from, const place& to, int flags) noexcept {
    return uninterrupted(
        [&] { return ::syscall(SYS_renameat2, from.folder(), from.name(), to.folder(), to.name(), flags); });
}

// Of a rename or a link.
std::int64_t perform_on_two(const file_operation& op, const place& from) noexcept {
    const place to(op.descriptor, op.target);
    if (to.error() != 0) {
        return -to.error();
    }
    if (op.call == file_call::rename) {
        return rename_between(from, to, op.flags);
    }
    return uninterrupted([&] { return ::linkat(from.folder(), from.name(), to.folder(), to.name(), 0); });
}

std::int64_t write_all(int fd, const std::byte* bytes, std::size_t size) noexcept {
    while (size > 0) {
        const std::int64_t written = uninterrupted([&] { return ::write(fd, bytes, size); });
        if (written <= 0) {
            return written == 0 ? -EIO : written;
        }
        bytes += written;
        size -= static_cast<std::size_t>(written);
    }
    return 0;
}

// What has to be done with a file before it has its name.
std::int64_t complete(int fd, const file_operation& op) noexcept {
    std::int64_t error = write_all(fd, op.buffer, op.length);
    if (error == 0 && op.offset != INT64_MIN) {
        error = set_file_time(fd, op.offset);
    }
    if (error == 0 && (op.flags & O_SYNC) != 0) {
        error = uninterrupted([&] { return ::fsync(fd); });
    }
    return error;
}

// A file without a name gets one; it needs no second one for the time until then, which a death would leave.
std::int64_t store_unnamed(const file_operation& op, const place& at) noexcept {
    const std::int64_t opened =
        uninterrupted([&] { return ::openat(at.folder(), ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, op.mode); });
    if (opened < 0) {
        return opened;
    }
    const fd made(static_cast<int>(opened));
    const std::int64_t error = complete(made.get(), op);
    if (error != 0) {
        return error;
    }
    std::array<char, 32> path{};  // the file itself may be named only by who may name all (linkat(2))
    (void)::snprintf(path.data(), path.size(), "/proc/self/fd/%d", made.get());
    return uninterrupted(
        [&] { return ::linkat(AT_FDCWD, path.data(), at.folder(), at.name(), AT_SYMLINK_FOLLOW); });
}

// Closing tells what some file systems do not tell before: of a full disk of a server, say.
std::int64_t store_part(const file_operation& op, const place& at, const char* part) noexcept {
    const std::int64_t opened = uninterrupted([&] {
        return ::openat(at.folder(), part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, op.mode);
    });
    if (opened < 0) {
        return opened;
    }
    const int made = static_cast<int>(opened);
    std::int64_t error = complete(made, op);
    if (::close(made) != 0 && errno != EINTR && error == 0) {
        error = -errno;
    }
    if (error == 0) {
        error = uninterrupted([&] {
            return ::syscall(SYS_renameat2, at.folder(), part, at.folder(), at.name(), RENAME_NOREPLACE);
        });
        if (error != -EINVAL && error != -ENOSYS) {
            (void)(error < 0 ? ::unlinkat(at.folder(), part, 0) : 0);
            return error;
        }
        error = uninterrupted([&] { return ::linkat(at.folder(), part, at.folder(), at.name(), 0); });
    }
    ::unlinkat(at.folder(), part, 0);
    return error;
}

std::int64_t store(const file_operation& op, const place& at) noexcept {
    const std::int64_t stored = store_unnamed(op, at);
    // A file system that has no files without a name, a kernel before 3.11, or no /proc.
    const bool cannot = stored == -EOPNOTSUPP || stored == -EISDIR || stored == -EINVAL;
    if (!cannot && !(stored == -ENOENT && ::access("/proc/self/fd", F_OK) != 0)) {
        return stored;
    }
    std::array<char, NAME_MAX + 1> part{};
    const std::string_view name = at.name();
    constexpr std::string_view end = ".part";
    if (name.size() + end.size() >= part.size()) {
        return -ENAMETOOLONG;
    }
    name.copy(part.data(), name.size());
    end.copy(part.data() + name.size(), end.size());
    return store_part(op, at, part.data());
}

}  // namespace

bool stays_in_folder(const file_operation& op) noexcept {
    const bool two = op.call == file_call::rename || op.call == file_call::link;
    return is_one_name(op.path) && (!two || is_one_name(op.target));
}

std::int64_t perform_on_name(const file_operation& op) noexcept {
    const place at(op.descriptor, op.path);
    if (at.error() != 0) {
        return -at.error();
    }
    switch (op.call) {
        case file_call::look_up:
            return uninterrupted(
                [&] { return ::statx(at.folder(), at.name(), op.flags, STATX_BASIC_STATS, op.about); });
        case file_call::rename:
        case file_call::link:
            return perform_on_two(op, at);
        case file_call::remove:
            return uninterrupted([&] { return ::unlinkat(at.folder(), at.name(), op.flags); });
        case file_call::make_folder:
            return uninterrupted([&] { return ::mkdirat(at.folder(), at.name(), op.mode); });
        case file_call::store:
            return store(op, at);
        case file_call::open:
        case file_call::open_below:
        case file_call::read:
        case file_call::write:
        case file_call::sync:
        case file_call::sync_data:
        case file_call::resize:
        case file_call::allocate:
        case file_call::lock:
        case file_call::set_time:
        case file_call::set_extra:
        case file_call::close:
        case file_call::look:
        case file_call::list:
            break;
    }
    return -ENOSYS;
}

}  // namespace leat
