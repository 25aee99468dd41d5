// SPDX-License-Identifier: MIT
#include <leat/serve.hpp>

#include <leat/stream.hpp>

#include <algorithm>

namespace leat::detail {

namespace {

constexpr duration first_delay = std::chrono::milliseconds(10);
constexpr duration longest_delay = std::chrono::seconds(1);

}  // namespace

bool accept_errors::take(std::error_code error) {
    if (error == stream_errc::closed || error == std::errc::operation_canceled) {
        return false;
    }
    const bool short_of_something =
        error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
        error == std::errc::no_buffer_space || error == std::errc::not_enough_memory;
    if (!short_of_something) {
        throw std::system_error(error, "accept");
    }
    if (delay_ == duration::zero()) {
        current_scheduler().report("accept: " + error.message() + "; trying again");
    }
    delay_ = std::clamp(2 * delay_, first_delay, longest_delay);
    return true;
}

// A simulation refuses to wait for signals: only cancelling stops a server there.
task<> await_stop(signal_set* signals) {
    if (signals != nullptr) {
        const result<int> stopped = co_await as_result(signals->next());
        if (stopped.ok()) {
            co_return;
        }
        if (stopped.error() != std::errc::operation_not_supported) {
            throw std::system_error(stopped.error(), "wait for a signal to stop");
        }
    }
    co_await sleep_until(never);
}

}  // namespace leat::detail
