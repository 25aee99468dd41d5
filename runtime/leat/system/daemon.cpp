// SPDX-License-Identifier: MIT
#include <leat/system/daemon.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/fd.hpp>
#include <leat/result.hpp>
#include <leat/run.hpp>
#include <leat/system/core/daemon_process.hpp>
#include <leat/system/core/pid_file.hpp>
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/process_start.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leat {

namespace {

// A process that SIGKILL does not end in this time waits for a broken disk.
constexpr duration kill_limit = std::chrono::seconds(10);
constexpr std::size_t longest_text = 65536;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno_code(errno), what);
}

std::string absolute(std::string_view path) {
    return path.empty() ? std::string() : std::filesystem::absolute(path).lexically_normal().string();
}

// Where the daemon writes, and from where on it is new.
class startup_output {
public:
    explicit startup_output(const std::string& log_file)
        : file_(log_file.empty() ? ::memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING)
                                 : ::open(log_file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
        if (!file_) {
            fail("log file " + log_file);
        }
        struct stat before{};
        begin_ = ::fstat(file_.get(), &before) == 0 ? before.st_size : 0;
    }
    [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
    [[nodiscard]] std::string text() const {
        std::string read(longest_text, '\0');
        const ssize_t size = ::pread(file_.get(), read.data(), read.size(), begin_);
        read.resize(size < 0 ? 0 : static_cast<std::size_t>(size));  // a pipe or terminal tells nothing
        return read;
    }

private:
    fd file_;
    off_t begin_ = 0;
};

void restore_signals() noexcept {
    for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGCHLD}) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void lead_streams_to(int output) {
    const fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing || ::dup2(nothing.get(), STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
        ::dup2(output, STDERR_FILENO) < 0) {
        fail("the standard streams of a daemon");
    }
}

// Whether nobody reads the pipe any more.
bool is_gone(int pipe) noexcept {
    pollfd end{.fd = pipe, .events = 0, .revents = 0};
    return ::poll(&end, 1, 0) > 0 && (end.revents & POLLERR) != 0;
}

// The rest of the life of the daemon; gives its exit status.
int live(const std::string& pid_file, const detail::daemon_output& output, int ready,
         const std::function<int()>& program) {
    try {
        lead_streams_to(output.descriptor);
        if (!output.log_file.empty()) {
            ::close(output.descriptor);  // a log that is renamed and deleted must not stay open
        }
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
                                 "LISTEN_FDNAMES"}) {
            ::unsetenv(name);  // they are meant for the process that a service manager has started
        }
        ::umask(022);
        restore_signals();
        const auto held = detail::pid_file::take(pid_file);
        if (!held.has_value()) {
            throw std::runtime_error("it already runs");
        }
        if (is_gone(ready)) {
            throw std::runtime_error("whoever has started it waits no longer");
        }
        if (::chdir("/") != 0) {
            fail("chdir to /");
        }
        detail::become_daemon_process(output, ready);
        return program();
    } catch (...) {
        return detail::print_error(std::current_exception());
    }
}

// What a daemon that has not started has said, without what run_main() begins an error with.
std::string reason(std::string text) {
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    if (text.empty()) {
        return "it ended before it was ready, and said nothing";
    }
    return text.starts_with("error: ") ? text.substr(7) : text;
}

std::pair<fd, fd> make_ready_pipe() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) {
        fail("pipe2");
    }
    return {fd(both[0]), fd(both[1])};
}

// A child that is not the leader of its session, so that no terminal it opens becomes its own.
[[noreturn]] void detach_and(const std::function<int()>& rest) {
    ::setsid();
    const pid_t last = ::fork();
    if (last == 0) {
        std::exit(rest());
    }
    ::_exit(last < 0 ? errno : 0);
}

}  // namespace

daemon::daemon(const daemon_options& options)
    : pid_file_(absolute(options.pid_file)),
      log_file_(absolute(options.log_file)),
      start_limit_(options.start_limit),
      grace_(options.grace) {
    if (pid_file_.empty()) {
        throw std::invalid_argument("a daemon has a pid file");
    }
}

std::string daemon::start(const std::function<int()>& program) {
    detail::check_may_fork();
    if (const pid_t running = process()) {
        throw std::runtime_error("it already runs, with process id " + std::to_string(running));
    }
    detail::open_standard_streams();
    const startup_output output(log_file_);
    auto [heard, ready] = make_ready_pipe();
    (void)std::fflush(nullptr);  // else both processes would write it
    const pid_t middle = ::fork();
    if (middle < 0) {
        fail("fork");
    }
    if (middle == 0) {
        heard.reset();
        const detail::daemon_output kept{output.descriptor(), log_file_};
        detach_and([&, &end = ready] { return live(pid_file_, kept, end.get(), program); });
    }
    ready.reset();
    int ended = 0;
    while (::waitpid(middle, &ended, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(ended) && WEXITSTATUS(ended) != 0) {
        throw std::system_error(errno_code(WEXITSTATUS(ended)), "fork");
    }
    if (!detail::wait_readable(heard.get(), after(detail::monotonic_now(), start_limit_))) {
        heard.reset();  // which ends a daemon that is not locked yet, and so is not found by stop()
        (void)stop();
        throw std::runtime_error("it was not ready in time, and was stopped");
    }
    std::byte told{};
    if (::read(heard.get(), &told, 1) != 1) {
        throw std::runtime_error(reason(output.text()));
    }
    return output.text();
}

daemon_end daemon::stop() {
    const pid_t running = process();
    if (running == 0) {
        detail::remove_stale_pid_file(pid_file_);
        return daemon_end::was_not_running;
    }
    const std::string what = "stop process " + std::to_string(running);
    const fd target(detail::open_pidfd(running));
    if (!target && errno != ESRCH) {
        fail(what);
    }
    if (!target || process() != running) {
        return stop();  // it has ended meanwhile: the number may be another's
    }
    if (detail::signal_pidfd(target.get(), SIGTERM) != 0 && errno != ESRCH) {
        fail(what);
    }
    if (detail::wait_readable(target.get(), after(detail::monotonic_now(), grace_))) {
        detail::remove_stale_pid_file(pid_file_);
        return daemon_end::ended;
    }
    if (detail::signal_pidfd(target.get(), SIGKILL) != 0 && errno != ESRCH) {
        fail(what);
    }
    if (!detail::wait_readable(target.get(), after(detail::monotonic_now(), kill_limit))) {
        throw std::runtime_error("process " + std::to_string(running) +
                                 " does not end, though it was killed");
    }
    detail::remove_stale_pid_file(pid_file_);
    return daemon_end::killed;
}

pid_t daemon::process() const {
    const pid_t holder = detail::look_at_pid_file(pid_file_).holder;
    if (holder < 0) {
        throw std::runtime_error("pid file " + pid_file_ +
                                 " is locked by a process that is not seen from here");
    }
    return holder;
}

daemon_status daemon::status() const {
    const detail::pid_file_state found = detail::look_at_pid_file(pid_file_);
    if (found.holder != 0) {
        return daemon_status::running;
    }
    return found.exists ? daemon_status::dead : daemon_status::stopped;
}

}  // namespace leat
