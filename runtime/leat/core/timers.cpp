// SPDX-License-Identifier: MIT
#include <leat/core/timers.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <new>

namespace leat {

namespace {

constexpr std::size_t arity = 4;

}  // namespace

void timers::arm(timer& node, time_point deadline) {
    node.deadline = deadline;
    if (deadline == never) {
        disarm(node);
        return;
    }
    if (!node.armed()) {
        check(heap_.size() < timer::idle, "fewer than 2^32 timers are armed");
        make_room();
        const entry added{deadline, armed_++, &node};
        heap_.push_back(added);
        sift_up(heap_.size() - 1, added);
    } else if (deadline < heap_[node.index].deadline) {
        sift_up(node.index, {deadline, heap_[node.index].order, &node});
    }
}

void timers::keep_room() {
    make_room();
    ++kept_;
}

void timers::make_room() {
    const std::size_t needed = heap_.size() + kept_ + 1;
    if (needed > heap_.capacity()) [[unlikely]] {
        heap_.reserve(std::max(needed, 2 * heap_.capacity()));
    }
}

void timers::disarm(timer& node) noexcept {
    if (node.armed()) {
        remove(node.index);
    }
}

timer* timers::expire(time_point now) noexcept {
    while (!heap_.empty() && heap_.front().deadline <= now) {
        timer& node = *heap_.front().node;
        if (node.deadline <= heap_.front().deadline) {
            remove(0);
            return &node;
        }
        sift_down(0, {node.deadline, heap_.front().order, &node});  // it was postponed while armed
    }
    return nullptr;
}

void timers::place(std::size_t index, const entry& moved) noexcept {
    heap_[index] = moved;
    moved.node->index = static_cast<std::uint32_t>(index);
}

void timers::sift_up(std::size_t index, const entry& moved) noexcept {
    while (index > 0) {
        const std::size_t parent = (index - 1) / arity;
        if (!moved.before(heap_[parent])) {
            break;
        }
        place(index, heap_[parent]);
        index = parent;
    }
    place(index, moved);
}

void timers::sift_down(std::size_t index, const entry& moved) noexcept {
    for (;;) {
        const std::size_t first = index * arity + 1;
        if (first >= heap_.size()) {
            break;
        }
        std::size_t least = first;
        const std::size_t last = std::min(first + arity, heap_.size());
        for (std::size_t child = first + 1; child < last; ++child) {
            if (heap_[child].before(heap_[least])) {
                least = child;
            }
        }
        if (!heap_[least].before(moved)) {
            break;
        }
        place(index, heap_[least]);
        index = least;
    }
    place(index, moved);
}

// To half of its room, of which then less than half is used: the next timers need no memory either.
void timers::shrink() noexcept {
    try {
        std::vector<entry> smaller;
        smaller.reserve(std::max(heap_.capacity() / 2, room_kept));
        smaller.assign(heap_.begin(), heap_.end());
        heap_.swap(smaller);
    } catch (const std::bad_alloc&) {  // it stays as it is
    }
}

void timers::remove(std::size_t index) noexcept {
    heap_[index].node->index = timer::idle;
    const entry last = heap_.back();
    heap_.pop_back();
    if (heap_.size() + kept_ < heap_.capacity() / 4 && heap_.capacity() > room_kept) [[unlikely]] {
        shrink();
    }
    if (index == heap_.size()) {
        return;
    }
    if (index > 0 && last.before(heap_[(index - 1) / arity])) {
        sift_up(index, last);
    } else {
        sift_down(index, last);
    }
}

}  // namespace leat
