// SPDX-License-Identifier: MIT
// pid_file: the file that names the process of a daemon, and the lock on it that proves that it lives.
//
// The lock is a record lock of fcntl(2), which belongs to one process: unlike flock(2), and the locks of open
// file descriptions, it is not shared with the forked workers of a daemon that was killed, and the kernel
// tells who holds it. It is on the first byte; who is about to take or to remove the file locks the second
// for that moment. So the number in the file is for people: nobody here believes it, and no process is
// signalled that has got the number of a dead daemon.
#pragma once

#include <leat/fd.hpp>

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace leat::detail {

// Held by the process that took it; its end removes the file.
class pid_file {
public:
    // Locks the file at `path`, which is absolute, and writes the number of this process. Empty: another
    // process has the lock. Throws std::system_error naming the file.
    [[nodiscard]] static std::optional<pid_file> take(const std::string& path);

    pid_file(pid_file&& other) noexcept = default;
    pid_file& operator=(pid_file&& other) = delete;
    ~pid_file();

private:
    pid_file(std::string path, fd file) noexcept : path_(std::move(path)), file_(std::move(file)) {}

    std::string path_;
    fd file_;
};

struct pid_file_state {
    bool exists = false;
    pid_t holder = 0;  // the process that has locked it; 0: nobody has, -1: one that this one cannot see
};

// Throws std::system_error naming the file when it cannot be read.
[[nodiscard]] pid_file_state look_at_pid_file(const std::string& path);

// Removes the file if nobody holds it.
void remove_stale_pid_file(const std::string& path);

}  // namespace leat::detail
