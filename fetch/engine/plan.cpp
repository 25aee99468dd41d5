// SPDX-License-Identifier: MIT
#include <fetch/engine/plan.hpp>

#include <fetch/engine/job_urls.hpp>
#include <fetch/files/file_error.hpp>
#include <fetch/names/wanted_name.hpp>

#include <utility>

namespace fetch {
namespace {

// Where it goes, and what of it is there.
leat::task<> look_for_file(shared_parts& parts, transfer& shown, const leat::http::url& url) {
    const std::string wanted = wanted_name(parts.how.names, shown.job, url, nullptr);
    const output_file file = co_await parts.folder->claim(wanted, url.to_string());
    shown.file = file.name();
    shown.there = file.there();
    shown.size = shown.job.size ? shown.job.size : file.known().size;
    shown.state = file.is_there() ? transfer_state::kept : transfer_state::waiting;
}

leat::task<> plan_one(shared_parts& parts, job what) {
    transfer shown{.job = what,
                   .shown = leat::http::printable_url(what.url),
                   .host = {},
                   .times = {.begin = leat::now()}};
    ++parts.totals.begun;
    parts.told.began(shown);
    std::vector<leat::http::url> urls;
    std::string mistake = urls_of(what, urls);
    if (!mistake.empty()) {
        shown.failure = failure{.kind = failure_kind::bad_input, .text = std::move(mistake)};
    } else if (parts.folder) {
        try {
            co_await look_for_file(parts, shown, urls.front());
        } catch (const file_error& failed) {
            shown.failure = failure{.kind = failure_kind::file, .text = shown.shown + ": " + failed.what()};
        }
    }
    if (!shown.failure) {
        parts.told.planned(shown);
        co_return;
    }
    ++parts.totals.failed;
    shown.state = transfer_state::failed;
    shown.times.end = leat::now();
    parts.told.ended(shown);
}

}  // namespace

leat::task<> plan_jobs(shared_parts& parts, std::function<leat::task<std::optional<job>>()> next) {
    while (std::optional<job> one = co_await next()) {
        co_await plan_one(parts, *std::move(one));
    }
    parts.totals.jobs = parts.totals.begun;
}

}  // namespace fetch
