// SPDX-License-Identifier: MIT
// signal_set: Unix signals as something to wait for, through signalfd(2). A signal to the process goes to
// every signal_set that asks for it, on any thread: two servers in one program both stop at one SIGTERM.
// Invariant: while a set lives its signals are blocked in its thread; signals that next() has not given yet
// are kept.
#pragma once

#include <leat/core/thread_signals.hpp>
#include <leat/sync/mutex.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>

#include <signal.h>

namespace leat {

namespace detail {

struct signal_receiver;

// Throws std::invalid_argument for what cannot be waited for, naming it and the reason.
void refuse_signal(int number);

}  // namespace detail

// Signal numbers as a plain value, for options. Throws std::invalid_argument naming a number that is no
// signal, or one that cannot be waited for: SIGKILL and SIGSTOP, those that tell of a fault in the thread
// that gets them (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS), SIGPROF, which profilers send to every
// thread, and SIGPIPE, which is an error of the write instead.
class signal_numbers {
public:
    constexpr signal_numbers() noexcept = default;
    constexpr signal_numbers(std::initializer_list<int> numbers) {
        for (const int number : numbers) {
            add(number);
        }
    }
    constexpr void add(int number) {
        std::uint64_t refused = bit(SIGKILL) | bit(SIGSTOP) | bit(SIGPIPE) | bit(32) | bit(33);
        for (const int own : detail::own_signals) {
            refused |= bit(own);
        }
        if (number < 1 || number > most || (bit(number) & refused) != 0) {
            detail::refuse_signal(number);
        }
        bits_ |= bit(number);
    }
    [[nodiscard]] constexpr bool contains(int number) const noexcept {
        return number >= 1 && number <= most && (bits_ & bit(number)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }

    static constexpr int most = 64;  // the highest number that Linux has

private:
    static constexpr std::uint64_t bit(int number) noexcept { return std::uint64_t{1} << (number - 1); }
    std::uint64_t bits_ = 0;
};

// Those of `numbers` that this process does not ignore (SIG_IGN). A program should stop only on these: a
// shell that starts `server &` ignores SIGINT for it, and nohup ignores SIGHUP, so that it goes on (POSIX,
// sh, 2.11). serve() does so. A signal_set gets the signals it asks for, ignored or not.
[[nodiscard]] signal_numbers not_ignored(const signal_numbers& numbers) noexcept;

// One signal that came, as signalfd(2) tells it.
struct signal_info {
    int number = 0;
    int code = 0;       // why: SI_USER, SI_QUEUE, SI_TKILL, CLD_EXITED ... (sigaction(2))
    pid_t process = 0;  // who sent it; of SIGCHLD: the child
    uid_t user = 0;     // as whom
    int value = 0;      // what sigqueue(3) sent along
    int status = 0;     // of SIGCHLD: the exit status, or the signal that ended or stopped the child
};

// While it lives these signals are blocked in this thread and are given by next() instead of going to their
// handlers. In a program with several threads make one before the others start, which inherit the mask: a
// signal to the process goes to any thread that does not block it (signal(7)). When the thread's last set
// with a signal is destroyed, the signal is unblocked, unless it was blocked before; one that is pending and
// that no set has taken is then handled as without sets. A set lives and dies on one thread. Children that
// `process` starts inherit nothing of this.
class signal_set {
public:
    // Throws std::system_error when the kernel refuses a signalfd, std::invalid_argument for a wrong number.
    explicit signal_set(const signal_numbers& numbers);
    signal_set(std::initializer_list<int> numbers) : signal_set(signal_numbers(numbers)) {}
    signal_set(const signal_set&) = delete;
    signal_set& operator=(const signal_set&) = delete;
    ~signal_set();

    // Waits for one of the signals and gives its number. Several of one number that come before it is asked
    // count as one, but real-time signals (SIGRTMIN and above) queue, in order. Several tasks may wait: each
    // signal goes to the one that has waited longest. While one waits, run() sees no deadlock. Cancelled:
    // none was taken. The set stays alive until then.
    [[nodiscard]] task<int> next();
    // The same, with all that is known of it.
    [[nodiscard]] task<signal_info> next_info();
    // A signal that has come already, without waiting, also ahead of tasks that wait.
    [[nodiscard]] std::optional<signal_info> try_next();

private:
    std::unique_ptr<detail::signal_receiver> receiver_;
    mutex turn_;  // held by the task that waits
};

}  // namespace leat
