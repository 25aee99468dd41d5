// SPDX-License-Identifier: MIT
// open_file: how a file or a folder is opened, before it is a `file`.
#pragma once

#include <leat/system/core/file_state.hpp>
#include <leat/task.hpp>

#include <string>

namespace leat {

struct file_info;
struct file_options;

namespace detail {

// Those of open(2) that say the same. Options that contradict each other are misuse.
[[nodiscard]] int open_flags(const file_options& how);

// `flags` are those of open(2) that matter; with O_DIRECTORY it is a folder, which can be synced.
[[nodiscard]] task<file_reference> open_file(std::string path, int flags, unsigned permissions);

// Opens `path` below `folder`, out of which it does not lead (file_call::open_below). `about` is filled,
// unless it is null, and stays alive until then.
[[nodiscard]] task<file_reference> open_below(file_reference folder, std::string path, int flags,
                                              unsigned permissions, file_info* about);

}  // namespace detail

}  // namespace leat
