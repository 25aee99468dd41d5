// SPDX-License-Identifier: MIT
// written_job: a job as a line of a list that read_job_line understands, for lists of what has failed.
#pragma once

#include <fetch/list/job.hpp>

#include <string>

namespace fetch {

// Without its end. A job with a mistake is a comment. What a line cannot say, the digests of pieces, is left
// out.
[[nodiscard]] std::string written_job(const job& of);

}  // namespace fetch
