// SPDX-License-Identifier: MIT
#include <leat/core/task_state.hpp>

#include <leat/core/error_text.hpp>
#include <leat/core/scheduler.hpp>

#include <exception>
#include <new>
#include <string>

namespace leat {

void task_state::set_name(std::string_view text) {
    name_.reset(new const std::string(text));
}

void task_state::dropped_name::operator()(const std::string* name) const noexcept {
    delete name;
}

void task_state::report_error(const std::exception_ptr& error) const noexcept {
    const report_function report = done ? report_ : home_->reports();
    try {
        std::string line = "task " + std::to_string(id);
        if (name_ != nullptr) {
            line += " \"" + *name_ + "\"";
        }
        line += std::string(", spawned at ") + spawned_at.file_name() + ":" +
                std::to_string(spawned_at.line()) + ", failed: " + detail::error_text(error);
        report(line);
    } catch (const std::bad_alloc&) {
        report("a task failed, and there is no memory to say which");
    }
}

}  // namespace leat
