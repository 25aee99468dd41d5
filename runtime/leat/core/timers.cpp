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
    if (deadline == never || node.armed()) [[unlikely]] {
        move_armed(node);
        return;
    }
    make_room();
    sift_up(size_++, {deadline, armed_++, &node});
}

void timers::move_armed(timer& node) noexcept {
    if (node.deadline == never) {
        disarm(node);
    } else if (node.deadline < heap_[node.index].deadline) {
        sift_up(node.index, {node.deadline, heap_[node.index].order, &node});
    }
}

void timers::keep_room() {
    make_room();
    ++kept_;
}

void timers::grow() {
    check(size_ + kept_ < timer::idle, "fewer than 2^32 timers are armed");
    move_to(std::min(std::max(size_ + kept_ + 1, 2 * room_), std::size_t{timer::idle}));
}

// Throws std::bad_alloc.
void timers::move_to(std::size_t room) {
    auto moved = std::make_unique_for_overwrite<entry[]>(room);
    std::copy_n(heap_.get(), size_, moved.get());
    heap_ = std::move(moved);
    room_ = room;
}

void timers::disarm(timer& node) noexcept {
    if (node.armed()) {
        remove(node.index);
    }
}

timer* timers::expire(time_point now) noexcept {
    while (size_ > 0 && heap_[0].deadline <= now) {
        timer& node = *heap_[0].node;
        if (node.deadline <= heap_[0].deadline) {
            remove(0);
            return &node;
        }
        sift_down(0, {node.deadline, heap_[0].order, &node});  // it was postponed while armed
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
        if (first >= size_) {
            break;
        }
        std::size_t least = first;
        const std::size_t last = std::min(first + arity, size_);
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
        move_to(std::max(room_ / 2, room_kept));
    } catch (const std::bad_alloc&) {  // it stays as it is
    }
}

void timers::remove(std::size_t index) noexcept {
    heap_[index].node->index = timer::idle;
    const entry last = heap_[--size_];
    if (size_ + kept_ < room_ / 4 && room_ > room_kept) [[unlikely]] {
        shrink();
    }
    if (index == size_) {
        return;
    }
    if (index > 0 && last.before(heap_[(index - 1) / arity])) {
        sift_up(index, last);
    } else {
        sift_down(index, last);
    }
}

}  // namespace leat
