// SPDX-License-Identifier: MIT
// worker_signals: functions of run_workers that signal_set calls, so that a signal to the process reaches
// every worker and ends none. Outside a worker they do nothing. All but await_blocked_signals() are called
// under the lock of signal_set's registry: a signal and a new set come one after the other.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>

namespace leat::detail {

// A signal_set of this thread begins, or ends, to ask for these signals.
void want_signals(const sigset_t& wanted) noexcept;
void unwant_signals(const sigset_t& wanted) noexcept;

// Returns when the thread that called run_workers blocks the signals that are asked for.
void await_blocked_signals() noexcept;

// A signal_set of this thread has taken a signal. Workers without a set for it will find it when they make
// one.
void keep_for_other_workers(const signalfd_siginfo& taken) noexcept;

// Whether a signal was kept for this thread by another worker: the sets of other threads have had it.
[[nodiscard]] bool kept_by_other_worker(const signalfd_siginfo& taken) noexcept;

}  // namespace leat::detail
