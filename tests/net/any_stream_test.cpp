// SPDX-License-Identifier: MIT
// any_stream keeps its operations in the awaiting frame. That they do what the stream inside does is held by
// check_stream, which runs every stream in one.
#include "conformance/connected.hpp"

#include <leat/any_stream.hpp>
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/idle.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

using conformance::connected;
using conformance::connection;
using leat::task;

namespace {

// How many blocks the frames of a task take that waits for bytes of `from`; then `to_it` sends those.
template <typename Stream, typename Operation>
task<std::size_t> blocks_while_it_waits(Stream& from, leat::tcp_stream& to_it, Operation begin) {
    const std::int64_t before = leat::current_scheduler().counters().frames;
    auto waits = leat::spawn([&]() -> task<> { (void)co_await begin(from); });
    co_await leat::testing::wait_until_idle();
    const std::int64_t during = leat::current_scheduler().counters().frames;
    co_await to_it.send_all("word");
    co_await waits;
    co_return static_cast<std::size_t>(during - before);
}

// As any_stream makes the largest operation of a socket.
struct start_of_pieces {
    leat::tcp_stream* stream;
    leat::detail::byte_pieces pieces;
    auto operator()() const {
        return stream->send_all(leat::byte_view(pieces[0]), pieces[1], pieces[2], pieces[3]);
    }
};
static_assert(leat::detail::stream_awaiter<void>::has_room_for<start_of_pieces>);

}  // namespace

LEAT_TEST("an operation of an any_stream makes no frame of its own") {
    connection plain = co_await connected();
    connection held = co_await connected();
    leat::any_stream any(std::move(held.server));
    std::array<char, 4> text;
    const auto some = [&](auto& from) { return from.recv(text); };
    const auto piece = [](auto& from) { return from.recv_chunk(); };
    const std::size_t direct = co_await blocks_while_it_waits(plain.server, plain.client, some);
    const std::size_t through = co_await blocks_while_it_waits(any, held.client, some);
    CHECK(direct == through);
    CHECK(std::string_view(text.data(), text.size()) == "word");
    const std::size_t direct_chunk = co_await blocks_while_it_waits(plain.server, plain.client, piece);
    const std::size_t through_chunk = co_await blocks_while_it_waits(any, held.client, piece);
    CHECK(direct_chunk == through_chunk);
}

LEAT_TEST("an operation of an any_stream is given to whatever takes an awaitable, and kept by a new task") {
    connection both = co_await connected();
    leat::any_stream any(std::move(both.server));
    std::array<char, 4> text;
    auto reads = leat::spawn(leat::timeout(conformance::patience, any.recv_exactly(text)));
    co_await leat::gather(both.client.send_all("wo"), leat::yield());
    co_await both.client.send_all("rd");
    co_await reads;
    CHECK(std::string_view(text.data(), text.size()) == "word");
    auto sends = leat::spawn(any.send_all("a", "b", "c"));
    std::array<char, 3> back;
    co_await both.client.recv_exactly(back);
    CHECK(std::string_view(back.data(), back.size()) == "abc");
    co_await sends;
}

LEAT_TEST("an any_stream knows the other side where the stream inside does") {
    connection both = co_await connected();
    const leat::endpoint client = both.client.local_endpoint();
    const leat::any_stream tcp(std::move(both.server));
    CHECK(tcp.remote_endpoint() == client);
    auto listener = leat::unix_listener::bind(leat::unix_endpoint());
    auto made = co_await leat::unix_stream::connect(listener.local_endpoint());
    const leat::any_stream local(std::move(made));
    CHECK_FALSE(local.remote_endpoint().has_value());
}
