// SPDX-License-Identifier: MIT
// In the program that counts operator new: accepting without memory loses no connection and no descriptor.
#include <leat/core/frame_pool.hpp>
#include "../support/on_each_backend.hpp"

#include <leat/net.hpp>
#include <leat/testing/counted_memory.hpp>
#include <leat/testing/leaks.hpp>
#include <leat/unix.hpp>

#include <doctest/doctest.h>

#include <new>

using leat::testing::counted_memory::fails_at;
using leat::testing::counted_memory::may_fail;

namespace {

// Whether the accept had memory, its allocation number `failing` being the one that fails.
template <typename Listener, typename Stream>
leat::task<bool> accept_with_failure(Listener& listener, Stream& into, long failing) {
    leat::detail::frame_pool::trim();
    bool accepted = false;
    fails_at = failing;
    may_fail = true;
    try {
        into = co_await listener.accept();
        accepted = true;
    } catch (const std::bad_alloc&) {
    }
    may_fail = false;
    co_return accepted;
}

template <typename Stream, typename Listener>
leat::task<> accept_until_there_is_memory(Listener listener) {
    auto client = co_await Stream::connect(listener.local_endpoint());
    Stream server;
    const std::size_t before = leat::testing::open_descriptors();
    long failing = 0;
    for (bool accepted = false; !accepted && failing < 100; ++failing) {
        accepted = co_await accept_with_failure(listener, server, failing);
        CHECK(leat::testing::open_descriptors() == before + (accepted ? 1 : 0));
    }
    CHECK(failing > 2);  // the frame, the state of a stream
    CHECK(failing < 100);
    co_await client.send_all("abc");
    std::string got(3, ' ');
    co_await server.recv_exactly(got);
    CHECK(got == "abc");
}

}  // namespace

TEST_CASE("an accept without memory fails, and the connection is there for the next one") {
    support::on_each_backend([](const auto& backend) {
        leat::run(
            [] {
                return accept_until_there_is_memory<leat::tcp_stream>(
                    leat::tcp_listener::bind({"127.0.0.1", 0}));
            },
            {.backend = backend});
        leat::run(
            [] { return accept_until_there_is_memory<leat::unix_stream>(leat::unix_listener::bind({})); },
            {.backend = backend});
    });
}
