// SPDX-License-Identifier: MIT
// receive_ahead: brings a stream to where a backend that can receive ahead of its reader does so
// (uring_source.cpp), by receiving chunks that were waited for.
#pragma once

#include "../runtime/cancel_moments.hpp"

#include <leat/net.hpp>

#include <doctest/doctest.h>

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

}  // namespace life_tests
