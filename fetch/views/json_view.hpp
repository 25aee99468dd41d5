// SPDX-License-Identifier: MIT
// json_view: a run as one JSON object a line, for programs that read it. docs/fetch-events.md is the schema:
// a member is never taken away or changed within one version, only added.
#pragma once

#include <fetch/views/output.hpp>
#include <fetch/views/view.hpp>

#include <optional>

#include <unistd.h>

namespace fetch {

class json_view final : public view {
public:
    explicit json_view(int output = STDOUT_FILENO) : lines_(output) {}

    void began(const transfer& of) override;
    void answered(const transfer& of) override;
    void tries_again(const transfer& of, leat::duration wait) override;
    void planned(const transfer& of) override;
    void ended(const transfer& of) override;
    void stopped(const transfer& of) override;
    // Writes a "progress" each second in which something has changed.
    leat::task<> draw(const run_totals& totals) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    class event;

    printer lines_;
    std::optional<leat::time_point> begin_;  // of the run
};

}  // namespace fetch
