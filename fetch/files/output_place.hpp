// SPDX-License-Identifier: MIT
// output_place: what the files of one output folder share: the calls on names below it, the names that are
// taken, the settings. For output_folder and output_file.
#pragma once

#include <fetch/files/file_settings.hpp>
#include <fetch/files/folder_names.hpp>
#include <fetch/files/output_file.hpp>

#include <leat/system/file.hpp>
#include <leat/system/folder.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fetch {

// Names are relative to the folder. Errors are std::system_error.
class output_place {
public:
    output_place(std::string path, file_settings how, std::string boot);
    output_place(const output_place&) = delete;
    output_place& operator=(const output_place&) = delete;

    [[nodiscard]] leat::task<output_file> claim(std::string wanted, std::string url);
    // The next free name for a file that has lost its own.
    [[nodiscard]] leat::task<> claim_next(output_file& file);

    [[nodiscard]] leat::task<leat::file> open(std::string name, leat::file_options how);
    // Nothing, where there is none.
    [[nodiscard]] leat::task<std::optional<leat::file>> open_if_there(std::string name,
                                                                      leat::file_options how);
    [[nodiscard]] leat::task<std::optional<leat::file_info>> info_if_there(std::string name);
    [[nodiscard]] leat::task<std::optional<std::string>> read_if_there(std::string name, std::size_t limit);
    [[nodiscard]] leat::task<> remove_if_there(std::string name);
    // False when `to` is there.
    [[nodiscard]] leat::task<bool> rename_to_new(std::string from, std::string to);
    [[nodiscard]] leat::task<> rename(std::string from, std::string to);
    // The folders that `name` is in.
    [[nodiscard]] leat::task<> make_folders(std::string name);
    [[nodiscard]] leat::task<> sync_folders(std::string name);

    const std::string path;
    const file_settings how;
    const std::string boot;
    folder_names names;

private:
    enum class finding : std::uint8_t { usable, taken };

    [[nodiscard]] std::string path_of(const std::string& name) const { return path + "/" + name; }
    leat::task<finding> look_at(output_file& file);
    leat::task<finding> look_at_part(output_file& file, const std::string& url);
    leat::task<finding> adopt_part(output_file& file, leat::file part, const std::string& url);
};

}  // namespace fetch
