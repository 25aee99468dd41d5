// SPDX-License-Identifier: MIT
// failure_notes: what of a run has failed: of which kinds, for the exit status, and as a list for -i, with
// what it had not fetched when it was stopped.
#pragma once

#include <fetch/program/written_list.hpp>
#include <fetch/views/view.hpp>

#include <set>
#include <string>
#include <utility>

namespace fetch {

class failure_notes final : public view {
public:
    // `list`: its path; empty: none is written. Throws std::system_error when it cannot be made.
    explicit failure_notes(std::string list) : list_(std::move(list)) {}

    void ended(const transfer& of) override;
    void stopped(const transfer& of) override;
    leat::task<> draw(const run_totals& totals) override;
    // Throws std::system_error when the list could not be written.
    void summarize(const run_totals& totals, std::string_view stopped) override;

    [[nodiscard]] bool has_list() const noexcept { return list_.is_wanted(); }
    // For the list: a job that has not begun when the run was stopped.
    void add(const job& of);
    // The program's: 0 when nothing has failed, exit_status_of() the kind when all failures are of one,
    // else 1.
    [[nodiscard]] int exit_status() const noexcept;

private:
    std::set<failure_kind> kinds_;
    written_list list_;
};

// From 3 on; the manual has the table.
[[nodiscard]] int exit_status_of(failure_kind kind) noexcept;

}  // namespace fetch
