// SPDX-License-Identifier: MIT
#include <leat/observe/core/failure_place.hpp>

#include <leat/core/frame.hpp>
#include <leat/core/task_state.hpp>
#include <leat/observe/core/user_frame.hpp>

#include <charconv>
#include <cstdint>
#include <source_location>
#include <string_view>

namespace leat::detail {

namespace {

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
    if (const frame* const at = innermost_of_user(this_thread.current)) {
        // Those that await another frame are where they are.
        const bool runs = at == this_thread.current && !this_thread.unwinding;
        written.add(runs ? ", at or after " : ", at ");
        written.add(at->where);
    }
    return written.size();
}

}  // namespace leat::detail
