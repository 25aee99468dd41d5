// SPDX-License-Identifier: MIT
// supervisor: the loop of prefork().
//
// Each index below the count is a place. In a place there is one worker that serves, or nobody until the
// pause after an end is over, and during a rolling restart a successor as well, until it is ready. Workers
// that were told to end belong to no place any more. All workers tell in one pipe that they are ready, by
// their process id, and the kernel tells by SIGCHLD that one has ended: so a worker takes no descriptor here.
// Invariant: every worker is in workers_ until it has been reaped, so its number is nobody else's.
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
        time_point began;
        role is = role::serving;
        bool ready = false;
        time_point ready_by = never;  // else it is told to end
        time_point kill_at = never;
        [[nodiscard]] std::string name() const;
    };
    struct place {
        duration pause = {};
        time_point due = long_ago;  // when nobody is in it: when another begins
    };

    void begin(unsigned index, role as);
    [[noreturn]] void become_worker(unsigned index) noexcept;
    void fill_places();
    [[nodiscard]] std::vector<bool> filled_places() const;
    void wait();
    void take_signals();
    void stop();
    void tell_to_end(worker& each);
    void end_overdue();

    void hear();
    void take_readiness(worker& each);
    void all_are_ready();
    void roll_if_wanted();
    void roll_from(unsigned index);
    void stop_rolling(const std::string& why);
    void reap();
    void take_end(const worker& ended, const exit_status& how);
    void take_loss(const worker& lost, const std::string& why);

    void notify_or_report(bool (*notification)());
    void ping_watchdog();
    void report(const std::string& line) const;

    forked_program& program_;
    const prefork_options& options_;
    pid_t self_;
    std::vector<place> places_;
    std::list<worker> workers_;  // which stay where they are
    fd heard_;                   // the pipe in which workers tell that they are ready
    fd ready_;
    struct sigaction child_before_{};
    sigset_t mask_before_;
    fd signals_;
    bool started_ = false;  // all of the first workers were ready
    bool stopping_ = false;
    time_point forced_from_ = never;  // from then on a second signal to stop counts
    bool child_ended_ = false;
    pid_t rolling_ = 0;  // the worker that a rolling restart waits for
    bool roll_wanted_ = false;
    std::string failure_;
    std::optional<duration> watchdog_;
    time_point next_ping_ = never;
};

}  // namespace leat::detail
