// SPDX-License-Identifier: MIT
// What the tests of framing share: bytes that come in given pieces, and what an operation fails with.
#pragma once

#include <leat/framing.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/memory_stream.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace framing_tests {

using leat::testing::memory_stream;

inline leat::chunk bytes(std::string_view text) {
    return leat::copied_chunk(std::as_bytes(std::span(text)));
}

// A stream from which `text` comes, `piece` bytes at a time, and then the end.
inline leat::task<memory_stream> stream_of(std::string_view text, std::size_t piece = 16 * 1024) {
    auto [near, far] = memory_stream::pair({.piece = piece});
    co_await far.send_all(text);
    far.shutdown_send();
    co_return std::move(near);
}

// A stream from which the two parts of `text` come, the second one only when somebody waits for it.
inline leat::task<memory_stream> stream_cut_at(std::size_t cut, std::string_view text) {
    auto [near, far] = memory_stream::pair();
    co_await far.send_all(text.substr(0, cut));
    leat::spawn(
        [](memory_stream rest, std::string later) -> leat::task<> {
            for (int turn = 0; turn < 10; ++turn) {
                co_await leat::yield();
            }
            co_await rest.send_all(later);
            rest.shutdown_send();
        },
        std::move(far), std::string(text.substr(cut)));
    co_return std::move(near);
}

struct failure {
    std::error_code code;
    std::string text = "it succeeded";
};

// What X fails with.
template <typename X>
leat::task<failure> failure_of(X x) {
    try {
        (void)co_await x;
    } catch (const std::system_error& error) {
        co_return failure{error.code(), error.what()};
    }
    co_return failure();
}

// All lines; the last one is what it failed with.
template <typename Reader>
leat::task<std::vector<std::string>> lines_of(Reader& reader, std::size_t limit = leat::framing_limit) {
    std::vector<std::string> all;
    try {
        while (const auto line = co_await reader.line(limit)) {
            all.emplace_back(*line);
        }
    } catch (const std::system_error& error) {
        all.emplace_back(error.what());
    }
    co_return all;
}

}  // namespace framing_tests
