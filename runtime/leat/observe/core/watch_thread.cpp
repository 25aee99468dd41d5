// SPDX-License-Identifier: MIT
#include <leat/observe/core/watch_thread.hpp>

#include <leat/core/frame.hpp>
#include <leat/core/thread_signals.hpp>
#include <leat/observe/core/code_name.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <new>

#include <execinfo.h>
#include <time.h>
#include <unistd.h>

namespace leat::detail {

namespace {

using namespace std::chrono_literals;

constinit thread_local watch_thread* this_watch = nullptr;

constinit std::mutex registering;
constinit int users = 0;
struct sigaction before{};

void answer_or_pass_on(int number, siginfo_t* info, void* context) {
    const int kept = errno;
    if (this_watch != nullptr && info->si_code == SI_TKILL && info->si_pid == ::getpid()) {
        this_watch->answer();
    } else if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    }
    errno = kept;
}

void install() {
    const std::lock_guard lock(registering);
    if (users++ == 0) {
        void* first[1];
        ::backtrace(first, 1);  // its first call allocates
        struct sigaction action{};
        action.sa_sigaction = answer_or_pass_on;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        ::sigaction(SIGURG, &action, &before);
    }
}

void uninstall() {
    const std::lock_guard lock(registering);
    if (--users == 0) {
        ::sigaction(SIGURG, &before, nullptr);
    }
}

}  // namespace

watch_thread::watch_thread(duration limit, report_function report)
    : limit_(limit), report_(report), watched_(::gettid()) {
    ::sem_init(&answered_, 0, 0);
    install();
    this_watch = this;
    try {
        const signals_blocked blocked;
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        this_watch = nullptr;
        uninstall();
        throw;
    }
    sigset_t urgent;
    sigset_t mask;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    ::pthread_sigmask(SIG_UNBLOCK, &urgent, &mask);  // workers, for one, block it
    was_blocked_ = sigismember(&mask, SIGURG) == 1;
}

watch_thread::~watch_thread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stop_.notify_one();
    thread_.join();
    if (was_blocked_) {
        sigset_t urgent;
        sigemptyset(&urgent);
        sigaddset(&urgent, SIGURG);
        ::pthread_sigmask(SIG_BLOCK, &urgent, nullptr);
    }
    this_watch = nullptr;
    uninstall();
    ::sem_destroy(&answered_);
}

void watch_thread::run() {
    const duration period = std::clamp<duration>(limit_ / 4, 1ms, 1s);
    std::uint64_t seen = 0;
    auto since = std::chrono::steady_clock::now();
    bool told = false;
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, period, [&] { return stopping_; })) {
        const std::uint64_t step = step_.load(std::memory_order_relaxed);
        if (step != seen) {
            seen = step;
            since = std::chrono::steady_clock::now();
            told = false;
        } else if (step != 0 && !told && std::chrono::steady_clock::now() - since >= limit_) {
            told = true;
            lock.unlock();
            try {
                ask(step);
            } catch (const std::bad_alloc&) {  // of the report a part is missing
            }
            lock.lock();
        }
    }
}

void watch_thread::ask(std::uint64_t step) {
    asked_.store(true);
    ::tgkill(::getpid(), watched_, SIGURG);
    const bool current = answered() && noted_.step == step;
    const std::string limit = std::to_string(limit_ / 1ms) + " ms";
    std::string line = "task " + std::to_string(step & UINT32_MAX);
    if (!current) {  // it goes on by now, or keeps the signal blocked
        report_(line + " has held the loop for more than " + limit);
        return;
    }
    if (*noted_.name != '\0') {
        line += " \"" + std::string(noted_.name) + "\"";
    }
    report_(line + ", spawned at " + noted_.spawned_at.file_name() + ":" +
            std::to_string(noted_.spawned_at.line()) + ", has held the loop for more than " + limit + " in");
    report_noted();
}

bool watch_thread::answered() {
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    int status = 0;
    while ((status = ::sem_timedwait(&answered_, &until)) != 0 && errno == EINTR) {
    }
    if (status != 0 && !asked_.exchange(false)) {  // the handler is at it right now
        while (::sem_wait(&answered_) != 0) {
        }
        status = 0;
    }
    return status == 0;
}

void watch_thread::answer() noexcept {
    if (!asked_.exchange(false)) {
        return;
    }
    noted_.step = step_.load(std::memory_order_relaxed);
    noted_.name[0] = '\0';
    noted_.spawned_at = {};
    if (const task_state* task = this_thread.task) {
        const std::size_t size = task->name().copy(noted_.name, sizeof noted_.name - 1);
        noted_.name[size] = '\0';
        noted_.spawned_at = task->spawned_at;
    }
    noted_.depth = ::backtrace(noted_.frames, noted::frames_max);
    ::sem_post(&answered_);
}

void watch_thread::report_noted() const {
    constexpr int own = 3;  // answer(), the handler, and the kernel's way into it
    for (int i = own; i < noted_.depth; ++i) {
        report_("    " + code_name(noted_.frames[i]));
    }
}

}  // namespace leat::detail
