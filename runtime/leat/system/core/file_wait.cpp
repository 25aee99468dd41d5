// SPDX-License-Identifier: MIT
#include <leat/system/core/file_wait.hpp>

#include <leat/io.hpp>

namespace leat::detail {

const wait_kind& file_wait::kind_of(file_call call) noexcept {
    static constinit const wait_kind kinds[] = {
        {"open of a file", cancel, explain_operation},
        {"open below a folder", cancel, explain_operation},
        {"read from a file", cancel, explain_operation},
        {"write to a file", cancel, explain_operation},
        {"sync of a file", cancel, explain_operation},
        {"sync_data of a file", cancel, explain_operation},
        {"truncate of a file", cancel, explain_operation},
        {"allocate for a file", cancel, explain_operation},
        {"lock of a file", cancel, explain_operation},
        {"set_time of a file", cancel, explain_operation},
        {"set_extra of a file", cancel, explain_operation},
        {"close of a file", cancel, explain_operation},
        {"info of a file", cancel, explain_operation},
        {"info of a name", cancel, nullptr},
        {"rename of a file", cancel, nullptr},
        {"link of a file", cancel, nullptr},
        {"removal of a name", cancel, nullptr},
        {"make_folder", cancel, nullptr},
        {"store of a file", cancel, nullptr},
        {"list_folder", cancel, nullptr},
    };
    return kinds[static_cast<std::size_t>(call)];
}

bool file_wait::take_now() {
    switch (this_thread.loop->io().start_file(*this)) {
        case file_start::over:
            return true;
        case file_start::pending:
            return false;
        case file_start::may_block:
            begin_on_thread();
            return false;
    }
    return false;
}

void file_wait::begin_on_thread() {
    on_thread_ = true;
    thread_.expect();
    try {
        begin_offload(thread_);
    } catch (...) {
        thread_.withdraw();
        throw;
    }
}

// A close that did not happen would leave the descriptor open, and one that was interrupted has closed it.
bool file_wait::cancel(leat::wait& self) noexcept {
    auto& asked = static_cast<file_wait&>(self);
    if (asked.call == file_call::close) {
        return false;
    }
    if (!asked.on_thread_) {
        return cancel_operation(self);
    }
    if (!withdraw_offload(asked.thread_)) {
        return false;
    }
    asked.thread_.withdraw();
    return true;
}

void file_wait::thread_part::perform() noexcept {
    perform_file_call(whole_);
    check(send_or_arrive(), "a run does not end before what its tasks wait for");
}

void file_wait::thread_part::arrived() noexcept {
    loop_->finish(whole_);
}

}  // namespace leat::detail
