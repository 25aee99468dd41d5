// SPDX-License-Identifier: MIT
#include <leat/system/core/daemon_process.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/system/daemon.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace leat {

namespace {

struct {
    pid_t process = 0;
    int ready = -1;
    int memory = -1;             // its output, as long as that is kept in memory
    std::string* log = nullptr;  // never freed: the signal handler reads it
} own;

void write_to(int output) noexcept {
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
}

void close_ready() noexcept {
    if (own.ready >= 0) {
        ::close(std::exchange(own.ready, -1));
    }
}

}  // namespace

void reopen_log_file() noexcept {
    if (own.log == nullptr) {
        return;
    }
    const int error = errno;
    const int opened = ::open(own.log->c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (opened >= 0) {
        write_to(opened);
        ::close(opened);
    }
    errno = error;
}

namespace detail {

void become_daemon_process(const daemon_output& output, int ready) {
    own.process = ::getpid();
    own.ready = ready;
    if (output.log_file.empty()) {
        own.memory = output.descriptor;
    } else {
        own.log = new std::string(output.log_file);
    }
    struct sigaction reopen{};
    reopen.sa_handler = [](int) { reopen_log_file(); };
    reopen.sa_flags = SA_RESTART;
    ::sigaction(SIGHUP, &reopen, nullptr);
}

void tell_starter() noexcept {
    if (own.ready >= 0 && own.process == ::getpid()) {
        (void)std::fflush(stdout);  // what it has printed so far is for the starter
        const std::byte ready{1};
        (void)write_without_sigpipe(own.ready, {&ready, 1});
        close_ready();
        drop_startup_output();
    }
}

void forget_starter() noexcept {
    close_ready();
}

void drop_startup_output() noexcept {
    if (own.memory < 0) {
        return;
    }
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        write_to(nowhere);
        ::close(nowhere);
    }
    // Children that it has started go on writing there: from now on that fails, and takes no memory.
    if (own.process == ::getpid()) {
        ::fcntl(own.memory, F_ADD_SEALS, F_SEAL_GROW);
    }
    ::close(std::exchange(own.memory, -1));
}

}  // namespace detail

}  // namespace leat
