// SPDX-License-Identifier: MIT
#include <leat/retry.hpp>

#include <leat/result.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>

namespace leat {

namespace {

constexpr std::errc transient[] = {
    std::errc::broken_pipe,      std::errc::connection_aborted,  std::errc::connection_refused,
    std::errc::connection_reset, std::errc::host_unreachable,    std::errc::interrupted,
    std::errc::network_down,     std::errc::network_reset,       std::errc::network_unreachable,
    std::errc::no_buffer_space,  std::errc::not_enough_memory,   std::errc::resource_unavailable_try_again,
    std::errc::timed_out,        std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
};

}  // namespace

bool is_transient(std::error_code error) noexcept {
    return error == errno_code(EHOSTDOWN) ||  // which no std::errc names
           std::any_of(std::begin(transient), std::end(transient),
                       [=](std::errc each) { return error == each; });
}

retry_waits::retry_waits(const retry_options& how) noexcept
    : bound_(std::clamp(how.first, duration::zero(), std::max(how.most, duration::zero()))),
      most_(std::max(how.most, duration::zero())),
      jitter_(how.jitter) {}

duration retry_waits::next() noexcept {
    const duration bound = bound_;
    bound_ = bound > most_ / 2 ? most_ : bound * 2;
    if (!jitter_) {
        return bound;
    }
    const auto lengths = static_cast<std::uint64_t>(bound.count()) + 1;
    return duration(static_cast<duration::rep>(current_scheduler().io().random() % lengths));
}

}  // namespace leat
