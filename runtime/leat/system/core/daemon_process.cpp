// SPDX-License-Identifier: MIT
#include <leat/system/core/daemon_process.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/system/daemon.hpp>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <span>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace leat {

namespace {

struct {
    pid_t process = 0;
    bool is_worker = false;
    std::atomic<int> ready = -1;
    int memory = -1;             // its output, as long as that is kept in memory
    std::string* log = nullptr;  // never freed: the signal handler reads it
} own;

void write_to(int output) noexcept {
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
}

// Ends the time in which output is kept for daemon::start.
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
    if (!own.is_worker) {
        ::fcntl(own.memory, F_ADD_SEALS, F_SEAL_GROW);
    }
    ::close(std::exchange(own.memory, -1));
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

void become_worker_process(fd ready) noexcept {
    own.process = ::getpid();
    own.is_worker = true;
    const fd of_daemon(own.ready.exchange(ready.release()));
}

bool is_worker_process() noexcept {
    return own.is_worker && own.process == ::getpid();
}

void tell_starter() noexcept {
    if (own.process != ::getpid()) {
        return;
    }
    const fd ready(own.ready.exchange(-1));
    if (!ready) {
        return;
    }
    (void)std::fflush(stdout);  // what it has printed so far is for the starter
    drop_startup_output();
    (void)write_without_sigpipe(ready.get(), std::as_bytes(std::span(&own.process, 1)));
}

}  // namespace detail

}  // namespace leat
