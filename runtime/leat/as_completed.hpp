// SPDX-License-Identifier: MIT
// as_completed: the tasks of a range, in the order in which they end.
//
//     auto done = leat::as_completed(downloads);  // a std::vector<leat::handle<page>>
//     while (const auto* download = co_await done.next()) {
//         show(download->value());
//     }
//
// Invariant: each handle is given once.
#pragma once

#include <leat/core/wait_queue.hpp>
#include <leat/spawn.hpp>

#include <cstddef>
#include <memory>
#include <span>  // with the concepts of ranges; <ranges> itself takes half a second of each compilation

namespace leat {

template <typename T>
class completions {
    struct waiting_for_next : wait {
        using wait::wait;
        const handle<T>* given = nullptr;
    };
    // Told of the end of one task; then it waits in ended_ to be asked for.
    struct entry : detail::joiner {
        entry() noexcept
            : joiner([](joiner& self) noexcept {
                  auto& ended = static_cast<entry&>(self);
                  ended.owner->add(ended);
              }) {}
        completions* owner = nullptr;
        task_state* awaited = nullptr;  // lives at least until it is told of
        const handle<T>* which = nullptr;
    };

public:
    template <std::ranges::forward_range Handles>
    explicit completions(const Handles& handles)
        : size_(static_cast<std::size_t>(std::ranges::distance(handles))),
          entries_(new entry[size_]),
          left_(size_) {
        entry* next = entries_.get();
        for (const handle<T>& each : handles) {
            next->owner = this;
            next->which = &each;
            next->awaited = &each.state();
            next->awaited->join(*next);
            ++next;
        }
    }
    completions(const completions&) = delete;
    completions& operator=(const completions&) = delete;
    ~completions() {
        while (!ended_.empty()) {
            (void)ended_.pop_front();
        }
        for (entry& each : std::span(entries_.get(), size_)) {
            if (each.listed()) {
                each.awaited->joiners.remove(each);
            }
        }
    }

    // co_await completions.next(): the next task that has ended, however it did, as a pointer to its handle
    // in the range; null when all have been given. Cancelled: none was taken.
    class [[nodiscard]] next_awaiter : public detail::leaf_awaiter<next_awaiter, waiting_for_next> {
        using base = detail::leaf_awaiter<next_awaiter, waiting_for_next>;

    public:
        explicit next_awaiter(completions& from) noexcept : base(next_kind), from_(&from) {}
        bool take_now() noexcept {
            this->given = from_->try_next();
            return this->given != nullptr || from_->left_ == 0;
        }
        void enqueue() noexcept { from_->waiting_.push_back(*this); }
        const handle<T>* await_resume() const noexcept { return this->given; }

    private:
        static inline constinit const wait_kind next_kind{"the end of a task", detail::wait_queue::leave};
        completions* from_;
    };
    next_awaiter next() noexcept { return next_awaiter(*this); }

    // The next that has ended already; null if there is none.
    const handle<T>* try_next() noexcept {
        if (ended_.empty()) {
            return nullptr;
        }
        --left_;
        return ended_.pop_front().which;
    }
    // How many have not been given yet.
    [[nodiscard]] std::size_t left() const noexcept { return left_; }

private:
    void add(entry& ended) noexcept {
        if (waiting_.empty()) {
            ended_.push_back(ended);
            return;
        }
        --left_;
        static_cast<waiting_for_next&>(waiting_.front()).given = ended.which;
        waiting_.wake_one();
        if (left_ == 0) {
            waiting_.wake_all();
        }
    }

    std::size_t size_;
    std::unique_ptr<entry[]> entries_;
    std::size_t left_;
    detail::small_list<entry> ended_;
    detail::wait_queue waiting_;
};

// The handles of a range stay where they are while this is used. Cancels nothing and collects no error: ask
// the handles. Throws std::bad_alloc.
template <std::ranges::forward_range Handles>
    requires detail::is_handle<std::ranges::range_value_t<Handles>>
[[nodiscard]] auto as_completed(const Handles& handles) {
    return completions<typename std::ranges::range_value_t<Handles>::value_type>(handles);
}
template <std::ranges::forward_range Handles>
    requires detail::is_handle<std::ranges::range_value_t<Handles>>
void as_completed(const Handles&& handles) = delete;  // it would be gone before the first is asked for

}  // namespace leat
