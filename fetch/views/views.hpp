// SPDX-License-Identifier: MIT
// views: all that shows one run, as one view. The program makes it from the command line's options and gives
// it to the run.
#pragma once

#include <fetch/engine/settings.hpp>
#include <fetch/views/view.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace fetch {

enum class view_form : std::uint8_t {
    automatic,  // bars on a terminal that can move its cursor, else plain
    plain,
    quiet,  // only failures
    json,   // docs/fetch-events.md
};

struct view_options {
    run_kind kind = run_kind::fetch;
    view_form form = view_form::automatic;
    std::string report = {};  // the path of an HTML page; empty: none
    int output = STDOUT_FILENO;
    int errors = STDERR_FILENO;
};

// Several views as one. Each call goes to all, in the order in which they were added, until one throws.
class views final : public view {
public:
    void add(std::unique_ptr<view> one) { all_.push_back(std::move(one)); }

    void began(const transfer& of) override;
    void answered(const transfer& of) override;
    void received(const transfer& of, std::size_t bytes) override;
    void tries_again(const transfer& of, leat::duration wait) override;
    void planned(const transfer& of) override;
    void ended(const transfer& of) override;
    void stopped(const transfer& of) override;
    leat::task<> draw(const run_totals& totals) override;
    // All are called, also after one has thrown; then what the first one threw is thrown.
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    std::vector<std::unique_ptr<view>> all_;
};

// Throws std::system_error if the report's file cannot be made.
[[nodiscard]] std::unique_ptr<view> views_of(const view_options& options);

}  // namespace fetch
