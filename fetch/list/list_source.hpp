// SPDX-License-Identifier: MIT
// list_source: the bytes of a list, wherever it is, as they come. Regular files are read as leat::file does;
// what may keep a reader waiting, as a pipe or a terminal, as pipe_reader does. Nothing blocks the loop.
#pragma once

#include <leat/chunk.hpp>
#include <leat/system/file.hpp>
#include <leat/system/pipe.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fetch {

class list_source {
public:
    // "-" is standard input, from where it stands. Throws std::system_error that names the list.
    [[nodiscard]] static leat::task<list_source> open(std::string name);

    // The next bytes, until the next call; none at the end. Throws std::system_error that names the list.
    // Cancelled: the next call gives them.
    [[nodiscard]] leat::task<std::string_view> read();
    // It is a pipe or its like, which may have no end.
    [[nodiscard]] bool may_wait() const noexcept { return pipe_.is_open(); }
    // "standard input" of that.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    explicit list_source(std::string name) : name_(std::move(name)) {}

    std::string name_;
    leat::file file_;
    std::uint64_t offset_ = 0;
    std::string buffer_;
    leat::pipe_reader pipe_;  // in place of file_, if it is open
    leat::chunk chunk_;
};

}  // namespace fetch
