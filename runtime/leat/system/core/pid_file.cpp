// SPDX-License-Identifier: MIT
#include <leat/system/core/pid_file.hpp>

#include <leat/result.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace leat::detail {

namespace {

[[noreturn]] void fail(const std::string& path) {
    throw std::system_error(errno_code(errno), "pid file " + path);
}

// Which lock is this process's own: closing any descriptor of that file would end it.
struct {
    dev_t device = 0;
    ino_t file = 0;
    pid_t process = 0;
} held;

bool is_held_here(const std::string& path) noexcept {
    struct stat found{};
    return held.process == ::getpid() && ::lstat(path.c_str(), &found) == 0 && found.st_dev == held.device &&
           found.st_ino == held.file;
}

// Bytes of the file whose locks mean something, written or not. The second one is for who is about to take
// or to remove the file, and for a moment only: no daemon is taken to run because of it.
constexpr off_t life = 0;
constexpr off_t change = 1;

struct flock lock_of(off_t byte, short type) noexcept {
    return {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1, .l_pid = 0};
}

bool take_lock(const fd& file, off_t byte, const std::string& path) {
    struct flock wanted = lock_of(byte, F_WRLCK);
    if (::fcntl(file.get(), F_SETLK, &wanted) == 0) {
        return true;
    }
    if (errno != EACCES && errno != EAGAIN) {
        fail(path);
    }
    return false;
}

void wait_for_lock(const fd& file, off_t byte, const std::string& path) {
    struct flock wanted = lock_of(byte, F_WRLCK);
    while (::fcntl(file.get(), F_SETLKW, &wanted) != 0) {
        if (errno != EINTR) {
            fail(path);
        }
    }
}

void drop_lock(const fd& file, off_t byte) noexcept {
    struct flock wanted = lock_of(byte, F_UNLCK);
    ::fcntl(file.get(), F_SETLK, &wanted);
}

// Whether the file is still the one at its path: its last holder may have removed it meanwhile.
bool is_at(int file, const std::string& path) noexcept {
    struct stat opened{};
    struct stat found{};
    return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &found) == 0 &&
           opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

// Only locks for writing count: anybody may lock for reading what he may read.
pid_t holder_of(const fd& file, const std::string& path) {
    struct flock found = lock_of(life, F_RDLCK);
    if (::fcntl(file.get(), F_GETLK, &found) != 0) {
        fail(path);
    }
    if (found.l_type == F_UNLCK) {
        return 0;
    }
    return found.l_pid > 0 ? found.l_pid : -1;
}

}  // namespace

std::optional<pid_file> pid_file::take(const std::string& path) {
    for (;;) {
        fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
        if (!file) {
            fail(path);
        }
        if (!take_lock(file, life, path)) {
            return std::nullopt;
        }
        wait_for_lock(file, change, path);
        if (!is_at(file.get(), path)) {
            continue;
        }
        const std::string text = std::to_string(::getpid()) + "\n";
        if (::ftruncate(file.get(), 0) != 0 ||
            ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
            const int error = errno;
            ::unlink(path.c_str());  // without a number it would look like one that was left behind
            errno = error;
            fail(path);
        }
        drop_lock(file, change);
        struct stat taken{};
        ::fstat(file.get(), &taken);
        held = {taken.st_dev, taken.st_ino, ::getpid()};
        return pid_file(path, std::move(file));
    }
}

pid_file::~pid_file() {
    if (file_ && held.process == ::getpid()) {
        if (is_at(file_.get(), path_)) {
            ::unlink(path_.c_str());
        }
        held.process = 0;
    }
}

pid_file_state look_at_pid_file(const std::string& path) {
    if (is_held_here(path)) {
        return {true, held.process};
    }
    const fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT) {
        return {};
    }
    if (!file) {
        fail(path);
    }
    return {true, holder_of(file, path)};
}

void remove_stale_pid_file(const std::string& path) {
    if (is_held_here(path)) {
        return;
    }
    const fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file && take_lock(file, change, path) && holder_of(file, path) == 0 && is_at(file.get(), path)) {
        ::unlink(path.c_str());
    }
}

}  // namespace leat::detail
