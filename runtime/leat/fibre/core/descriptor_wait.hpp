// SPDX-License-Identifier: MIT
// descriptor_wait: a fibre waits until one of several descriptors is ready, or a deadline has passed. All of
// it stands on the fibre's stack.
//
// Theory of operation. Each descriptor and direction is a part, an operation of the backend. A backend has
// one reader and one writer for each descriptor; so of the parts of all fibres for one direction of a
// descriptor the first is submitted, and the others follow it: they end when it does. When it leaves, because
// its own wait is over otherwise, the first of those that follow is submitted in its place. The first part
// that ends, the deadline, a cancellation or a close decides how the wait ends. Then the other parts are
// asked to end, and the task goes on when the backend has given back all of them. Invariant: what follows
// another part, or is with the backend, is counted in `pending_`.
#pragma once

#include <leat/core/operation.hpp>
#include <leat/core/timers.hpp>
#include <leat/fibre/core/fibre_wait.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <poll.h>

namespace leat::detail {

class descriptor_wait;

class descriptor_part : public operation {
public:
    descriptor_part(descriptor_wait& whole, operation_kind direction, int fd) noexcept;

    void begin() noexcept;
    // Its wait is over. It has ended, or is pending until the backend has given it back.
    void withdraw() noexcept;
    // Ends those that follow it, and itself.
    void close() noexcept;
    // Of what waits on a descriptor; null if it is not a part of a fibre's wait.
    [[nodiscard]] static descriptor_part* of(const operation* waiting) noexcept;

private:
    enum class place : std::uint8_t { nowhere, with_backend, follows };

    static void completed(wait& self) noexcept;
    void submit() noexcept;
    void has_ended() noexcept;
    [[nodiscard]] bool is_waiting() const noexcept;
    void leave_to_follower() noexcept;

    static const wait_kind reading, writing;

    descriptor_wait& whole_;
    place place_ = place::nowhere;
    list<operation> followers_;
};

using part_storage = std::span<std::optional<descriptor_part>>;

class descriptor_wait : wait, timer {
public:
    [[nodiscard]] static std::size_t parts_of(std::span<const pollfd> asked) noexcept;
    // With room for as many `parts`.
    descriptor_wait(part_storage parts, time_point until) noexcept;
    // Waits, once. It may be `ready` when no descriptor is: for the others to look, and wait again.
    [[nodiscard]] fibre_wait_end end_of(std::span<const pollfd> asked) noexcept;

private:
    friend descriptor_part;

    static bool cancel(wait& self) noexcept;
    static void explain(const wait& self, wait_facts& facts) noexcept;
    static void pass(timer& self) noexcept;
    void add(int fd, operation_kind direction) noexcept;
    void decide(fibre_wait_end how) noexcept;
    void part_ended(fibre_wait_end how) noexcept;
    void finish_if_over() noexcept;

    static const wait_kind readable, writable, several;

    part_storage storage_;
    std::size_t parts_ = 0;
    std::size_t pending_ = 0;
    bool decided_ = false;
    bool suspended_ = false;
    fibre_wait_end how_ = fibre_wait_end::ready;
};

}  // namespace leat::detail
