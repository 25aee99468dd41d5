// SPDX-License-Identifier: MIT
// report: an HTML page of a run, self-contained: when each transfer did what, the rate over time, failures by
// kind, the slowest hosts. Its memory is bounded, however long the run is (report_rows, most_hosts).
#pragma once

#include <fetch/views/report_rows.hpp>
#include <fetch/views/view.hpp>

#include <leat/fd.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fetch {

// The bytes of each moment, in at most 600 steps of one length, which doubles when there are more.
struct rate_steps {
    leat::duration step = std::chrono::milliseconds(100);
    std::vector<std::uint64_t> bytes = {};

    void add(leat::duration since_begin, std::uint64_t more);
};

class report final : public view {
public:
    // The page is written beside `path` and gets its name when it is whole, in place of one that is there.
    // What is no file, as /dev/stdout, is written to. Throws std::system_error if it cannot be made.
    explicit report(std::string path, report_limits limits = {});
    ~report() override;

    void began(const transfer& of) override;
    void received(const transfer& of, std::size_t bytes) override;
    void ended(const transfer& of) override;
    leat::task<> draw(const run_totals& totals) override;
    // Writes the page. Throws std::system_error.
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    static constexpr std::size_t most_hosts = 10'000;
    struct host {
        std::uint64_t transfers = 0;
        std::uint64_t failed = 0;
        std::uint64_t received = 0;
        std::uint64_t answers = 0;
        leat::duration waited = {};  // for all answers
        leat::duration longest = {};
    };
    struct failures {
        std::uint64_t count = 0;
        std::string example = {};
    };

    void add_to_host(const transfer& of);
    std::string page(const run_totals& totals, std::string_view stopped);

    std::string path_;
    std::string part_;  // the path until it is whole; empty: it is written in place
    leat::fd file_;
    std::optional<leat::time_point> begin_;
    report_rows rows_;
    rate_steps rate_;
    std::unordered_map<std::string, host> hosts_;
    std::map<failure_kind, failures> failures_;
};

}  // namespace fetch
