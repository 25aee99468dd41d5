// SPDX-License-Identifier: MIT
#include <leat/serve.hpp>

#include <leat/stream.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <optional>

namespace leat::detail {

namespace {

constexpr duration first_delay = std::chrono::milliseconds(10);
constexpr duration longest_delay = std::chrono::seconds(1);

// Waits for one of the signals; for ever if there are none, or where they cannot be waited for.
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

task<> accept_until_stopped(acceptor& source, task_group& connections, signal_set* signals) {
    co_await with_task_group([&](task_group& accepting) -> task<> {
        accepting.spawn([&]() -> task<> {
            co_await source.accept_connections(connections);
            accepting.cancel();  // the listener was closed
        });
        co_await await_stop(signals);
        accepting.cancel();
    });
}

// Who waits for a client that has not asked for anything ends at once. A signal ends the grace.
task<> drain(task_group& connections, duration grace, signal_set* signals) {
    connections.scope().stop();
    co_await with_task_group([&](task_group& draining) -> task<> {
        draining.spawn([&]() -> task<> {
            co_await await_stop(signals);
            connections.cancel();
        });
        co_await move_on_after(grace, connections.wait());
        draining.cancel();
    });
}

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

// The signals come before everything else: from then on none of them kills the process. A simulation refuses
// to wait for them: only cancelling stops a server there.
task<> serve_accepting(acceptor& source, const serve_options& options) {
    std::optional<signal_set> signals;
    if (!options.stop_on.empty()) {
        signals.emplace(options.stop_on);
    }
    if (options.on_listening != nullptr) {
        options.on_listening(source.place());
    }
    const task_group_options independent{.limit = options.connections, .independent = true};
    co_await with_task_group(independent, [&](task_group& connections) -> task<> {
        signal_set* const stopping = signals.has_value() ? &*signals : nullptr;
        co_await accept_until_stopped(source, connections, stopping);
        source.close();
        co_await drain(connections, options.grace, stopping);
    });
}

}  // namespace leat::detail
