// SPDX-License-Identifier: MIT
#include <leat/outcome.hpp>

#include <string>

namespace leat {

task_cancelled::task_cancelled(cancel_reason why)
    : system_error(std::make_error_code(std::errc::operation_canceled),
                   "the awaited task was cancelled because " + std::string(why.text())),
      why_(why) {}

namespace detail {

void throw_ending(ending how, std::exception_ptr error, cancel_reason why) {
    check(how != ending::none, "the task has no result: it has not ended, or it ended without co_return");
    if (how == ending::error) {
        std::rethrow_exception(std::move(error));
    }
    throw task_cancelled(why);
}

}  // namespace detail

}  // namespace leat
