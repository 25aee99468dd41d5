// SPDX-License-Identifier: MIT
// output_place: what the files of one output folder share: the folder, the names that are taken, the
// settings. For output_folder and output_file.
#pragma once

#include <fetch/files/file_settings.hpp>
#include <fetch/files/folder_names.hpp>
#include <fetch/files/output_file.hpp>

#include <leat/system/file.hpp>
#include <leat/system/root_folder.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

// Names are relative to the folder. Errors are std::system_error, but for what claim() itself refuses.
class output_place {
public:
    output_place(leat::root_folder folder, file_settings settings, std::string this_boot, known_names known);
    output_place(const output_place&) = delete;
    output_place& operator=(const output_place&) = delete;

    [[nodiscard]] leat::task<output_file> claim(std::string wanted, std::string url);
    // The next free name for a file that has lost its own.
    [[nodiscard]] leat::task<> claim_next(output_file& file);

    // Through no link. Nothing, where there is none.
    [[nodiscard]] leat::task<leat::file> open(std::string name, leat::file_options options) const;
    [[nodiscard]] leat::task<std::optional<leat::file>> open_if_there(std::string name,
                                                                      leat::file_options options) const;
    [[nodiscard]] leat::task<std::optional<leat::file_info>> info_if_there(std::string name) const;
    [[nodiscard]] leat::task<> remove_if_there(std::string name) const;
    // False when `to` is there.
    [[nodiscard]] leat::task<bool> rename_to_new(std::string from, std::string to) const;
    // Of `opened`; nothing when it is not what has the name.
    [[nodiscard]] leat::task<std::optional<leat::file_info>> info_at(leat::file& opened,
                                                                     std::string name) const;
    // The folders that `name` is in.
    [[nodiscard]] leat::task<> make_folders(std::string name) const;
    [[nodiscard]] leat::task<> sync_folders(std::string name) const;

    [[nodiscard]] std::string path_of(const std::string& name) const { return root.path() + "/" + name; }

    const leat::root_folder root;
    const file_settings how;
    const std::string boot;
    folder_names names;
    known_names known;

private:
    enum class finding : std::uint8_t { usable, taken, busy, changed };

    leat::task<finding> look_at(output_file& file);
    leat::task<finding> look_at_name(output_file& file);
    leat::task<bool> find_whole(output_file& file, const leat::file_info& there);
    leat::task<bool> find_half(output_file& file, const leat::file_info& there);
    leat::task<> check_half(const output_file& file);
    leat::task<finding> look_at_note(output_file& file);
    leat::task<finding> adopt(output_file& file, leat::file note);
    void refuse(const output_file& file, finding found) const;
};

}  // namespace fetch
