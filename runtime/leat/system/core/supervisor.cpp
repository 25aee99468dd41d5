// SPDX-License-Identifier: MIT
#include <leat/system/core/supervisor.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/system/core/daemon_process.hpp>
#include <leat/system/core/orphan_watch.hpp>
#include <leat/system/core/plain_wait.hpp>
#include <leat/system/core/process_start.hpp>
#include <leat/system/daemon.hpp>
#include <leat/system/notify.hpp>
#include <leat/system/signals.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leat::detail {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno_code(errno), std::string("prefork: ") + what);
}

// From the first signal to stop. Whoever signals a process and its group, as timeout(1) does, sends two.
constexpr duration same_stop = std::chrono::milliseconds(500);

// How a child ended, if it has, and its tracer, if it has one, has let it go. WNOWAIT: it is not reaped.
std::optional<exit_status> end_of(pid_t child, int flags) {
    siginfo_t ended{};
    int answer = 0;
    do {
        answer = ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | flags);
    } while (answer != 0 && errno == EINTR);
    if (answer != 0) {
        fail("waitid");
    }
    return ended.si_pid == 0 ? std::nullopt : std::optional(exit_status_of(ended));
}

void end_at_once(pid_t child) noexcept {
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

std::string supervisor::worker::name() const {
    return "worker " + std::to_string(index) + ", process " + std::to_string(id) + ",";
}

supervisor::supervisor(unsigned count, forked_program& program, const prefork_options& options)
    : program_(program),
      options_(options),
      self_(::getpid()),
      places_(count),
      watchdog_(watchdog_interval()) {
    int both[2];
    if (::pipe2(both, O_CLOEXEC | O_NONBLOCK) != 0) {
        fail("pipe2");
    }
    heard_.reset(both[0]);
    ready_.reset(both[1]);
    sigset_t heeded;
    sigemptyset(&heeded);
    sigaddset(&heeded, SIGCHLD);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        if (!not_ignored({number}).empty()) {
            sigaddset(&heeded, number);
        }
    }
    signals_.reset(::signalfd(-1, &heeded, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_) {
        fail("signalfd");
    }
    ::pthread_sigmask(SIG_BLOCK, &heeded, &mask_before_);
    struct sigaction usual{};  // if SIGCHLD is ignored, the kernel reaps the workers itself
    usual.sa_handler = SIG_DFL;
    usual.sa_flags = SA_NOCLDSTOP;
    ::sigaction(SIGCHLD, &usual, &child_before_);
}

supervisor::~supervisor() {
    for (const worker& each : workers_) {
        end_at_once(each.id);
    }
    ::sigaction(SIGCHLD, &child_before_, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void supervisor::run() {
    while (!stopping_ || !workers_.empty()) {
        if (!stopping_) {
            fill_places();
        }
        wait();
        take_signals();
        hear();
        if (std::exchange(child_ended_, false)) {
            reap();
        }
        end_overdue();
        roll_if_wanted();
        ping_watchdog();
    }
    if (!failure_.empty()) {
        throw std::runtime_error(failure_);
    }
}

// ---- beginning ------------------------------------------------------------------------------------

void supervisor::begin(unsigned index, role as) {
    worker& made = workers_.emplace_back();  // what throws comes first
    (void)std::fflush(nullptr);              // else the worker writes it again
    const pid_t child = ::fork();
    if (child == 0) {
        become_worker(index);
    }
    if (child < 0) {
        workers_.pop_back();
        fail("fork");
    }
    made.index = index;
    made.id = child;
    made.began = monotonic_now();
    made.is = as;
    made.ready_by = after(made.began, options_.start_limit);
}

// It has a process group of its own: who signals that of the supervisor, as a shell does with `kill %1`,
// means the supervisor alone.
void supervisor::become_worker(unsigned index) noexcept {
    ::setpgid(0, 0);
    workers_.clear();
    signals_.reset();
    heard_.reset();
    become_worker_process(std::move(ready_));
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    ::signal(SIGTERM, SIG_DFL);  // by which it is told to end, whatever the supervisor was started with
    sigdelset(&mask_before_, SIGTERM);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    int status = 1;
    try {
        end_with_parent(self_, options_.grace);
        status = program_.work(index);
    } catch (...) {
        status = print_error(std::current_exception());
    }
    (void)std::fflush(nullptr);
    ::_exit(status);
}

std::vector<bool> supervisor::filled_places() const {
    std::vector<bool> filled(places_.size());
    for (const worker& each : workers_) {
        filled[each.index] = filled[each.index] || each.is == role::serving;
    }
    return filled;
}

void supervisor::fill_places() {
    const time_point now = monotonic_now();
    const std::vector<bool> filled = filled_places();
    for (unsigned index = 0; index < places_.size(); ++index) {
        place& each = places_[index];
        if (filled[index] || each.due > now) {
            continue;
        }
        try {
            begin(index, role::serving);
        } catch (const std::system_error& error) {
            if (!started_) {
                throw;
            }
            report(std::string(error.what()) + "; trying again");
            each.due = after(now, options_.longest_pause);
        }
    }
}

// ---- waiting --------------------------------------------------------------------------------------

void supervisor::wait() {
    time_point deadline = next_ping_;
    for (const worker& each : workers_) {
        deadline = std::min({deadline, each.ready_by, each.kill_at});
    }
    const std::vector<bool> filled = filled_places();
    for (unsigned index = 0; !stopping_ && index < places_.size(); ++index) {
        if (!filled[index]) {
            deadline = std::min(deadline, places_[index].due);
        }
    }
    pollfd watched[] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                        {.fd = heard_.get(), .events = POLLIN, .revents = 0}};
    (void)poll_until(watched, deadline);
}

void supervisor::take_signals() {
    signalfd_siginfo received;
    while (::read(signals_.get(), &received, sizeof received) == sizeof received) {
        if (received.ssi_signo == SIGCHLD) {
            child_ended_ = true;
        } else if (received.ssi_signo == SIGHUP) {
            reopen_log_file();
            roll_wanted_ = true;
        } else {
            stop();
        }
    }
}

void supervisor::end_overdue() {
    const time_point now = monotonic_now();
    for (worker& each : workers_) {
        if (each.kill_at <= now) {
            report(each.name() + " has not ended after " + duration_text(options_.grace) + " and is killed");
            ::kill(each.id, SIGKILL);
            each.kill_at = never;
        }
        if (each.ready_by <= now) {
            const worker late = each;
            tell_to_end(each);
            take_loss(late, late.name() + " was not ready after " + duration_text(options_.start_limit));
        }
    }
}

// ---- ending ---------------------------------------------------------------------------------------

void supervisor::tell_to_end(worker& each) {
    if (each.is != role::leaving) {
        each.is = role::leaving;
        each.ready_by = never;
        each.kill_at = after(monotonic_now(), options_.grace);
    }
    ::kill(each.id, SIGTERM);
}

void supervisor::stop() {
    const bool is_first = !std::exchange(stopping_, true);
    if (is_first) {
        forced_from_ = after(monotonic_now(), same_stop);
        rolling_ = 0;
        program_.release();
        notify_or_report(notify_stopping);
    } else if (monotonic_now() < forced_from_) {
        return;
    }
    for (worker& each : workers_) {
        if (!is_first || each.is != role::leaving) {  // a second signal ends the grace of serve()
            tell_to_end(each);
        }
    }
}

void supervisor::reap() {
    for (auto next = workers_.begin(); next != workers_.end();) {
        const auto each = next++;
        if (end_of(each->id, WNOWAIT).has_value()) {
            hear();  // what it has told before, while its number is nobody else's: others may be told to end
            const std::optional<exit_status> how = end_of(each->id, 0);
            const worker ended = *each;
            workers_.erase(each);
            take_end(ended, how.value());
        }
    }
}

void supervisor::take_end(const worker& ended, const exit_status& how) {
    const std::string what = ended.name() + " has ended: " + how.to_string();
    if (ended.is != role::leaving) {
        take_loss(ended, ended.ready ? what : what + ", before it was ready");
    } else if (!how.success() && how.signal() != SIGTERM) {  // one without a handler for it
        report(what);
    }
}

// Of a worker that nobody has told to end, or that is late.
void supervisor::take_loss(const worker& lost, const std::string& why) {
    if (lost.id == rolling_) {
        stop_rolling(why);
    }
    if (!started_ && !lost.ready) {
        failure_ = why;
        stop();
        return;
    }
    if (lost.is != role::serving) {
        return;
    }
    const auto successor = std::ranges::find_if(
        workers_, [&](const worker& each) { return each.index == lost.index && each.is == role::successor; });
    if (successor != workers_.end()) {
        successor->is = role::serving;
        report(why);
        return;
    }
    place& empty = places_[lost.index];
    const time_point now = monotonic_now();
    const bool was_steady = lost.ready && now - lost.began >= options_.steady;
    empty.pause = was_steady ? duration::zero()
                             : std::clamp(2 * empty.pause, options_.first_pause,
                                          std::max(options_.first_pause, options_.longest_pause));
    empty.due = after(now, empty.pause);
    report(why + "; another begins" +
           (was_steady ? std::string(" now") : " in " + duration_text(empty.pause)));
}

// ---- telling --------------------------------------------------------------------------------------

// A service manager that is gone is no reason for the workers to end.
void supervisor::notify_or_report(bool (*notification)()) {
    try {
        notification();
    } catch (const std::exception& error) {
        report(error.what());
    }
}

void supervisor::ping_watchdog() {
    const time_point now = monotonic_now();
    if (next_ping_ <= now) {
        notify_or_report([] { return notify("WATCHDOG=1"); });
        next_ping_ = after(now, *watchdog_ / 2);
    }
}

void supervisor::report(const std::string& line) const {
    (options_.run.report != nullptr ? options_.run.report : print_report)(line);
}

}  // namespace leat::detail
