// SPDX-License-Identifier: MIT
// In the program that counts operator new.
#include <leat/net.hpp>
#include <leat/testing/counted_memory.hpp>
#include <leat/testing/stream_pair.hpp>

#include "../support/on_each_backend.hpp"
#include "receive_ahead.hpp"

#include <doctest/doctest.h>

#include <string>

using leat::testing::allocations_during;

namespace {

// Six buffers of a backend that receives ahead, and less than what makes it stop.
const std::string six_buffers(6 * 16 * 1024, 'b');

leat::task<long> allocations_of_detach() {
    auto [from, to] = co_await leat::testing::stream_pair();
    co_await life_tests::receive_ahead(from, to);
    co_await life_tests::arrive_unread(from, six_buffers);
    const long made = allocations_during([&stream = to] { stream.detach(); });
    std::string got(six_buffers.size(), ' ');
    co_await to.recv_exactly(got);
    const bool whole = got == six_buffers;  // a failure need not print both
    CHECK(whole);
    co_return made;
}

}  // namespace

TEST_CASE("a stream that is detached takes what was received ahead in one piece") {
    support::on_each_backend([](const auto& backend) {
        const long made = leat::run(allocations_of_detach, {.backend = backend});
        CHECK(made <= 2);  // the chunk and its memory
    });
}
