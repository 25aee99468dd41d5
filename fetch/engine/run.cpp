// SPDX-License-Identifier: MIT
#include <fetch/engine/run.hpp>

#include <fetch/engine/file_transfer.hpp>
#include <fetch/engine/plan.hpp>

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>

#include <algorithm>
#include <utility>

#include <sys/resource.h>

namespace fetch {
namespace {

leat::task<> begin_each(shared_parts& parts, const std::function<leat::task<std::optional<job>>()>& next) {
    co_await leat::with_task_group([&](leat::task_group& transfers) -> leat::task<> {
        std::uint64_t jobs = 0;
        while (std::optional<job> one = co_await next()) {
            ++jobs;
            transfers.spawn(
                [&parts, taken = *std::move(one)]() mutable { return carry_out(parts, std::move(taken)); });
            co_await leat::yield();  // it asks for its share before there is room for the next one
            co_await parts.shares.wait_for_room();
        }
        parts.totals.jobs = jobs;
        co_await transfers.wait();
    });
}

}  // namespace

descriptor_shares share_descriptors(const settings& how) noexcept {
    // The standard streams, the backend, name resolution, lists, connections that are about to be closed.
    constexpr rlim_t for_others = 24;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t available = std::max(limit.rlim_cur, for_others) - for_others;
    const rlim_t each = how.folder.empty() ? 2 : 4;  // an idle connection, and these
    const auto most = static_cast<rlim_t>(how.limits.transfers);
    const rlim_t in_memory = how.limits.memory == 0 ? RLIM_INFINITY : how.limits.memory / memory_of_transfer;
    const rlim_t fit = std::max<rlim_t>(std::min<rlim_t>(available / each, in_memory), 1);
    return {.transfers = static_cast<std::size_t>(std::min(fit, most)),
            .open = static_cast<std::size_t>(std::min(fit, 4 * most)),
            .idle = static_cast<std::size_t>(std::min<rlim_t>(fit, 100))};
}

share_limits limits_of(const settings& how) noexcept {
    const descriptor_shares shares = share_descriptors(how);
    return {.transfers = shares.transfers,
            .per_host = how.limits.per_host,
            .open = shares.open,
            .ahead = how.limits.ahead};
}

leat::task<> run_jobs(shared_parts& parts, std::function<leat::task<std::optional<job>>()> next) {
    parts.totals.begin = leat::now();
    const bool plans = parts.how.kind == run_kind::plan;
    if (!parts.how.folder.empty() && (plans || parts.how.kind == run_kind::fetch)) {
        file_settings files = parts.how.files;
        files.only_look = files.only_look || plans;
        parts.folder.emplace(co_await output_folder::open(parts.how.folder, files));
    }
    if (plans) {
        co_return co_await plan_jobs(parts, std::move(next));
    }
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        auto timer = group.spawn([&] { return parts.shares.keep_time(); });
        co_await begin_each(parts, next);
        timer.cancel();
        parts.totals.unused_checksums = parts.checksums.unused();
    });
}

}  // namespace fetch
