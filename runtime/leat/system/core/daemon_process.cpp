// SPDX-License-Identifier: MIT
#include <leat/system/core/daemon_process.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/system/daemon.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
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
    std::atomic<int> memory = -1;           // its output, as long as that is kept in memory
    int log = -1;                           // where it goes then
    const std::string* log_file = nullptr;  // never freed: the signal handler reads it
    std::atomic<bool> log_renamed = false;  // meanwhile
} own;

void write_to(int output) noexcept {
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
}

void append_all(int from, int to) noexcept {
    std::array<std::byte, 4096> block;
    off_t at = 0;
    for (ssize_t size; (size = ::pread(from, block.data(), block.size(), at)) > 0; at += size) {
        std::span<const std::byte> rest(block.data(), static_cast<std::size_t>(size));
        while (!rest.empty()) {
            const ssize_t written = detail::write_without_sigpipe(to, rest);
            if (written < 0 && errno != EINTR) {
                return;
            }
            rest = rest.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
        }
    }
}

}  // namespace

void reopen_log_file() noexcept {
    if (own.log_file == nullptr) {
        return;
    }
    if (own.memory >= 0) {
        own.log_renamed = true;
        return;
    }
    const int error = errno;
    const int opened = ::open(own.log_file->c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
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
    own.memory = output.memory;
    own.log = output.log;
    own.log_file = output.log_file.empty() ? nullptr : new std::string(output.log_file);
    struct sigaction reopen{};
    reopen.sa_handler = [](int) { reopen_log_file(); };
    reopen.sa_flags = SA_RESTART;
    ::sigaction(SIGHUP, &reopen, nullptr);
}

// Children that a daemon has started go on writing into its memory: from now on that fails, and takes none.
void end_startup_output() noexcept {
    (void)std::fflush(stdout);
    if (own.memory < 0) {
        return;
    }
    fd output(std::exchange(own.log, -1));
    if (!output) {
        output.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    } else if (!own.is_worker) {
        append_all(own.memory, output.get());
    }
    if (output) {
        write_to(output.get());
    }
    const fd memory(own.memory.exchange(-1));  // until now SIGHUP is only noted
    if (own.log_renamed) {
        reopen_log_file();
    }
    if (!own.is_worker) {
        ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_GROW);
    }
}

void log_startup_output(int memory, int log) noexcept {
    const int seals = ::fcntl(memory, F_GET_SEALS);
    if (log >= 0 && (seals & F_SEAL_GROW) == 0) {  // the daemon has not done so itself
        append_all(memory, log);
    }
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
    end_startup_output();
    (void)write_without_sigpipe(ready.get(), std::as_bytes(std::span(&own.process, 1)));
}

}  // namespace detail

}  // namespace leat
