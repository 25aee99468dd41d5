// SPDX-License-Identifier: MIT
// open_file: how a file or a folder is opened, before it is a `file`.
#pragma once

#include <leat/system/core/file_state.hpp>
#include <leat/task.hpp>

#include <string>

namespace leat::detail {

// `flags` are those of open(2) that matter; with O_DIRECTORY it is a folder, which can be synced.
[[nodiscard]] task<file_reference> open_file(std::string path, int flags, unsigned permissions);

}  // namespace leat::detail
