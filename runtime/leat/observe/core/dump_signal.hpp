// SPDX-License-Identifier: MIT
// dump_signal: a Unix signal that asks schedulers for a dump of their tasks. The handler only sets a flag and
// wakes the loop, so it also works while the loop is idle; the dump is made between two steps.
// Invariant: the handler is installed while a run asks for its signal; then the previous one is restored.
#pragma once

#include <leat/core/backend.hpp>

#include <atomic>

namespace leat::detail {

class dump_signal {
public:
    // How many schedulers of a process may use this at a time.
    static constexpr int most = 1024;

    // On signal `number`, of the process or of any thread, sets `asked` and wakes `sleeper`. Throws
    // std::invalid_argument when there is no such signal or it cannot be handled, std::length_error.
    dump_signal(int number, std::atomic<bool>& asked, backend& sleeper);
    dump_signal(const dump_signal&) = delete;
    dump_signal& operator=(const dump_signal&) = delete;
    ~dump_signal();

    void notify() noexcept;  // in the handler
    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
    std::atomic<bool>& asked_;
    backend& sleeper_;
};

}  // namespace leat::detail
