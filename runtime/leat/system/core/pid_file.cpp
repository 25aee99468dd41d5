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

// Whose lock is this process's own: closing any descriptor of that file would end it.
struct {
    std::string path;
    pid_t process = 0;
} held;

bool is_held_here(const std::string& path) noexcept {
    return held.process == ::getpid() && held.path == path;
}

constexpr struct flock whole_file{
    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};

bool lock(int file, const std::string& path) {
    struct flock wanted = whole_file;
    if (::fcntl(file, F_SETLK, &wanted) == 0) {
        return true;
    }
    if (errno != EACCES && errno != EAGAIN) {
        fail(path);
    }
    return false;
}

// Whether the file is still the one at its path: its last holder may have removed it meanwhile.
bool is_at(int file, const std::string& path) noexcept {
    struct stat opened{};
    struct stat found{};
    return ::fstat(file, &opened) == 0 && ::lstat(path.c_str(), &found) == 0 &&
           opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

}  // namespace

std::optional<pid_file> pid_file::take(const std::string& path) {
    for (;;) {
        fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
        if (!file) {
            fail(path);
        }
        if (!lock(file.get(), path)) {
            return std::nullopt;
        }
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
        held = {path, ::getpid()};
        return pid_file(path, std::move(file));
    }
}

pid_file::~pid_file() {
    if (file_ && is_held_here(path_)) {
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
    struct flock found = whole_file;
    found.l_type = F_RDLCK;  // only locks for writing count: anybody may lock for reading what he may read
    if (!file || ::fcntl(file.get(), F_GETLK, &found) != 0) {
        fail(path);
    }
    if (found.l_type == F_UNLCK) {
        return {true, 0};
    }
    return {true, found.l_pid > 0 ? found.l_pid : -1};
}

void remove_stale_pid_file(const std::string& path) {
    const fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file && lock(file.get(), path) && is_at(file.get(), path)) {
        ::unlink(path.c_str());
    }
}

}  // namespace leat::detail
