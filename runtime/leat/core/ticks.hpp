// SPDX-License-Identifier: MIT
// ticks: a clock that is read in a few instructions, for the ages of waits and the lengths of turns. The
// scheduler reads it once a turn; ticks are converted to time only when they are read, by comparing the
// counter of the processor with the backend's clock at the start of the run and at that moment. Where time is
// virtual, or the processor has no counter that programs may read, a tick is a nanosecond of the backend's
// clock.
#pragma once

#include <leat/clock.hpp>
#include <leat/core/backend.hpp>

#include <cstdint>

namespace leat::detail {

class tick_clock {
public:
    explicit tick_clock(backend& io) noexcept
        : io_(&io),
          counts_(has_counter && !io.time_is_virtual()),
          began_(io.now()),
          first_(counts_ ? counter() : 0) {}

    [[nodiscard]] std::uint64_t read() const noexcept {
        if (counts_) [[likely]] {
            return counter();
        }
        return static_cast<std::uint64_t>(io_->now().time_since_epoch().count());
    }

    // For one look: from ticks to time, by the speed of the counter in this run so far.
    class scale {
    public:
        explicit scale(const tick_clock& clock) noexcept;
        // How long ago `tick` was; never less than zero, never more than the age of the run.
        [[nodiscard]] duration since(std::uint64_t tick) const noexcept;
        // The time that `ticks` take.
        [[nodiscard]] duration length(std::uint64_t ticks) const noexcept;

    private:
        std::uint64_t now_;
        duration age_;        // of the run
        double nanoseconds_;  // in a tick
    };

private:
#if defined(__x86_64__) || defined(__i386__)
    static constexpr bool has_counter = true;
    static std::uint64_t counter() noexcept { return __builtin_ia32_rdtsc(); }
#elif defined(__aarch64__)
    static constexpr bool has_counter = true;
    static std::uint64_t counter() noexcept {
        std::uint64_t count;
        asm volatile("mrs %0, cntvct_el0" : "=r"(count));
        return count;
    }
#else
    static constexpr bool has_counter = false;
    static std::uint64_t counter() noexcept { return 0; }
#endif

    backend* io_;
    bool counts_;  // the processor's counter, not the backend's clock
    time_point began_;
    std::uint64_t first_;
};

}  // namespace leat::detail
