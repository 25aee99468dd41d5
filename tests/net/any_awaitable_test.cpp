// SPDX-License-Identifier: MIT
// Each operation of a socket can be given to whatever takes an awaitable, as those of runtime/ can
// (tests/runtime/any_awaitable_test.cpp).
#include "conformance/connected.hpp"
#include "datagrams.hpp"

#include <leat/any_stream.hpp>
#include <leat/framing.hpp>
#include <leat/from_callback.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using conformance::connected;
using conformance::connection;
using leat::task;

// All that users await, of all libraries: tests/compile/every_awaitable_test.py holds this list to be
// complete.
namespace {

template <typename... Awaiter>
constexpr bool each_is_deferrable = (leat::detail::deferrable<Awaiter> && ...);

using event_wait = leat::event::wait_awaiter;
using subscription = leat::broadcast<int>::subscription<void (*)(std::size_t)>;
using on_call = void (*)(leat::callback<int>);

static_assert(
    each_is_deferrable<leat::recv_awaiter, leat::recv_exactly_awaiter, leat::recv_chunk_awaiter,
                       leat::send_awaiter, leat::send_all_awaiter, leat::send_pieces_awaiter<3>,
                       leat::recv_from_awaiter, leat::recv_datagram_awaiter, leat::send_datagram_awaiter,
                       leat::connect_datagrams_awaiter, leat::readiness_awaiter>);
static_assert(
    each_is_deferrable<leat::recv_batch_awaiter, leat::recv_message_awaiter, leat::recv_descriptors_awaiter,
                       leat::send_message_awaiter, leat::send_descriptors_awaiter>);
static_assert(each_is_deferrable<event_wait, leat::latch::wait_awaiter, leat::barrier::arrive_awaiter,
                                 leat::mutex::lock_awaiter, leat::condition::wait_awaiter,
                                 leat::semaphore::acquire_awaiter, subscription::receive_awaiter,
                                 leat::latest<int>::observer::next_awaiter, leat::one_shot<int>::wait_awaiter,
                                 leat::one_shot<int>::take_awaiter, leat::channel<int>::send_awaiter,
                                 leat::channel<int>::receive_awaiter, leat::channel<int>::reserve_awaiter,
                                 leat::queue<int>::join_awaiter>);
static_assert(
    each_is_deferrable<
        leat::sleep_awaiter, leat::yield_awaiter, leat::checkpoint_awaiter, leat::switch_awaiter,
        leat::handle<int>::join_awaiter, leat::completions<int>::next_awaiter, leat::detail::children_awaiter,
        leat::async_generator<int>::next_awaiter, leat::detail::callback_awaiter<int, on_call>>);
static_assert(
    each_is_deferrable<leat::thread_channel<int>::send_awaiter, leat::thread_channel<int>::receive_awaiter,
                       leat::detail::offload_awaiter<int (*)()>, leat::detail::remote_call<task<int> (*)()>>);
static_assert(each_is_deferrable<
              leat::detail::timeout_awaiter<event_wait>, leat::detail::move_on_awaiter<event_wait>,
              leat::detail::shield_awaiter<event_wait>, leat::detail::stoppable_awaiter<event_wait>,
              leat::detail::until_stop_awaiter<event_wait>,
              leat::detail::scope_awaiter<task<> (*)(leat::cancel_scope&)>,
              leat::detail::binding_awaiter<event_wait>, leat::detail::outcome_awaiter<event_wait>,
              leat::detail::result_awaiter<event_wait>, leat::detail::result_awaiter<leat::recv_awaiter>,
              leat::detail::stream_awaiter<std::size_t>, leat::detail::stream_awaiter<void>,
              leat::detail::stream_awaiter<leat::chunk>>);

// Of a buffered_reader.
template <typename Operation>
constexpr bool is_buffered = false;
template <typename Reader, typename Asked>
constexpr bool is_buffered<leat::detail::buffered_awaiter<Reader, Asked>> = true;
using reader = leat::buffered_reader<leat::tcp_stream>;
using line_of_reader = decltype(std::declval<reader&>().line());
using chunk_of_reader = decltype(std::declval<reader&>().recv_chunk());
static_assert(is_buffered<line_of_reader> && is_buffered<chunk_of_reader>);
static_assert(each_is_deferrable<line_of_reader, chunk_of_reader>);

}  // namespace

