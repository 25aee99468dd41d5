// SPDX-License-Identifier: MIT
// small_list<T>: as list<T> (list.hpp), but of one word, for lists that every task has and that mostly are
// empty. The price is that only the list itself can take an element out. Elements derive from
// small_list_link. Invariant: an element is in at most one list, and leaves it before it is destroyed.
#pragma once

namespace leat::detail {

struct small_list_link {
    small_list_link() noexcept = default;
    small_list_link(const small_list_link&) = delete;
    small_list_link& operator=(const small_list_link&) = delete;

    [[nodiscard]] bool listed() const noexcept { return before != nullptr; }

    small_list_link* after = nullptr;   // for the last: the first
    small_list_link* before = nullptr;  // for the first: the last
};

template <typename T>
class small_list {
public:
    small_list() noexcept = default;
    small_list(const small_list&) = delete;
    small_list& operator=(const small_list&) = delete;

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    void push_back(T& element) noexcept {
        small_list_link& link = element;
        if (first_ == nullptr) {
            first_ = link.after = link.before = &link;
            return;
        }
        link.after = first_;
        link.before = first_->before;
        first_->before->after = &link;
        first_->before = &link;
    }

    void remove(T& element) noexcept {
        small_list_link& link = element;
        link.after->before = link.before;
        link.before->after = link.after;
        if (first_ == &link) {
            first_ = link.after == &link ? nullptr : link.after;
        }
        link.after = link.before = nullptr;
    }

    T& pop_front() noexcept {
        T& taken = *first();
        remove(taken);
        return taken;
    }

    // The first, or null; the element after `element`, or null at the end; for walking without removing.
    [[nodiscard]] T* first() noexcept { return static_cast<T*>(first_); }
    [[nodiscard]] T* next(T& element) noexcept {
        small_list_link* const after = static_cast<small_list_link&>(element).after;
        return after == first_ ? nullptr : static_cast<T*>(after);
    }

private:
    small_list_link* first_ = nullptr;
};

}  // namespace leat::detail
