// SPDX-License-Identifier: MIT
// rate_limit: so many bytes a second for all that share it, each in its turn.
//
//     const std::string_view piece = co_await reply.read();
//     co_await rate.pay(piece.size());   // before the next piece is read
//
// Theory of operation. Bytes are paid for when they have come: who pays waits until all that were paid for
// before are due, but for those of the burst: a token bucket of that size, which is full at first. So turns
// go round among all that pay, however large their pieces are, and a rate that was not used is not saved up
// for more than the burst.
#pragma once

#include <leat/clock.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fetch {

class rate_limit {
public:
    // 0: no limit. The burst is in bytes; 0: those of usual_burst.
    explicit rate_limit(std::uint64_t bytes_per_second, std::uint64_t burst = 0) noexcept
        : rate_(bytes_per_second), burst_(burst == 0 ? usual_burst : time_for(burst)) {}

    [[nodiscard]] bool is_limited() const noexcept { return rate_ != 0; }
    // Waits until so many more bytes are due. Cancelled: they were paid for.
    [[nodiscard]] leat::task<> pay(std::size_t bytes);

    static constexpr leat::duration usual_burst = std::chrono::milliseconds(100);

private:
    [[nodiscard]] leat::duration time_for(std::uint64_t bytes) const noexcept;

    std::uint64_t rate_;
    leat::duration burst_;
    leat::time_point due_ = leat::long_ago;  // when all that were paid for are
};

}  // namespace fetch
