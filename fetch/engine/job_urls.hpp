// SPDX-License-Identifier: MIT
// urls_of: the URLs of a job, read. For all that carries out jobs.
#pragma once

#include <fetch/list/job.hpp>

#include <leat/http/url.hpp>

#include <string>
#include <vector>

namespace fetch {

// Fills `urls` with that of the job, then its mirrors. What is wrong with the job, in one line; empty:
// nothing.
[[nodiscard]] std::string urls_of(const job& of, std::vector<leat::http::url>& urls);

}  // namespace fetch
