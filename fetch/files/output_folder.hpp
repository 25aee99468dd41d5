// SPDX-License-Identifier: MIT
// output_folder: where the files of a run go, each under a name that no other transfer of the run has. All is
// below one folder: no name leads out of it.
//
//   auto folder = co_await fetch::output_folder::open("downloads", settings.files);
//   auto file = co_await folder.claim("x.iso", url);
//   if (!file.is_there()) { ... }                      // output_file.hpp
#pragma once

#include <fetch/files/file_settings.hpp>
#include <fetch/files/output_file.hpp>

#include <leat/bytes.hpp>
#include <leat/task.hpp>

#include <functional>
#include <memory>
#include <string>

namespace fetch {

class output_place;

// It outlives its files. Used by tasks of one run. Throws file_error.
class output_folder {
public:
    // Makes it, and those above it, when it is not there.
    [[nodiscard]] static leat::task<output_folder> open(std::string path, file_settings how);
    output_folder(output_folder&& other) noexcept;
    output_folder& operator=(output_folder&& other) noexcept;
    ~output_folder();

    // A file that is called `wanted`, a relative path without "." and "..", or so with a number behind it,
    // for the bytes of `url`. Who asks first has the better name. Nothing is made yet. Throws file_error for
    // existing_file::fail, and where a file that is not whole is in the way. Cancelled: nothing has happened.
    [[nodiscard]] leat::task<output_file> claim(std::string wanted, std::string url);

    // All bytes of the file of this name, in order, in pieces, through no link. Throws file_error.
    [[nodiscard]] leat::task<> read(std::string name, std::function<void(leat::byte_view)> take);

    [[nodiscard]] const std::string& path() const noexcept;

private:
    explicit output_folder(std::unique_ptr<output_place> place) noexcept;

    std::unique_ptr<output_place> place_;
};

}  // namespace fetch
