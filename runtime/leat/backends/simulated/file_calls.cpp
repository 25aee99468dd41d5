// SPDX-License-Identifier: MIT
// Calls on files of a simulation. Chance decides whether a call happens when it begins or when it ends; what
// has happened is told at its end, and a cancel comes too late then.
#include <leat/backends/simulated/simulated_backend.hpp>

namespace leat {

file_start simulated_backend::start_file(file_operation& op) {
    simulated_files& files = network_.files;
    const int host = files.host_of(op);
    const duration time = files.time_of(op, host);
    const std::uint32_t number = ++files.numbers;
    const auto begun = files.calls.emplace(number, simulated_files::call{&op, host}).first;
    try {
        wire_.events.after(time, [this, &files, number] {
            if (files.calls.contains(number)) {
                end_file(number);
            }
        });
    } catch (const std::bad_alloc&) {
        files.calls.erase(begun);
        throw;
    }
    wire_.note(simulated_event::submitted, number, static_cast<std::int64_t>(op.call));
    op.number = number;
    ++pending_;
    if (wire_.luck.happens(0.5)) {
        files.perform(begun->second);
        begun->second.done = true;
    }
    return file_start::pending;
}

void simulated_backend::end_file(std::uint32_t number) {
    simulated_files& files = network_.files;
    const simulated_files::call ended = files.calls.extract(number).mapped();
    if (!ended.done) {
        files.perform(ended);
    }
    wire_.note(simulated_event::completed, number, ended.op->result);
    completed_.push_back(*ended.op);
    ++completed_count_;
}

bool simulated_backend::cancel_file(file_operation& op) noexcept {
    simulated_files& files = network_.files;
    const auto found = files.calls.find(op.number);
    wire_.note(simulated_event::cancelled, op.number);
    if (found == files.calls.end() || found->second.done || wire_.strikes(&simulated_faults::late_cancel)) {
        return false;
    }
    files.calls.erase(found);
    --pending_;
    op.result = -ECANCELED;
    return true;
}

}  // namespace leat
