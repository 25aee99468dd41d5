// SPDX-License-Identifier: MIT
// file_state: an open file, shared by its owner and the operations under way on it.
// Invariant: the descriptor stays open while an operation is under way, and the last owner closes it.
#pragma once

#include <leat/core/file_operation.hpp>
#include <leat/core/frame_pool.hpp>
#include <leat/core/reference.hpp>
#include <leat/sync/event.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace leat::detail {

struct file_state : frame_pool::allocated {
    explicit file_state(std::string name) noexcept : path(std::move(name)) {}
    ~file_state();
    file_state(const file_state&) = delete;
    file_state& operator=(const file_state&) = delete;

    int descriptor = -1;
    std::uint32_t references = 1;
    std::uint32_t under_way = 0;  // operations
    bool closed = false;          // for new operations
    bool appends = false;
    scheduler* home = nullptr;  // of the operations under way
    event idle;                 // set when the last one ends after `closed`
    std::string path;
};

using file_reference = reference<file_state>;

// An operation under way.
class file_use {
public:
    // Throws stream_errc::closed, with `what` and the name.
    file_use(file_state& of, const char* what);
    file_use(const file_use&) = delete;
    file_use& operator=(const file_use&) = delete;
    ~file_use() {
        if (--of_.under_way == 0 && of_.closed) {
            of_.idle.set();
        }
    }

private:
    file_state& of_;
};

// Throws what `answer` says, a negated errno, as "open /etc/x: Permission denied".
[[noreturn]] void fail_file(std::int64_t answer, const char* what, const std::string& path);
inline std::int64_t checked_file(std::int64_t answer, const char* what, const std::string& path) {
    if (answer < 0) [[unlikely]] {
        fail_file(answer, what, path);
    }
    return answer;
}

// A path is given to the kernel up to its first zero: one with a zero in it would name another file.
void check_path(const char* what, const std::string& path);

}  // namespace leat::detail
