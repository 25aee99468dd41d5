// SPDX-License-Identifier: MIT
// buffered_awaiter: what an operation of a buffered_reader gives to co_await. It looks at the bytes that the
// reader holds first: if they suffice there is no frame, and if they do not a task goes on.
#pragma once

#include <leat/core/leaf_awaiter.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace leat::detail {

inline constinit const wait_kind held_kind{"recv", [](wait&) noexcept { return false; }};

// `Asked` has
//   bool take_now(reader&)       gives it from the bytes that are there. False: they do not suffice
//   task<U> take_later(reader&)
//   T result(reader&)            after take_now()
//   T result(reader&, U)         after the task
template <typename Reader, typename Asked>
class [[nodiscard]] buffered_awaiter : public leaf_awaiter<buffered_awaiter<Reader, Asked>> {
    using base = leaf_awaiter<buffered_awaiter>;
    using later = decltype(std::declval<Asked&>().take_later(std::declval<Reader&>()));

public:
    buffered_awaiter(Reader& reader, Asked asked) noexcept
        : base(held_kind), reader_(reader), asked_(std::move(asked)) {}

    bool take_now() {
        check(!later_.has_value(), "the wait was awaited before");
        // Not at the end of the task's budget: it would wait for its turn with what it has taken, and nothing
        // would tell another task that reads meanwhile.
        if (this_thread.budget > 0 && reader_.has_turn() && asked_.take_now(reader_)) {
            return true;
        }
        later_.emplace(asked_.take_later(reader_));
        return later_->ready();
    }
    void suspend(frame& waiter) noexcept {
        if (later_.has_value()) {
            later_->suspend(waiter);
        } else {
            base::suspend(waiter);
        }
    }
    decltype(auto) await_resume() {
        if (!later_.has_value()) {
            return asked_.result(reader_);
        }
        if constexpr (std::is_void_v<typename later::value_type>) {
            return later_->resume();
        } else {
            return asked_.result(reader_, later_->resume());
        }
    }

private:
    Reader& reader_;
    Asked asked_;
    std::optional<awaited<later>> later_;
};

}  // namespace leat::detail
