// SPDX-License-Identifier: MIT
#include <leat/thread_signals.hpp>

#include <initializer_list>

namespace leat::detail {

signals_blocked::signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT, SIGPROF}) {
        sigdelset(&all, own);
    }
    ::pthread_sigmask(SIG_BLOCK, &all, &previous_);
}

}  // namespace leat::detail
