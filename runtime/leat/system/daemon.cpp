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

// Not in its normal form: "link/.." is not the folder that has the link.
std::string absolute(std::string_view path) {
    return path.empty() ? std::string() : std::filesystem::absolute(path).string();
}

// Where the daemon writes until it is ready, and then.
class startup_output {
public:
    explicit startup_output(const std::string& log_file)
        : memory_(::memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING)), log_file_(log_file) {
        if (!memory_) {
            fail("memfd_create");
        }
        if (!log_file.empty()) {
            log_.reset(::open(log_file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
            if (!log_) {
                fail("log file " + log_file);
            }
        }
    }
    [[nodiscard]] detail::daemon_output of_daemon() const {
        return {.memory = memory_.get(), .log = log_.get(), .log_file = log_file_};
    }
    [[nodiscard]] std::string text() const {
        std::string read(longest_text, '\0');
        const ssize_t size = ::pread(memory_.get(), read.data(), read.size(), 0);
        read.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return read;
    }
    // Of a daemon that has not come to write there itself.
    void put_into_log() const noexcept { detail::log_startup_output(memory_.get(), log_.get()); }

private:
    fd memory_;
    fd log_;
    std::string log_file_;
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
        lead_streams_to(output.memory);
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
                                 "LISTEN_FDNAMES"}) {
            ::unsetenv(name);  // they are meant for the process that a service manager has started
        }
        ::umask(022);
        restore_signals();
        detail::become_daemon_process(output, ready);  // who reads its number may send SIGHUP
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
        return program();
    } catch (...) {
        return detail::print_error(std::current_exception());
    }
}

// The same, and what it has written is not lost with whoever has started it.
int live_and_tell(const std::string& pid_file, const detail::daemon_output& output, int ready,
                  const std::function<int()>& program) {
    const int status = live(pid_file, output, ready, program);
    if (is_gone(ready)) {
        detail::end_startup_output();
    }
    return status;
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

// A child that is not the leader of its session, so that no terminal it opens becomes its own. Its number is
// told in `pipe`.
[[noreturn]] void detach_and(const fd& pipe, const std::function<int()>& rest) {
    ::setsid();
    const pid_t last = ::fork();
    if (last == 0) {
        std::exit(rest());
    }
    (void)!::write(pipe.get(), &last, sizeof last);
    ::_exit(last < 0 ? errno : 0);
}

bool read_number(const fd& pipe, pid_t& number) noexcept {
    ssize_t size = 0;
    do {
        size = ::read(pipe.get(), &number, sizeof number);
    } while (size < 0 && errno == EINTR);
    return size == sizeof number;
}

// SIGTERM, and SIGKILL if it has not ended after `grace`.
daemon_end end_process(const fd& target, pid_t number, duration grace) {
    const std::string name = "process " + std::to_string(number);
    const auto send = [&](int signal) {
        if (detail::signal_pidfd(target.get(), signal) != 0 && errno != ESRCH) {
            fail("stop " + name);
        }
    };
    send(SIGTERM);
    if (detail::wait_readable(target.get(), after(detail::monotonic_now(), grace))) {
        return daemon_end::ended;
    }
    send(SIGKILL);
    if (!detail::wait_readable(target.get(), after(detail::monotonic_now(), kill_limit))) {
        throw std::runtime_error(name + " does not end, though it was killed");
    }
    return daemon_end::killed;
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
        detach_and(ready, [&, &end = ready] {
            return live_and_tell(pid_file_, output.of_daemon(), end.get(), program);
        });
    }
    ready.reset();
    int ended = 0;
    while (::waitpid(middle, &ended, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
        throw std::system_error(errno_code(WIFEXITED(ended) ? WEXITSTATUS(ended) : EINTR), "fork");
    }
    pid_t number = 0;  // is told twice: by the process between, and by the daemon when it is ready
    const fd started(read_number(heard, number) ? detail::open_pidfd(number) : -1);
    if (!detail::wait_readable(heard.get(), after(detail::monotonic_now(), start_limit_))) {
        if (started) {
            (void)end_process(started, number, grace_);
        }
        detail::remove_stale_pid_file(pid_file_);
        output.put_into_log();
        throw std::runtime_error("it was not ready in time, and was stopped");
    }
    if (!read_number(heard, number)) {
        output.put_into_log();
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
    const fd target(detail::open_pidfd(running));
    if (!target && errno != ESRCH) {
        fail("stop process " + std::to_string(running));
    }
    if (!target || process() != running) {
        return stop();  // it has ended meanwhile: the number may be another's
    }
    const daemon_end how = end_process(target, running, grace_);
    detail::remove_stale_pid_file(pid_file_);
    return how;
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
