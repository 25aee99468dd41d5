// SPDX-License-Identifier: MIT
// signals_blocked: threads of the library are started without a share in the process's signals. What a thread
// does to itself (SIGSEGV and the like) and SIGPROF, for profilers, are left as they were.
#pragma once

#include <signal.h>

namespace leat::detail {

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
