// SPDX-License-Identifier: MIT
// list<T>: a doubly linked FIFO whose links live in its elements, so adding and removing never
// allocate and removing from the middle is O(1). Elements derive from list_link.
// Invariant: an element is in at most one list, and leaves it before it is destroyed.
#pragma once

#include <leat/check.hpp>

namespace leat {

struct list_link {
    list_link() noexcept = default;
    list_link(const list_link&) = delete;
    list_link& operator=(const list_link&) = delete;

    [[nodiscard]] bool linked() const noexcept { return next != nullptr; }
    void unlink() noexcept {
        next->previous = previous;
        previous->next = next;
        next = previous = nullptr;
    }

    list_link* next = nullptr;
    list_link* previous = nullptr;
};

template <typename T>
class list {
public:
    list() noexcept { head_.next = head_.previous = &head_; }
    list(const list&) = delete;
    list& operator=(const list&) = delete;

    [[nodiscard]] bool empty() const noexcept { return head_.next == &head_; }
    [[nodiscard]] T& front() noexcept { return static_cast<T&>(*head_.next); }

    void push_back(T& element) noexcept {
        list_link& link = element;
        link.next = &head_;
        link.previous = head_.previous;
        head_.previous->next = &link;
        head_.previous = &link;
    }

    void push_front(T& element) noexcept {
        list_link& link = element;
        link.previous = &head_;
        link.next = head_.next;
        head_.next->previous = &link;
        head_.next = &link;
    }

    T& pop_front() noexcept {
        list_link& first = *head_.next;
        head_.next = first.next;
        first.next->previous = &head_;
        first.next = first.previous = nullptr;
        return static_cast<T&>(first);
    }

    // Moves all of `other` to the end of this list, in order.
    void append(list& other) noexcept {
        if (other.empty()) {
            return;
        }
        head_.previous->next = other.head_.next;
        other.head_.next->previous = head_.previous;
        other.head_.previous->next = &head_;
        head_.previous = other.head_.previous;
        other.head_.next = other.head_.previous = &other.head_;
    }

    // The element after `element`, or null at the end; for walking without removing.
    [[nodiscard]] T* next(T& element) noexcept { return at(static_cast<list_link&>(element).next); }
    [[nodiscard]] T* first() noexcept { return at(head_.next); }

private:
    T* at(list_link* link) noexcept { return link == &head_ ? nullptr : static_cast<T*>(link); }

    list_link head_;
};

}  // namespace leat
