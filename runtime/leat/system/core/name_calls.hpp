// SPDX-License-Identifier: MIT
// name_calls: calls on names in folders, by path or below an open folder. For folder.hpp and root_folder.hpp.
#pragma once

#include <leat/core/file_operation.hpp>
#include <leat/task.hpp>

#include <string>

namespace leat {

struct file_info;

namespace detail {

// Where paths begin: at the folder `descriptor`, which stays open, or where the process is. `shown` stands
// before the path in what an error says.
struct path_root {
    int descriptor = -1;
    std::string shown = {};
};

// Errors are std::system_error. `what` is as "remove ".
[[nodiscard]] task<file_info> info_of_name(path_root root, std::string path, int flags);
[[nodiscard]] task<> rename_name(path_root root, std::string from, std::string to, int flags);
[[nodiscard]] task<> call_on_name(path_root root, file_call call, std::string path, int flags, unsigned mode,
                                  const char* what);

}  // namespace detail

}  // namespace leat
