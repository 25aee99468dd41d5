// SPDX-License-Identifier: MIT
#include <leat/system/root_folder.hpp>

#include <leat/system/core/open_file.hpp>

#include <fcntl.h>

namespace leat {

task<root_folder> root_folder::open(std::string path) {
    auto opened = co_await detail::open_file(std::move(path), O_RDONLY | O_DIRECTORY, 0);
    co_return root_folder(std::move(opened));
}

task<file> root_folder::open_in(detail::file_reference folder, std::string path, file_options how) {
    auto opened = co_await detail::open_below(std::move(folder), std::move(path), detail::open_flags(how),
                                              how.permissions, nullptr);
    co_return file(std::move(opened));
}

task<found_file> root_folder::find_in(detail::file_reference folder, std::string path) {
    file_info info;
    auto opened = co_await detail::open_below(std::move(folder), std::move(path), O_RDONLY, 0, &info);
    co_return found_file(file(std::move(opened)), info);
}

}  // namespace leat
