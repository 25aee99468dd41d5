// SPDX-License-Identifier: MIT
#include <fetch/views/answer_views.hpp>

#include <fetch/views/text.hpp>

#include <algorithm>

namespace fetch {
namespace {

std::string column(const std::string& value) {
    return (value.empty() ? "-" : printable(value)) + "\t";
}

// The status; of what has no answer, or none that could be used, the kind of its failure.
std::string outcome_of(const transfer& of) {
    const bool by_kind = of.state == transfer_state::failed && of.failure->status == 0;
    return by_kind ? std::string(name_of(of.failure->kind)) : std::to_string(of.status);
}

}  // namespace

void plan_view::began(const transfer& /*of*/) {}

void plan_view::planned(const transfer& of) {
    std::string line = column(of.file) + printable(of.shown);
    if (of.state == transfer_state::kept) {
        line += "\tkept";
    } else if (of.there > 0) {
        line += "\tafter " + std::to_string(of.there) + " bytes";
    }
    print(line);
}

void plan_view::summarize(const run_totals& totals, std::string_view stopped) {
    std::string line = std::to_string(totals.begun) + " URLs, nothing was asked";
    line += totals.failed == 0 ? "" : ", " + std::to_string(totals.failed) + " would fail";
    line += stopped.empty() ? "" : ", stopped by " + std::string(stopped);
    print(line);
    finish(stopped);
}

void head_view::began(const transfer& /*of*/) {}

void head_view::ended(const transfer& of) {
    if (of.state == transfer_state::failed) {
        plain_view::ended(of);
        return;
    }
    const answer_fields fields = of.fields.value_or(answer_fields());
    std::string line = column(std::to_string(of.status)) + column(of.size ? std::to_string(*of.size) : "") +
                       column(fields.type) + column(fields.last_modified) + column(fields.etag) +
                       printable(of.shown);
    line += of.final_url.empty() ? "" : "\t" + printable(of.final_url);
    print(line);
}

void link_view::began(const transfer& /*of*/) {}

void link_view::ended(const transfer& of) {
    const std::string outcome = outcome_of(of);
    ++counts_[outcome];
    if (!of.final_url.empty()) {
        print("redirect: " + printable(of.shown) + " leads to " + printable(of.final_url));
    }
    if (of.state == transfer_state::failed) {
        failed_.push_back(column(outcome) + failure_line(of));
    }
}

void link_view::summarize(const run_totals& totals, std::string_view stopped) {
    print("STATUS\tURLS");
    for (const auto& [outcome, count] : counts_) {
        print(column(outcome) + std::to_string(count));
    }
    std::sort(failed_.begin(), failed_.end());
    for (const std::string& each : failed_) {
        print(each);
    }
    print(totals_line(totals, stopped));
    finish(stopped);
}

}  // namespace fetch
