// SPDX-License-Identifier: MIT
#include <leat/fibre/core/descriptor_wait.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/fibre.hpp>
#include <leat/io.hpp>

#include <new>
#include <utility>

namespace leat::detail {

constinit const wait_kind descriptor_part::reading{.name = "readable",
                                                   .cancel = cancel_operation,
                                                   .explain = explain_operation,
                                                   .part_completed = completed};
constinit const wait_kind descriptor_part::writing{.name = "writable",
                                                   .cancel = cancel_operation,
                                                   .explain = explain_operation,
                                                   .part_completed = completed};
constinit const wait_kind descriptor_wait::readable{.name = "readable", .cancel = cancel, .explain = explain};
constinit const wait_kind descriptor_wait::writable{.name = "writable", .cancel = cancel, .explain = explain};
constinit const wait_kind descriptor_wait::several{.name = "poll", .cancel = cancel, .explain = explain};

descriptor_part::descriptor_part(descriptor_wait& whole, operation_kind direction, int fd) noexcept
    : operation(reads(direction) ? reading : writing, direction, fd), whole_(whole) {}

descriptor_part* descriptor_part::of(const operation* waiting) noexcept {
    return waiting != nullptr && (waiting->kind == &reading || waiting->kind == &writing)
               ? const_cast<descriptor_part*>(static_cast<const descriptor_part*>(waiting))
               : nullptr;
}

void descriptor_part::begin() noexcept {
    ++whole_.pending_;
    const waiting_operations there = current_scheduler().io().waiting_on(descriptor);
    if (descriptor_part* const first = of(reads(action) ? there.reader : there.writer)) {
        place_ = place::follows;
        first->followers_.push_back(*this);
    } else {
        submit();
    }
}

// Without memory it is as if it were ready: whoever has waited looks, and waits again.
void descriptor_part::submit() noexcept {
    place_ = place::with_backend;
    bool over = true;
    try {
        over = current_scheduler().io().submit(*this);
    } catch (const std::bad_alloc&) {
        result = 0;
    }
    if (over) {
        has_ended();
    }
}

void descriptor_part::completed(wait& self) noexcept {
    auto& part = static_cast<descriptor_part&>(self);
    const bool its_turn = std::exchange(part.its_turn, false);
    if (its_turn && !part.whole_.decided_) {
        part.submit();
    } else {
        part.has_ended();
    }
}

void descriptor_part::has_ended() noexcept {
    place_ = place::nowhere;
    const fibre_wait_end how = retired || result == -EBADF ? fibre_wait_end::closed : fibre_wait_end::ready;
    while (!followers_.empty()) {
        auto& next = static_cast<descriptor_part&>(followers_.pop_front());
        next.place_ = place::nowhere;
        next.whole_.part_ended(how);
    }
    whole_.part_ended(how);
}

void descriptor_part::withdraw() noexcept {
    switch (place_) {
        case place::nowhere:
            return;
        case place::follows:
            unlink();
            break;
        case place::with_backend:
            if (!is_waiting()) {
                return;  // it has completed, and hears of it in this turn
            }
            cancel_requested = true;
            if (!current_scheduler().io().cancel(*this)) {
                leave_to_follower();
                return;
            }
            leave_to_follower();
            break;
    }
    place_ = place::nowhere;
    --whole_.pending_;
}

bool descriptor_part::is_waiting() const noexcept {
    const waiting_operations there = current_scheduler().io().waiting_on(descriptor);
    return (reads(action) ? there.reader : there.writer) == this;
}

void descriptor_part::leave_to_follower() noexcept {
    if (!followers_.empty()) {
        auto& next = static_cast<descriptor_part&>(followers_.pop_front());
        next.followers_.append(followers_);
        next.submit();
    }
}

void descriptor_part::close() noexcept {
    while (!followers_.empty()) {
        static_cast<descriptor_part&>(followers_.front()).whole_.decide(fibre_wait_end::closed);
    }
    whole_.decide(fibre_wait_end::closed);
}

namespace {

constexpr int reading_events = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP;
constexpr int writing_events = POLLOUT | POLLWRNORM | POLLWRBAND;

// An error and a hang-up, which are not asked for, make a descriptor readable.
[[nodiscard]] bool waits_to_read(const pollfd& asked) noexcept {
    return asked.fd >= 0 && ((asked.events & reading_events) != 0 || (asked.events & writing_events) == 0);
}
[[nodiscard]] bool waits_to_write(const pollfd& asked) noexcept {
    return asked.fd >= 0 && (asked.events & writing_events) != 0;
}

}  // namespace

std::size_t descriptor_wait::parts_of(std::span<const pollfd> asked) noexcept {
    std::size_t count = 0;
    for (const pollfd& each : asked) {
        count += (waits_to_read(each) ? 1u : 0u) + (waits_to_write(each) ? 1u : 0u);
    }
    return count;
}

descriptor_wait::descriptor_wait(part_storage parts, time_point until) noexcept
    : wait(several), timer(pass), storage_(parts) {
    deadline = until;
}

fibre_wait_end descriptor_wait::end_of(std::span<const pollfd> asked) noexcept {
    try {
        current_scheduler().alarms().arm(*this, deadline);
    } catch (const std::bad_alloc&) {
        decide(fibre_wait_end::ready);
    }
    for (const pollfd& each : asked) {
        if (waits_to_read(each)) {
            add(each.fd, operation_kind::readable);
        }
        if (waits_to_write(each)) {
            add(each.fd, operation_kind::writable);
        }
    }
    if (parts_ == 1) {
        kind = reads(storage_.front()->action) ? &readable : &writable;
    }
    if (decided_ && pending_ == 0) {
        if (!spend_budget()) {
            end = wait_end::finished;
            wait_in_fibre(*this);
        }
        return how_;
    }
    suspended_ = true;
    wait_in_fibre(*this);
    return how_;
}

void descriptor_wait::add(int fd, operation_kind direction) noexcept {
    if (!decided_) {
        storage_[parts_++].emplace(*this, direction, fd).begin();
    }
}

void descriptor_wait::decide(fibre_wait_end how) noexcept {
    if (decided_) {
        return;
    }
    decided_ = true;
    how_ = how;
    current_scheduler().alarms().disarm(*this);
    for (std::optional<descriptor_part>& part : storage_.first(parts_)) {
        part->withdraw();
    }
    finish_if_over();
}

void descriptor_wait::part_ended(fibre_wait_end how) noexcept {
    --pending_;
    if (decided_) {
        finish_if_over();
    } else {
        decide(how);
    }
}

void descriptor_wait::finish_if_over() noexcept {
    if (suspended_ && pending_ == 0) {
        suspended_ = false;
        current_scheduler().finish(*this);
    }
}

// It ends with a result, that it was cancelled: nothing unwinds.
bool descriptor_wait::cancel(wait& self) noexcept {
    static_cast<descriptor_wait&>(self).decide(fibre_wait_end::refused);
    return false;
}

void descriptor_wait::explain(const wait& self, wait_facts& facts) noexcept {
    const auto& waiting = static_cast<const descriptor_wait&>(self);
    facts.deadline = waiting.deadline;
    if (waiting.parts_ == 1) {
        facts.asked = &*waiting.storage_.front();
    }
}

void descriptor_wait::pass(timer& self) noexcept {
    static_cast<descriptor_wait&>(self).decide(fibre_wait_end::timed_out);
}

}  // namespace leat::detail
