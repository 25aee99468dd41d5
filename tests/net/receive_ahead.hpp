// SPDX-License-Identifier: MIT
// receive_ahead: brings a stream to where a backend that can receive ahead of its reader does so
// (uring_source.cpp), by receiving chunks that were waited for.
#pragma once

#include "../runtime/cancel_moments.hpp"

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <string_view>

namespace life_tests {

template <typename Stream>
leat::task<> receive_ahead(Stream& from, Stream& to) {
    for (int i = 0; i < 3; ++i) {
        auto waits = leat::spawn([&]() -> leat::task<leat::chunk> { co_return co_await to.recv_chunk(); });
        co_await cancel_tests::let_the_loop_look();
        co_await from.send_all("warm");
        const leat::chunk got = co_await waits;
        CHECK(got.text() == "warm");
    }
}

// Sends `text` and lets the loop take what arrives, though nobody reads it: it asks the kernel only while
// somebody waits for that, so somebody waits for an answer meanwhile.
template <typename Stream>
leat::task<> arrive_unread(Stream& from, std::string_view text) {
    auto beside = leat::spawn([&]() -> leat::task<> { (void)co_await from.recv_chunk(); });
    co_await cancel_tests::let_the_loop_look();
    co_await from.send_all(text);
    co_await cancel_tests::let_the_loop_look();
    beside.cancel();
    co_await beside.join();
}

}  // namespace life_tests
