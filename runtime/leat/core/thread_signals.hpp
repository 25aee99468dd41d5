// SPDX-License-Identifier: MIT
// signals_blocked: blocks all signals while a thread of the library is started, which inherits that. So a
// signal for a signal_set is not delivered to such a thread, where it would have its default effect.
#pragma once

#include <signal.h>

namespace leat::detail {

// Signals that are for the very thread that gets them: those that tell of a fault in it, which are the ones
// that the kernel calls synchronous, and SIGPROF, with which profilers see what each thread does. Threads of
// the library do not block them; therefore no signal_set can wait for them.
inline constexpr int own_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF};

// While it lives, this thread blocks signals; a thread started meanwhile inherits that, and keeps it.
class signals_blocked {
public:
    signals_blocked() noexcept;
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;
    ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

private:
    sigset_t previous_;
};

}  // namespace leat::detail
