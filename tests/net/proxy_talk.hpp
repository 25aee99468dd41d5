// SPDX-License-Identifier: MIT
// A proxy of a test: it says what it is told to, whatever it is asked for, and keeps that.
#pragma once

#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/stream_pair.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace leat::testing {

struct talk {
    std::string heard;  // by the proxy
    std::string ended;  // "connected", or the error
    std::error_code code;
    std::string first;  // bytes behind the proxy's reply
};

inline task<std::string> all_of(tcp_stream& from) {
    std::string all;
    while (const auto chunk = co_await from.recv_chunk()) {
        all += chunk.text();
    }
    co_return all;
}

// What the connection through a proxy comes to that says `answers`, a byte at a time. `connect(proxy)` gives
// it.
template <typename Connect>
task<talk> talk_through(std::string answers, Connect connect) {
    auto [near, far] = co_await stream_pair();
    talk seen;
    const auto serve = [&]() -> task<> {
        for (const char each : answers) {
            co_await far.send_all(std::string(1, each));
            co_await yield();
        }
        far.shutdown_send();
        seen.heard = co_await all_of(far);
    };
    auto proxy = spawn(serve);
    try {
        tcp_stream made = co_await connect(std::move(near));
        seen.ended = "connected";
        seen.first = co_await all_of(made);
    } catch (const std::system_error& failure) {
        seen.ended = failure.what();
        seen.code = failure.code();
    }
    co_await proxy.join();  // it fails where it was left with bytes unread
    co_return seen;
}

}  // namespace leat::testing
