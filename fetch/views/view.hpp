// SPDX-License-Identifier: MIT
// view: an observer that shows a run to somebody: plain lines, a terminal's bars, JSON, a report. The run
// spawns draw() beside its transfers, cancels it when they have ended, and then calls summarize() once.
#pragma once

#include <fetch/engine/observer.hpp>

#include <leat/task.hpp>

#include <string_view>

namespace fetch {

class view : public observer {
public:
    // Shows what changes with time, until it is cancelled; nothing is lost then. `totals` outlives it. Throws
    // output_lost.
    virtual leat::task<> draw(const run_totals& totals) = 0;
    // The last words, all written when it returns. `stopped` is the name of the signal that ended the run
    // early; empty: none did. Throws output_lost, and std::system_error for a report that cannot be written.
    virtual void summarize(const run_totals& totals, std::string_view stopped) = 0;
};

}  // namespace fetch
