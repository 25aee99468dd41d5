// SPDX-License-Identifier: MIT
// plan_jobs: tells what a run would do, and does nothing (run_kind::plan). For run_jobs.
#pragma once

#include <fetch/engine/shared_parts.hpp>
#include <fetch/list/job.hpp>

#include <leat/task.hpp>

#include <functional>
#include <optional>

namespace fetch {

// Each job is planned() or has failed, one after the other. A name that only an answer can tell is that of
// the URL. Thrown is what `next` and the observer throw. Cancelled: nothing has happened.
[[nodiscard]] leat::task<> plan_jobs(shared_parts& parts,
                                     std::function<leat::task<std::optional<job>>()> next);

}  // namespace fetch
