// SPDX-License-Identifier: MIT
// made_run: a run of jobs against an http_origin of the test, and what its observer was told.
#pragma once

#include "../../support/http_origin.hpp"

#include <fetch/engine/run.hpp>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace support {

class noting_observer : public fetch::observer {
public:
    struct ended_transfer {
        std::uint64_t number;
        fetch::transfer_state state;
        std::string file;
        std::uint64_t there;
        std::uint64_t received;
        int tries;
        std::optional<fetch::failure> failure;
    };
    void tries_again(const fetch::transfer& of, leat::duration wait) override {
        waits.push_back(wait);
        failures.push_back(*of.failure);
    }
    void ended(const fetch::transfer& of) override {
        all.push_back({of.job.number, of.state, of.file, of.there, of.received, of.tries, of.failure});
    }

    std::vector<ended_transfer> all;
    std::vector<leat::duration> waits;
    std::vector<fetch::failure> failures;
};

// Gives these jobs, numbered, one after the other.
inline auto jobs_of(std::vector<fetch::job> jobs) {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].number = i + 1;
    }
    return [left = std::deque<fetch::job>(jobs.begin(),
                                          jobs.end())]() mutable -> leat::task<std::optional<fetch::job>> {
        if (left.empty()) {
            co_return std::nullopt;
        }
        fetch::job next = std::move(left.front());
        left.pop_front();
        co_return next;
    };
}

// Runs them to the end and gives the totals.
inline leat::task<fetch::run_totals> run(fetch::settings how, noting_observer& told,
                                         std::vector<fetch::job> jobs) {
    leat::http::client client(direct);
    fetch::shared_parts parts{
        .how = how, .client = client, .told = told, .shares = fetch::host_shares(fetch::limits_of(how))};
    co_await fetch::run_jobs(parts, jobs_of(std::move(jobs)));
    co_return parts.totals;
}

}  // namespace support
