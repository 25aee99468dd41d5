// SPDX-License-Identifier: MIT
// plan_view, head_view, link_view: what runs show as text that fetch no files: of --dry-run, --head and
// --spider. Columns are parted by tabs, and none of them has one in it.
#pragma once

#include <fetch/views/plain_view.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fetch {

// "FILE<tab>URL" for each, and how many there are.
class plan_view final : public plain_view {
public:
    using plain_view::plain_view;

    void began(const transfer& of) override;
    void planned(const transfer& of) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;
};

// "STATUS<tab>SIZE<tab>TYPE<tab>LAST-MODIFIED<tab>ETAG<tab>URL" for each that has answered, as soon as it
// has; what is not known is "-". Behind a redirect the URL that it has led to is a seventh one.
class head_view final : public plain_view {
public:
    using plain_view::plain_view;

    void began(const transfer& of) override;
    void ended(const transfer& of) override;
};

// Redirects as they are found; at the end how many there are of each status, then each that has failed.
// Memory is for the failed ones.
class link_view final : public plain_view {
public:
    using plain_view::plain_view;

    void began(const transfer& of) override;
    void ended(const transfer& of) override;
    void summarize(const run_totals& totals, std::string_view stopped) override;

private:
    std::map<std::string, std::uint64_t> counts_;  // by status, or kind of failure
    std::vector<std::string> failed_;
};

}  // namespace fetch
