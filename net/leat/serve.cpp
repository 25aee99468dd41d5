// SPDX-License-Identifier: MIT
#include <leat/serve.hpp>

#include <leat/core/duration_text.hpp>
#include <leat/stream.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <new>
#include <optional>

namespace leat::detail {

namespace {

constexpr duration first_delay = std::chrono::milliseconds(10);
constexpr duration longest_delay = std::chrono::seconds(1);

// Awaits what `attempt` gives, a task; again, after a pause, when it finds no memory. Gone through by a
// server that has to go on.
template <typename Attempt>
task<> insist(Attempt attempt) {
    for (bool again = false;; again = true) {
        try {
            if (again) {
                co_await yield();  // the sleep may fail: no memory for its timer
                co_await sleep(first_delay);
            }
            co_await attempt();
            co_return;
        } catch (const std::bad_alloc&) {
            continue;
        } catch (const std::system_error& failure) {
            if (failure.code() != std::errc::not_enough_memory) {
                throw;
            }
        }
    }
}

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
        const auto start = [&](auto body) {
            (void)spawn_call(accepting.scope(), source.serve_awaited(), std::move(body));
        };
        if (event* const stop = source.options().stop) {
            start([&accepting, stop]() -> task<> {  // before it accepts, as it may be set already
                co_await stop->wait();
                accepting.cancel();
            });
        }
        start([&]() -> task<> {
            co_await source.accept_connections(connections);
            accepting.cancel();  // the listener was closed
        });
        co_await insist([&] { return await_stop(signals); });  // a signal that has come is kept
        accepting.cancel();
    });
}

// Who waits for a client that has not asked for anything ends at once. A signal ends the grace.
task<> drain(task_group& connections, const time_point& end_of_grace, signal_set* signals) {
    connections.scope().stop();
    co_await with_task_group([&](task_group& draining) -> task<> {
        draining.spawn([&]() -> task<> {
            co_await insist([&] { return await_stop(signals); });
            connections.cancel();
        });
        (void)co_await move_on_at(end_of_grace, connections.wait());
        draining.cancel();
    });
}

// Tells on_error, or else the report, why a limit has ended a connection, if that is asked for: `why()`, a
// text.
template <typename Why>
void tell_limit(const serve_options& options, const std::optional<endpoint>& peer, std::errc code,
                Why why) noexcept {
    if (!options.tell_limits) {
        return;
    }
    try {
        if (options.on_error != nullptr) {
            options.on_error(std::make_exception_ptr(std::system_error(std::make_error_code(code), why())),
                             peer);
        } else {
            const std::string whose = peer.has_value() ? " of " + peer->to_string() : "";
            current_scheduler().report("the connection" + whose + " was closed: " + why());
        }
    } catch (const std::bad_alloc&) {
        current_scheduler().report("a connection was closed by a limit of its server");
    }
}

void report_shortage(std::error_code error) {
    try {
        current_scheduler().report("accept: " + error.message() + "; trying again");
    } catch (const std::bad_alloc&) {
        current_scheduler().report("accept: no memory; trying again");
    }
}

// Whether it is a std::system_error of this kind.
bool is_error(const std::exception_ptr& error, bool (*kind)(const std::error_code&)) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& failure) {
        return kind(failure.code());
    } catch (...) {
        return false;
    }
}

}  // namespace

template class acceptor_from<tcp_listener>;

bool is_of_closed(const std::exception_ptr& error) noexcept {
    return is_error(error, [](const std::error_code& code) {
        return code == std::errc::operation_canceled || code == stream_errc::closed;
    });
}

void acceptor::tell_error(const task_state& failed, std::exception_ptr error,
                          const std::optional<endpoint>& peer) const noexcept {
    if (options_.on_error != nullptr) {
        options_.on_error(std::move(error), peer);
    } else if (!is_lost_peer(error)) {
        failed.report_error(error);
    }
}

std::optional<address_limit::place> acceptor::admit(const std::optional<endpoint>& peer) {
    const bool counted = options_.per_address != SIZE_MAX && peer.has_value();
    return counted ? addresses_.enter(peer->address(), options_.per_address) : address_limit::place();
}

void acceptor::tell_idle(const std::optional<endpoint>& peer) const noexcept {
    if (options_.counters != nullptr) {
        ++options_.counters->idle;
    }
    tell_limit(options_, peer, std::errc::timed_out,
               [&] { return "the client was silent for " + duration_text(options_.idle); });
}

void acceptor::tell_handshake(const std::optional<endpoint>& peer, handshake_end how) const noexcept {
    if (options_.counters != nullptr) {
        ++options_.counters->handshake;
    }
    tell_limit(options_, peer, std::errc::timed_out, [&] {
        return how == handshake_end::too_slow
                   ? "its handshake took longer than " + duration_text(options_.handshake)
                   : "its handshake had taken longest, and " + std::to_string(options_.handshakes) +
                         " others went on";
    });
}

void acceptor::tell_refused(const endpoint& peer) noexcept {
    if (options_.counters != nullptr) {
        ++options_.counters->refused;
    }
    if (!options_.tell_limits || (options_.on_error == nullptr && !addresses_.is_news(peer.address()))) {
        return;
    }
    tell_limit(options_, peer, std::errc::connection_refused, [&] {
        return peer.address().unmapped().to_string() + " has " + std::to_string(options_.per_address) +
               " connections already";
    });
}

void require_no_idle(const serve_options& options) {
    if (options.idle != duration::max()) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                                "serve: an idle time for streams that are not of a socket");
    }
}

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
        report_shortage(error);
    }
    delay_ = std::clamp(2 * delay_, first_delay, longest_delay);
    return true;
}

// The signals come before everything else: from then on none of them kills the process. A simulation refuses
// to wait for them: an event or cancelling stops a server there.
task<> serve_accepting(acceptor& source) {
    const serve_options& options = source.options();
    check(
        options.idle > duration::zero() && options.handshake > duration::zero() && options.per_address > 0,
        "the times that a server gives its clients, and its connections of one address, are more than none");
    std::optional<signal_set> signals;
    if (const signal_numbers heeded = not_ignored(options.stop_on); !heeded.empty()) {
        signals.emplace(heeded);
    }
    if (options.on_listening != nullptr) {
        options.on_listening(source.place());
    }
    const task_group_options independent{.limit = options.connections, .independent = true};
    co_await with_task_group(independent, [&](task_group& connections) -> task<> {
        signal_set* const stopping = signals.has_value() ? &*signals : nullptr;
        time_point end_of_grace;
        task<> draining = insist([&] { return drain(connections, end_of_grace, stopping); });
        co_await accept_until_stopped(source, connections, stopping);
        source.close();
        end_of_grace = after(now(), options.grace);
        co_await std::move(draining);  // has had its memory from the beginning
    });
}

}  // namespace leat::detail

namespace leat {

bool is_lost_peer(const std::exception_ptr& error) noexcept {
    return detail::is_error(error, [](const std::error_code& code) {
        return code == std::errc::connection_reset || code == std::errc::broken_pipe;
    });
}

}  // namespace leat
