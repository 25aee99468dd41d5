// SPDX-License-Identifier: MIT
// Each allocation of a WebSocket fails in turn, but for those of wslay and zlib: a send that found no memory
// has sent nothing or all, and a receive that found none says so from then on, or loses nothing.
#include "../../support/failing_memory.hpp"

#include <leat/net.hpp>
#include <leat/testing/stream_pair.hpp>
#include <leat/websocket.hpp>

#include <memory>
#include <string>
#include <utility>

namespace leat::websocket {
namespace {

using testing::check_each_allocation;
using testing::failing_memory;
using testing::kernel;

struct both {
    both(std::pair<leat::tcp_stream, leat::tcp_stream> streams, const socket::agreement& agreed)
        : client(std::move(streams.first), role::client, {}, agreed),
          server(std::move(streams.second), role::server, {}, agreed) {}
    socket client;
    socket server;
};

task<std::unique_ptr<both>> both_ends(socket::agreement agreed = {}) {
    auto streams = co_await leat::testing::stream_pair();
    co_return std::make_unique<both>(std::move(streams), agreed);
}

const std::string text = "a text that is long enough to be compressed, if that has been agreed on before it";

task<> check_sending(failing_memory& memory, socket::agreement agreed) {
    const auto ends = co_await both_ends(std::move(agreed));
    const std::string perhaps = text + " perhaps";
    co_await ends->client.send(text + " first");
    co_await memory.fails([&] { return ends->client.send(perhaps); });
    co_await ends->client.send(text + " last");
    auto next = co_await ends->server.receive();
    CHECK(next->data == text + " first");
    next = co_await ends->server.receive();
    if (next->data == perhaps) {
        next = co_await ends->server.receive();
    } else {
        CHECK(!memory.completed);
    }
    CHECK(next->data == text + " last");
}

}  // namespace

TEST_CASE("a message that finds no memory leaves whole or not at all, and the next ones leave") {
    check_each_allocation("send", kernel,
                          [](failing_memory& memory) -> task<> { co_await check_sending(memory, {}); });
}

TEST_CASE("a message that finds no memory to be compressed harms none behind it") {
    check_each_allocation("compressed send", kernel, [](failing_memory& memory) -> task<> {
        co_await check_sending(memory, {.deflate = detail::deflate_terms{}});
    });
}

TEST_CASE("a receive that finds no memory loses no message, or says that it has") {
    check_each_allocation("receive", kernel, [](failing_memory& memory) -> task<> {
        const auto ends = co_await both_ends();
        co_await ends->client.send(text);
        std::string got;
        got.reserve(text.size());
        co_await memory.fails([&]() -> task<> {
            const auto next = co_await ends->server.receive();
            got = next->data;
        });
        if (memory.completed) {
            CHECK(got == text);
            co_return;
        }
        const auto again = co_await leat::as_result(ends->server.receive());
        if (again.ok()) {
            CHECK((*again)->data == text);
        } else {
            CHECK(again.error() == std::errc::not_enough_memory);
        }
    });
}

}  // namespace leat::websocket
