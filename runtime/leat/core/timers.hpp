// SPDX-License-Identifier: MIT
// timers: the armed deadlines of one scheduler, in a 4-ary heap. The caller passes the time, so it works the
// same with virtual time. Used by the scheduler, sleeps and cancel scopes.
// Invariant: timer.index is the timer's place in the heap while armed. A timer leaves it before it is
// destroyed.
#pragma once

#include <leat/check.hpp>
#include <leat/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace leat {

struct timer {
    using expired_function = void (*)(timer&) noexcept;
    static constexpr std::uint32_t idle = UINT32_MAX;

    explicit timer(expired_function function) noexcept : expired(function) {}
    timer(timer&& other) noexcept : deadline(other.deadline), expired(other.expired) {
        check(!other.armed(), "a timer that is armed stays where it is");
    }
    timer& operator=(timer&&) = delete;

    [[nodiscard]] bool armed() const noexcept { return index != idle; }

    time_point deadline = never;
    expired_function expired;  // called once by the scheduler, with the timer already disarmed
    std::uint32_t index = idle;
};

class timers {
public:
    // Arms `node` for `deadline`, or moves it there if armed; `never` disarms it. A later deadline than
    // the armed one is only noted, and the heap is put right when the earlier one passes. A moved timer
    // keeps its place among those with the same deadline. Throws std::bad_alloc, of a timer that is not
    // armed.
    void arm(timer& node, time_point deadline);
    void disarm(timer& node) noexcept;

    // Keeps room for one timer more, whatever is armed meanwhile, for each call. One that is armed directly
    // after give_up_room() needs no memory.
    void keep_room();
    void give_up_room() noexcept { --kept_; }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // How many can be armed before more memory is needed. It shrinks with the number of those that are armed.
    [[nodiscard]] std::size_t room() const noexcept { return room_; }
    static constexpr std::size_t room_kept = 256;

    // No armed deadline is earlier than this; `never` when none is armed.
    [[nodiscard]] time_point next() const noexcept { return size_ == 0 ? never : heap_[0].deadline; }

    // Disarms and returns a timer whose deadline is at or before `now`, earliest first and equal ones in
    // the order they were first armed; null when there is none left.
    [[nodiscard]] timer* expire(time_point now) noexcept;

private:
    struct entry {
        time_point deadline;
        std::uint64_t order;
        timer* node;

        [[nodiscard]] bool before(const entry& other) const noexcept {
            return deadline != other.deadline ? deadline < other.deadline : order < other.order;
        }
    };

    void place(std::size_t index, const entry& moved) noexcept;
    void sift_up(std::size_t index, const entry& moved) noexcept;
    void sift_down(std::size_t index, const entry& moved) noexcept;
    void remove(std::size_t index) noexcept;
    [[gnu::noinline]] void move_armed(timer& node) noexcept;
    void make_room() {
        if (size_ + kept_ >= room_) [[unlikely]] {
            grow();
        }
    }
    [[gnu::noinline]] void grow();
    [[gnu::noinline]] void shrink() noexcept;
    void move_to(std::size_t room);

    // No vector, which finds out how many it has by a division.
    std::unique_ptr<entry[]> heap_;
    std::size_t size_ = 0;
    std::size_t room_ = 0;  // of heap_: at least size_ and kept_ together
    std::size_t kept_ = 0;
    std::uint64_t armed_ = 0;
};

// While it is engaged there is room for a timer, for what has to be armed where nothing may fail.
class timer_room {
public:
    // Throws std::bad_alloc.
    explicit timer_room(timers& of) : of_(&of) { of.keep_room(); }
    timer_room(const timer_room&) = delete;
    timer_room& operator=(const timer_room&) = delete;
    ~timer_room() { give_up(); }

    void give_up() noexcept {
        if (timers* const of = std::exchange(of_, nullptr)) {
            of->give_up_room();
        }
    }

private:
    timers* of_;
};

}  // namespace leat
