// SPDX-License-Identifier: MIT
#include <leat/system/core/supervisor.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/system/core/daemon_process.hpp>
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
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leat::detail {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno_code(errno), std::string("prefork: ") + what);
}

// How it ended, if it has; then it is reaped.
std::optional<exit_status> try_reap(const fd& process) {
    siginfo_t ended{};
    int answer = 0;
    do {
        answer = ::waitid(P_PIDFD, static_cast<id_t>(process.get()), &ended, WEXITED | WNOHANG);
    } while (answer != 0 && errno == EINTR);
    if (answer != 0) {
        fail("waitid");
    }
    return ended.si_pid == 0 ? std::nullopt : std::optional(exit_status_of(ended));
}

// A child that has not been reaped: its number is nobody else's.
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
    sigset_t heeded;
    sigemptyset(&heeded);
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
        for (worker& each : workers_) {
            hear(each);
        }
        reap();
        kill_overdue();
        ping_watchdog();
    }
    if (!failure_.empty()) {
        throw std::runtime_error(failure_);
    }
}

// ---- beginning ------------------------------------------------------------------------------------

void supervisor::begin(unsigned index, role as) {
    int both[2];
    if (::pipe2(both, O_CLOEXEC | O_NONBLOCK) != 0) {
        fail("pipe2");
    }
    fd heard(both[0]);
    const fd ready(both[1]);
    worker& made = workers_.emplace_back();  // what throws comes first
    (void)std::fflush(nullptr);              // else the worker writes it again
    const pid_t child = ::fork();
    if (child == 0) {
        heard.reset();
        become_worker(index, ready.get());
    }
    if (child < 0) {
        workers_.pop_back();
        fail("fork");
    }
    made.index = index;
    made.id = child;
    made.process.reset(open_pidfd(child));
    made.ready = std::move(heard);
    made.began = monotonic_now();
    made.is = as;
    if (!made.process) {
        const int error = errno;
        end_at_once(child);
        workers_.pop_back();
        errno = error;
        fail("pidfd_open");
    }
}

// The supervisor's own descriptors are closed, or the workers would hold each other's pipes.
void supervisor::become_worker(unsigned index, int ready) noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != self_) {
        ::_exit(0);  // it has died before that
    }
    forget_starter();
    workers_.clear();
    signals_.reset();
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    ::signal(SIGTERM, SIG_DFL);  // by which it is told to end, whatever the supervisor was started with
    sigdelset(&mask_before_, SIGTERM);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    const int status = program_.work(index, ready);
    (void)std::fflush(nullptr);
    ::_exit(status);
}

bool supervisor::is_filled(unsigned index) const noexcept {
    return std::ranges::any_of(
        workers_, [index](const worker& each) { return each.index == index && each.is == role::serving; });
}

