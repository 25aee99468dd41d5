// SPDX-License-Identifier: MIT
// written_list: a file of lines that is written during a run, and has its name only at the end: until then it
// is called NAME.part. For what the program writes beside the files that it fetches.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace fetch {

class written_list {
public:
    // An empty path: there is none, and nothing is written. Throws std::system_error when it cannot be made.
    explicit written_list(std::string path);

    [[nodiscard]] bool is_wanted() const noexcept { return file_ != nullptr; }
    // Errors are told by finish().
    void add(const std::string& lines);
    // It has its name. Throws std::system_error when it could not be written.
    void finish();

private:
    [[noreturn]] void fail() const;

    std::string path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, std::fclose};
};

}  // namespace fetch
