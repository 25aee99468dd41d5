// SPDX-License-Identifier: MIT
#include <leat/core/thread_signals.hpp>

namespace leat::detail {

signals_blocked::signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int own : own_signals) {
        sigdelset(&all, own);
    }
    ::pthread_sigmask(SIG_BLOCK, &all, &previous_);
}

}  // namespace leat::detail
