// SPDX-License-Identifier: MIT
// start_process: starts a child through posix_spawn(3), and gives this process's ends of its pipes.
#pragma once

#include <leat/system/process.hpp>

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace leat::detail {

// pidfd_open(2) and pidfd_send_signal(2). The C library of Debian 12 declares them for C only.
inline int open_pidfd(pid_t id) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
}
inline int signal_pidfd(int descriptor, int number) noexcept {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, descriptor, number, nullptr, 0));
}

// Of a child that waitid(2) has told the end of.
inline exit_status exit_status_of(const siginfo_t& ended) noexcept {
    return ended.si_code == CLD_EXITED ? exit_status::exited(ended.si_status)
                                       : exit_status::killed(ended.si_status, ended.si_code == CLD_DUMPED);
}

struct started_process {
    pid_t id = -1;
    fd descriptor;  // a pidfd
    fd ends[3];     // of the pipes to its standard streams; blocking
};

// Throws as process::spawn.
[[nodiscard]] started_process start_process(const command_line& command, const process_options& options);

}  // namespace leat::detail
