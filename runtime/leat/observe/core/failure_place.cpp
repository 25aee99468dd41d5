// SPDX-License-Identifier: MIT
#include <leat/observe/core/failure_place.hpp>

#include <leat/core/frame.hpp>
#include <leat/core/task_state.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <source_location>
#include <string_view>

namespace leat::detail {

namespace {

// How far from the innermost frame a place is looked for. A chain that is broken may have no end.
constexpr int frames_max = 10'000;

class line {
public:
    explicit line(std::span<char> text) noexcept : text_(text) {}

    void add(std::string_view words) noexcept {
        size_ += words.copy(text_.data() + size_, text_.size() - size_);
    }
    void add(std::uint32_t number) noexcept {
        char digits[10];
        const auto end = std::to_chars(digits, digits + sizeof digits, number);
        add(std::string_view(digits, end.ptr));
    }
    void add(const std::source_location& where) noexcept {
        add(where.file_name());
        add(":");
        add(where.line());
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::span<char> text_;
    std::size_t size_ = 0;
};

// Whether `file` is of the library, as the compiler was given it: its sources in their tree, or its headers
// where they are installed.
bool of_library(std::string_view file) noexcept {
    constexpr std::array<std::string_view, 4> roots{"runtime/leat/", "net/leat/", "testing/leat/",
                                                    "include/leat/"};
    return std::any_of(roots.begin(), roots.end(), [file](std::string_view root) {
        const std::size_t at = file.find(root);
        return at != std::string_view::npos && (at == 0 || file[at - 1] == '/');
    });
}

// The innermost frame in a coroutine of the user that has come to a co_await; null when there is none.
const frame* innermost_of_user() noexcept {
    const frame* at = this_thread.current;
    for (int count = 0; at != nullptr && count < frames_max; ++count, at = at->parent) {
        if (at->where.line() != 0 && !of_library(at->where.file_name())) {
            return at;
        }
    }
    return nullptr;
}

}  // namespace

std::size_t write_place(std::span<char> text) noexcept {
    const task_state* const task = this_thread.task;
    if (task == nullptr) {
        return 0;
    }
    line written(text);
    written.add("; in task ");
    written.add(task->id);
    if (!task->name().empty()) {
        written.add(" \"");
        written.add(task->name());
        written.add("\"");
    }
    written.add(" spawned at ");
    written.add(task->spawned_at);
    if (const frame* const at = innermost_of_user()) {
        // Those that await another frame are where they are.
        const bool runs = at == this_thread.current && !this_thread.unwinding;
        written.add(runs ? ", at or after " : ", at ");
        written.add(at->where);
    }
    return written.size();
}

}  // namespace leat::detail
