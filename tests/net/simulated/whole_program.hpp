// SPDX-License-Identifier: MIT
// What tests of whole programs in a simulation share: what is drawn from the seed, a server that binds and
// echoes whatever goes wrong, and the errors that a network may give.
#pragma once

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>

#include <errno.h>

namespace leat::testing {

[[nodiscard]] inline std::uint64_t draw(std::uint64_t below) {
    return current_scheduler().io().random() % below;
}

[[nodiscard]] inline duration draw_time(duration below) {
    return duration(static_cast<duration::rep>(draw(static_cast<std::uint64_t>(below.count()))));
}

// Bytes of all values, the same for the same number.
[[nodiscard]] inline std::string numbered_text(std::uint64_t number, std::size_t size) {
    std::string text(size, '\0');
    for (char& each : text) {
        number = number * 6364136223846793005U + 1442695040888963407U;
        each = static_cast<char>(number >> 56U);
    }
    return text;
}

// Mostly short; one in sixteen is more than the buffers of a connection hold.
[[nodiscard]] inline std::string draw_text() {
    const std::uint64_t size = draw(16) == 0 ? 300'000 + draw(100'000) : draw(5000);
    return numbered_text(draw(1'000'000), static_cast<std::size_t>(size));
}

[[nodiscard]] inline bool is_one_of(std::error_code error, std::initializer_list<std::errc> known) {
    return std::any_of(known.begin(), known.end(), [=](std::errc each) { return error == each; });
}

[[nodiscard]] inline bool is_shortage(std::error_code error) {
    return is_one_of(error, {std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
                             std::errc::no_buffer_space, std::errc::not_enough_memory});
}

// What a connection may end with when its network, or the machine of its peer, fails.
[[nodiscard]] inline bool is_network_failure(std::error_code error) {
    return is_shortage(error) || is_one_of(error, {std::errc::connection_refused, std::errc::connection_reset,
                                                   std::errc::broken_pipe, std::errc::timed_out});
}

// No wait happens between what doctest is told and what it checks.
inline void check_failure(std::error_code error, bool expected) {
    INFO(error.category().name(), ": ", error.message());
    CHECK(expected);
}

// A listener of the running task's host, once there is a descriptor for it and the host is up.
[[nodiscard]] inline task<tcp_listener> bind_in_the_end(endpoint where) {
    for (;;) {
        try {
            co_return tcp_listener::bind(where);
        } catch (const std::system_error& error) {
            check_failure(error.code(), is_shortage(error.code()) || error.code() == std::errc::network_down);
        }
        co_await sleep(std::chrono::milliseconds(10));
    }
}

// Sends back what comes, until the connection ends or fails.
inline task<> echo_until_failure(tcp_stream peer) {
    auto echo = [&]() -> task<> {
        while (auto piece = co_await peer.recv_chunk()) {
            co_await peer.send_all(piece);
        }
    };
    const auto ended = co_await as_result(echo());
    if (!ended.ok()) {
        check_failure(ended.error(),
                      is_network_failure(ended.error()) || ended.error() == errno_code(ESHUTDOWN));
    }
}

// Receives `text`, checking every byte of what comes. Throws what ended that early.
template <stream Stream>
task<> expect_text(Stream& peer, std::string_view text) {
    while (!text.empty()) {
        const chunk piece = co_await peer.recv_chunk();
        if (piece.empty()) {
            throw std::system_error(make_error_code(stream_errc::end_of_stream));
        }
        const bool same = text.starts_with(piece.text());
        CHECK(same);
        text.remove_prefix(std::min(text.size(), piece.size()));
    }
}

// Sends `text` to an echo and takes it back meanwhile. Throws what ended that early.
template <stream Stream>
task<> exchange_text(Stream& peer, std::string_view text) {
    auto send = [&]() -> task<std::error_code> {
        const auto sent = co_await as_result(peer.send_all(text));
        co_return sent.error();
    };
    auto receive = [&]() -> task<std::error_code> {
        const auto received = co_await as_result(expect_text(peer, text));
        co_return received.error();
    };
    const auto [sent, received] = co_await gather(send, receive);
    if (sent) {  // a reset is told once: who receives after that sees an end
        throw std::system_error(sent, "send");
    }
    if (received) {
        throw std::system_error(received, "receive");
    }
}

// Does `attempt()`, which gives a task, again and again until it does not fail, more slowly each time.
template <typename Attempt>
task<> persist(Attempt attempt) {
    duration pause = std::chrono::milliseconds(10);
    for (;;) {
        const auto done = co_await as_result(attempt());
        if (done.ok()) {
            co_return;
        }
        check_failure(done.error(), is_network_failure(done.error()));
        co_await sleep(pause);
        pause = std::min<duration>(2 * pause, std::chrono::seconds(1));
    }
}

}  // namespace leat::testing
