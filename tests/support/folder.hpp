// SPDX-License-Identifier: MIT
// folder: a new folder for the files of one test, removed with all that is in it.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace leat::testing {

class folder {
public:
    folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "leat-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() { std::filesystem::remove_all(path_); }

    // Writes a file; gives its path.
    [[nodiscard]] std::string file(std::string_view name, std::string_view text) const {
        const std::filesystem::path path = path_ / name;
        std::ofstream(path) << text;
        return path.string();
    }
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

}  // namespace leat::testing