LEAT_TEST("the operations of a stream are gathered, raced, spawned and limited") {
    connection both = co_await connected();
    std::array<char, 5> five;
    std::array<char, 3> three;
    const auto [sent_all, received] =
        co_await leat::gather(both.client.send_all("he", "l", "lo"), both.server.recv_exactly(five));
    (void)sent_all, (void)received;
    CHECK(std::string_view(five.data(), five.size()) == "hello");

    auto reads = leat::spawn(leat::timeout(conformance::patience, both.server.recv(three)));
    auto sends = leat::spawn(both.client.send("abc"));
    const std::size_t sent = co_await sends;
    CHECK(sent == 3);
    const std::size_t read = co_await reads;
    CHECK(std::string_view(three.data(), read) == "abc");

    co_await leat::with_task_group([&](leat::task_group& group) -> task<> {
        auto chunk = group.spawn(both.server.recv_chunk());
        auto whole = co_await group.spawn_when_free(leat::as_result(both.client.send_all("chunk")));
        const auto done = co_await whole;
        CHECK(done.ok());
        const leat::chunk bytes = co_await chunk;
        CHECK(bytes.text() == "chunk");
    });
    const auto [late, readable] = co_await leat::race(leat::stoppable(both.server.recv(five)),
                                                      leat::writable(both.client.native_handle()));
    CHECK_FALSE(late.has_value());
    CHECK(readable.has_value());
    const bool alive = co_await conformance::carries(both.client, both.server);  // the loser took nothing
    CHECK(alive);
}

LEAT_TEST("operations of datagrams are gathered, raced, spawned and limited") {
    auto here = datagram_tests::on_loopback();
    auto there = datagram_tests::on_loopback();
    const leat::endpoint to = there.local_endpoint();
    std::array<char, 10> buffer;
    auto gets = leat::spawn(leat::timeout(datagram_tests::patience, there.recv_from(buffer)));
    auto sends = leat::spawn(here.send_to("first", to));
    const leat::datagram got = co_await gets;
    CHECK(std::string_view(buffer.data(), got.size) == "first");
    CHECK(got.from == here.local_endpoint());
    co_await sends;

    co_await leat::spawn(here.connect(to));
    const auto [sent, size] = co_await leat::gather(here.send("second"), there.recv(buffer));
    (void)sent;
    CHECK(std::string_view(buffer.data(), size) == "second");
    const auto [nothing, slept] = co_await leat::race(there.recv_from(buffer), leat::yield());
    CHECK_FALSE(nothing.has_value());
    CHECK(slept.has_value());
}

LEAT_TEST("operations that have not begun wait in a container") {
    connection both = co_await connected();
    std::vector<leat::recv_exactly_awaiter> reads;
    std::array<std::array<char, 2>, 3> parts;
    for (auto& part : parts) {
        reads.push_back(both.server.recv_exactly(part));
    }
    co_await both.client.send_all("aabbcc");
    for (auto& read : reads) {
        co_await read;
    }
    CHECK(std::string_view(parts[0].data(), 2) == "aa");
    CHECK(std::string_view(parts[2].data(), 2) == "cc");
}

LEAT_TEST("an operation that was moved and never begun leaves its stream as it was") {
    connection both = co_await connected();
    {
        std::array<char, 1> byte;
        auto first = both.client.send_all("one", "two");
        auto second = std::move(first);
        auto reads = both.server.recv(byte);
        auto moved = std::move(reads);
    }
    CHECK(both.client.bytes_sent() == 0);
    const bool alive = co_await conformance::carries(both.client, both.server);
    CHECK(alive);
}
