// SPDX-License-Identifier: MIT
#include <leat/fibre/core/fibre_wait.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/fibre/core/descriptor_wait.hpp>
#include <leat/fibre/core/fibre.hpp>
#include <leat/fibre/fibre_cancelled.hpp>
#include <leat/fibre/really_block.hpp>
#include <leat/sleep.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <new>

namespace leat::detail {

namespace {

using namespace std::chrono_literals;

constexpr unsigned refusals_reported = 1000;

// The others have a turn, also in a cancelled scope.
void take_turns() noexcept {
    wait turn(yield_kind);
    turn.end = wait_end::finished;
    wait_in_fibre(turn);
}

[[nodiscard]] bool is_cancelled() noexcept {
    check(this_fibre.running != nullptr, "this is called in a fibre");
    return this_thread.task->cancelled();
}

fibre_wait_end refused() noexcept {
    const unsigned times = this_fibre.running->note_refusal();
    if (times == refusals_reported) {
        const really_block the_calls_of_leat;  // whoever writes the report is not refused
        current_scheduler().report(
            "a blocking function goes on after 1,000 calls that were refused: it is cancelled, and "
            "ECANCELED tells it so");
    }
    if (times > refusals_reported) {
        take_turns();
    }
    return fibre_wait_end::refused;
}

class time_wait : public wait, timer {
public:
    explicit time_wait(time_point until) noexcept : wait(sleeping), timer(pass) { deadline = until; }

    fibre_wait_end end_of() noexcept {
        try {
            current_scheduler().alarms().arm(*this, deadline);
        } catch (const std::bad_alloc&) {  // it looks at the clock instead
            while (!is_cancelled() && now() < deadline) {
                take_turns();
            }
            return is_cancelled() ? fibre_wait_end::refused : how_;
        }
        wait_in_fibre(*this);
        return how_;
    }

private:
    void over(fibre_wait_end how) noexcept {
        how_ = how;
        current_scheduler().finish(*this);
    }
    static void pass(timer& self) noexcept { static_cast<time_wait&>(self).over(fibre_wait_end::timed_out); }
    static bool cancel(wait& self) noexcept {
        auto& waiting = static_cast<time_wait&>(self);
        current_scheduler().alarms().disarm(waiting);
        waiting.over(fibre_wait_end::refused);
        return false;
    }
    static void explain(const wait& self, wait_facts& facts) noexcept {
        facts.deadline = static_cast<const time_wait&>(self).deadline;
    }
    static constexpr wait_kind sleeping{"sleep", cancel, explain};

