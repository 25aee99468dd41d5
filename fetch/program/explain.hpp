// SPDX-License-Identifier: MIT
// explain: asks for URLs one after the other and says what each step did and how long it took, for people who
// want to know why something is slow or fails (--explain). Bodies are counted and thrown away.
#pragma once

#include <fetch/engine/settings.hpp>

#include <leat/http/client.hpp>
#include <leat/task.hpp>

#include <string>
#include <vector>

namespace fetch {

// Prints to standard output. Gives the exit status: 0, or that of the last failure's kind
// (failure_notes.hpp).
[[nodiscard]] leat::task<int> explain_each(leat::http::client& client, const settings& how,
                                           std::vector<std::string> urls);

}  // namespace fetch
