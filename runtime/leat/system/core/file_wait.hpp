// SPDX-License-Identifier: MIT
// file_wait: a call on a file, as a task awaits it: by the backend where that does it, else on a thread of
// offload's pool. Nothing is allocated for it.
// Invariant: what the call refers to lives in the awaiting frame, which stays until the call has ended.
#pragma once

#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/file_operation.hpp>
#include <leat/core/leaf_awaiter.hpp>
#include <leat/threads/offload.hpp>

#include <cstdint>
#include <utility>

namespace leat::detail {

// co_await gives the result: at least 0, or a negated errno. Cancelled: it has not happened, as far as the
// kernel tells; what has begun goes on to its end and gives its result. A close is not cancelled at all.
class [[nodiscard]] file_wait : public leaf_awaiter<file_wait, file_operation> {
public:
    // `set` writes the arguments into the operation.
    template <typename Set>
    file_wait(file_call asked, int fd, Set set) noexcept : leaf_awaiter(kind_of(asked), asked, fd) {
        set(static_cast<file_operation&>(*this));
    }
    file_wait(file_call asked, int fd) noexcept : leaf_awaiter(kind_of(asked), asked, fd) {}
    file_wait(file_wait&& fresh) noexcept : leaf_awaiter(std::move(fresh)) {}

    bool take_now();
    [[nodiscard]] std::int64_t await_resume() const noexcept { return operation::result; }

private:
    // The call while a thread has it.
    class thread_part final : public offloaded_work, public cross_thread_message {
    public:
        explicit thread_part(file_wait& of) noexcept : whole_(of) {}

    private:
        void perform() noexcept override;
        void arrived() noexcept override;

        file_wait& whole_;
    };

    static bool cancel(leat::wait& self) noexcept;
    static const wait_kind& kind_of(file_call call) noexcept;
    void begin_on_thread();

    thread_part thread_{*this};
    bool on_thread_ = false;
};

}  // namespace leat::detail