    fibre_wait_end how_ = fibre_wait_end::timed_out;
};

// It asks first: the scope may have been cancelled since the wait before it was over.
fibre_wait_end wait_until(time_point deadline) noexcept {
    if (is_cancelled()) {
        return fibre_wait_end::refused;
    }
    if (deadline <= now()) {
        take_turns();
        return fibre_wait_end::timed_out;
    }
    return time_wait(deadline).end_of();
}

fibre_wait_end wait_once(std::span<const pollfd> asked, part_storage parts, time_point deadline) noexcept {
    return is_cancelled() ? fibre_wait_end::refused : descriptor_wait(parts, deadline).end_of(asked);
}

// Apart, so that the stack has no more than is used.
template <std::size_t most>
[[gnu::noinline]] fibre_wait_end wait_with(std::span<const pollfd> asked, time_point deadline) noexcept {
    std::array<std::optional<descriptor_part>, most> parts;
    return wait_once(asked, parts, deadline);
}

[[gnu::noinline]] fibre_wait_end wait_for_many(std::span<const pollfd> asked, std::size_t count,
                                               time_point deadline) noexcept {
    try {
        const auto parts = std::make_unique<std::optional<descriptor_part>[]>(count);
        return wait_once(asked, {parts.get(), count}, deadline);
    } catch (const std::bad_alloc&) {  // it looks again soon
        return wait_until(std::min(deadline, after(now(), 1ms)));
    }
}

fibre_wait_end wait_once(std::span<const pollfd> asked, time_point deadline) noexcept {
    constexpr std::size_t few = 2;
    constexpr std::size_t some = 16;
    const std::size_t count = descriptor_wait::parts_of(asked);
    return count <= few    ? wait_with<few>(asked, deadline)
           : count <= some ? wait_with<some>(asked, deadline)
                           : wait_for_many(asked, count, deadline);
}

// A simulation knows no descriptors of the kernel. It looks at them from time to time, of its own time, and
// less and less often; in the end nothing but a cancellation ends the wait.
fibre_wait_end wait_in_simulation(unsigned looks, time_point deadline) noexcept {
    constexpr unsigned looks_most = 36;  // the last after two years
    const duration pause = 1ms * (std::int64_t{1} << std::min(looks, looks_most));
    const time_point next = looks < looks_most ? after(now(), pause) : never;
    const fibre_wait_end how = wait_until(std::min(deadline, next));
    return how == fibre_wait_end::timed_out && next < deadline ? fibre_wait_end::ready : how;
}

// Another wait after one that was over for nothing, as for an event that is not asked for. It lasts: from the
// second time on the others have time.
fibre_wait_end wait_again(std::span<const pollfd> asked, unsigned looks, time_point deadline) noexcept {
    if (current_scheduler().io().time_is_virtual()) {
        return wait_in_simulation(looks, deadline);
    }
    if (looks > 1) {
        constexpr duration longest = 10ms;
        const time_point next = after(now(), std::min<duration>(longest, 1ms * looks));
        if (next >= deadline) {
            return wait_until(deadline);
        }
        if (const fibre_wait_end how = wait_until(next); how != fibre_wait_end::timed_out) {
            return how;
        }
    }
    return wait_once(asked, deadline);
}

[[nodiscard]] bool look(std::span<pollfd> asked) noexcept {
    for (;;) {
        const int ready = ::poll(asked.data(), asked.size(), 0);
        if (ready >= 0 || errno != EINTR) {
            return ready != 0;
        }
    }
}

}  // namespace

fibre_wait_end wait_for_descriptors(std::span<pollfd> asked, time_point deadline) noexcept {
    if (is_cancelled()) {
        return refused();
    }
    const really_block the_calls_of_leat;
    for (unsigned looks = 0; !look(asked); ++looks) {
        const fibre_wait_end how = wait_again(asked, looks, deadline);
        switch (how) {
            case fibre_wait_end::ready:
                break;
            case fibre_wait_end::timed_out:
                return look(asked) ? fibre_wait_end::ready : how;
            case fibre_wait_end::refused:
                return refused();
            case fibre_wait_end::closed:
                return how;
        }
    }
    return fibre_wait_end::ready;
}

fibre_wait_end wait_to_try(int fd, short event, time_point deadline) noexcept {
    pollfd asked{.fd = fd, .events = event, .revents = 0};
    if (current_scheduler().io().time_is_virtual()) {
        return wait_for_descriptors({&asked, 1}, deadline);
    }
    const really_block the_calls_of_leat;
    const fibre_wait_end how = wait_with<1>({&asked, 1}, deadline);
    return how == fibre_wait_end::refused ? refused() : how;
}

fibre_wait_end wait_for_time(time_point deadline) noexcept {
    const really_block the_calls_of_leat;
    const fibre_wait_end how = wait_until(deadline);
    return how == fibre_wait_end::refused ? refused() : how;
}

bool refuse_call() noexcept {
    return is_cancelled() && refused() == fibre_wait_end::refused;
}

void throw_fibre_cancelled(fibre& here) {
    here.go_on_after_unwinding();
    (void)refused();
    throw fibre_cancelled();
}

static descriptor_part* part_that_waits(int fd, bool reads) noexcept {
    if (this_thread.loop == nullptr || fd < 0) {
        return nullptr;
    }
    const waiting_operations there = this_thread.loop->io().waiting_on(fd);
    return descriptor_part::of(reads ? there.reader : there.writer);
}

bool is_waited_for(int fd) noexcept {
    return part_that_waits(fd, true) != nullptr || part_that_waits(fd, false) != nullptr;
}

void descriptor_closes(int fd) noexcept {
    const really_block the_calls_of_leat;
    for (const bool reads : {true, false}) {
        if (descriptor_part* const part = part_that_waits(fd, reads)) {
            part->close();
        }
    }
}

}  // namespace leat::detail
