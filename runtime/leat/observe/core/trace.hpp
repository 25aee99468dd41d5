// SPDX-License-Identifier: MIT
// trace: an observer that writes a file in Chrome's trace format, which chrome://tracing and ui.perfetto.dev
// show: a row for each task, with its steps and waits. LEAT_TRACE=FILE turns it on; a process that runs
// several schedulers writes FILE, FILE.2, FILE.3 ...
#pragma once

#include <leat/observe/observer.hpp>

#include <memory>

namespace leat::detail {

// What writes to the file that LEAT_TRACE names, and then tells `next`, if there is one; null when it is not
// set. Throws std::system_error that names the file, when it cannot be written.
[[nodiscard]] std::unique_ptr<observer> make_trace(observer* next);

}  // namespace leat::detail