void supervisor::fill_places() {
    const time_point now = monotonic_now();
    for (unsigned index = 0; index < places_.size(); ++index) {
        place& each = places_[index];
        if (is_filled(index) || each.due > now) {
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
    std::vector<pollfd> watched{{.fd = signals_.get(), .events = POLLIN, .revents = 0}};
    for (const worker& each : workers_) {
        watched.push_back({.fd = each.process.get(), .events = POLLIN, .revents = 0});
        if (each.ready) {
            watched.push_back({.fd = each.ready.get(), .events = POLLIN, .revents = 0});
        }
        deadline = std::min(deadline, each.kill_at);
    }
    for (unsigned index = 0; !stopping_ && index < places_.size(); ++index) {
        if (!is_filled(index)) {
            deadline = std::min(deadline, places_[index].due);
        }
    }
    (void)poll_until(watched, deadline);
}

void supervisor::take_signals() {
    signalfd_siginfo received;
    while (::read(signals_.get(), &received, sizeof received) == sizeof received) {
        if (received.ssi_signo == SIGHUP) {
            reopen_log_file();
            if (rolling_ != 0) {
                roll_again_ = true;
            } else if (started_ && !stopping_) {
                notify_or_report(notify_reloading);
                roll_from(0);
            }
        } else {
            stop();
        }
    }
}

void supervisor::kill_overdue() {
    const time_point now = monotonic_now();
    for (worker& each : workers_) {
        if (each.kill_at <= now) {
            report(each.name() + " has not ended after " + duration_text(options_.grace) + " and is killed");
            (void)signal_pidfd(each.process.get(), SIGKILL);
            each.kill_at = never;
        }
    }
}

// ---- ending ---------------------------------------------------------------------------------------

void supervisor::tell_to_end(worker& each) {
    if (each.is != role::leaving) {
        each.is = role::leaving;
        each.kill_at = after(monotonic_now(), options_.grace);
    }
    (void)signal_pidfd(each.process.get(), SIGTERM);
}

void supervisor::stop() {
    const bool is_first = !std::exchange(stopping_, true);
    if (is_first) {
        rolling_ = 0;
        program_.release();
        notify_or_report(notify_stopping);
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
        if (const std::optional<exit_status> how = try_reap(each->process)) {
            const worker ended = std::move(*each);
            workers_.erase(each);
            take_end(ended, *how);
        }
    }
}

void supervisor::take_end(const worker& ended, const exit_status& how) {
    const std::string what = ended.name() + " has ended: " + how.to_string();
    if (ended.id == rolling_) {
        stop_rolling(what);
    }
    if (ended.is == role::leaving) {
        if (!how.success() && how.signal() != SIGTERM) {  // one without a handler for it
            report(what);
        }
    } else if (!started_) {
        failure_ = what + ", before it was ready";
        stop();
    } else if (ended.is == role::serving) {
        const auto successor = std::ranges::find_if(workers_, [&](const worker& each) {
            return each.index == ended.index && each.is == role::successor;
        });
        if (successor != workers_.end()) {
            successor->is = role::serving;
            report(what);
            return;
        }
        place& empty = places_[ended.index];
        const time_point now = monotonic_now();
        const bool was_steady = !ended.ready && now - ended.began >= options_.steady;
        empty.pause = was_steady ? duration::zero()
                                 : std::clamp(2 * empty.pause, options_.first_pause,
                                              std::max(options_.first_pause, options_.longest_pause));
        empty.due = after(now, empty.pause);
        report(what + "; another begins" +
               (was_steady ? std::string(" now") : " in " + duration_text(empty.pause)));
    }
}

// ---- readiness and rolling restarts ---------------------------------------------------------------

void supervisor::hear(worker& each) {
    char told = 0;
    if (!each.ready || ::read(each.ready.get(), &told, 1) != 1) {
        return;
    }
    each.ready.reset();
    if (each.is == role::leaving) {
        return;
    }
    if (each.id == rolling_) {
        each.is = role::serving;
        for (worker& other : workers_) {
            if (&other != &each && other.index == each.index && other.is == role::serving) {
                tell_to_end(other);
            }
        }
        roll_from(each.index + 1);
    } else if (!started_ && std::ranges::none_of(
                                workers_, [](const worker& one) { return static_cast<bool>(one.ready); })) {
        all_are_ready();
    }
}

void supervisor::all_are_ready() {
    started_ = true;
    if (options_.on_ready != nullptr) {
        options_.on_ready();
    }
    notify_or_report(notify_ready);
    if (watchdog_.has_value()) {
        next_ping_ = monotonic_now();
    }
}

// A place where nobody serves gets a new worker anyway.
void supervisor::roll_from(unsigned index) {
    rolling_ = 0;
    while (index < places_.size() && !is_filled(index)) {
        ++index;
    }
    if (index == places_.size()) {
        stop_rolling({});
        return;
    }
    try {
        begin(index, role::successor);
        rolling_ = workers_.back().id;
    } catch (const std::system_error& error) {
        stop_rolling(error.what());
    }
}

void supervisor::stop_rolling(const std::string& why) {
    rolling_ = 0;
    if (!why.empty()) {
        report(why + "; the rolling restart ends, the workers that are left go on");
    }
    if (stopping_) {
        return;
    }
    if (std::exchange(roll_again_, false)) {
        roll_from(0);
    } else {
        notify_or_report(notify_ready);
    }
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
