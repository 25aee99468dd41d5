// SPDX-License-Identifier: MIT
// supervisor: the loop of prefork().
//
// Each index below the count is a place. In a place there is one worker that serves, or nobody until the
// pause after an end is over, and during a rolling restart a successor as well, until it is ready. Workers
// that were told to end belong to no place any more.
// Invariant: every child is in workers_ until it has been reaped.
#pragma once

#include <leat/fd.hpp>
#include <leat/system/prefork.hpp>
#include <leat/system/process.hpp>

#include <list>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>

namespace leat::detail {

class supervisor {
public:
    supervisor(unsigned count, forked_program& program, const prefork_options& options);
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;
    ~supervisor();  // kills what is left

    // Throws what prefork() throws.
    void run();

private:
    enum class role : unsigned char { serving, successor, leaving };
    struct worker {
        unsigned index = 0;
        pid_t id = -1;
        fd process;  // a pidfd
        fd ready;    // a pipe, until the worker has told
        time_point began;
        role is = role::serving;
        time_point kill_at = never;
        [[nodiscard]] std::string name() const;
    };
    struct place {
        duration pause = {};
        time_point due = long_ago;  // when nobody is in it: when another begins
    };

    void begin(unsigned index, role as);
    [[noreturn]] void become_worker(unsigned index, int ready) noexcept;
    void fill_places();
    [[nodiscard]] bool is_filled(unsigned index) const noexcept;
    void wait();
    void take_signals();
    void stop();
    void tell_to_end(worker& each);
    void kill_overdue();

    void hear(worker& each);
    void all_are_ready();
    void roll_from(unsigned index);
    void stop_rolling(const std::string& why);
    void take_end(const worker& ended, const exit_status& how);
    void reap();

    void notify_or_report(bool (*notification)());
    void ping_watchdog();
    void report(const std::string& line) const;

    forked_program& program_;
    const prefork_options& options_;
    pid_t self_;
    std::vector<place> places_;
    std::list<worker> workers_;  // which stay where they are
    struct sigaction child_before_{};
    sigset_t mask_before_;
    fd signals_;
    bool started_ = false;  // all of the first workers were ready
    bool stopping_ = false;
    pid_t rolling_ = 0;  // the worker that a rolling restart waits for
    bool roll_again_ = false;
    std::string failure_;
    std::optional<duration> watchdog_;
    time_point next_ping_ = never;
};

}  // namespace leat::detail
