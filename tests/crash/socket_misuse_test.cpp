// SPDX-License-Identifier: MIT
// Misuse of sockets, streams and chunks aborts and names the rule: by a run they are not at home in, and of
// what was moved from. And receiving where there is no room.
#include "../net/conformance/connected.hpp"
#include "aborts.hpp"

#include <leat/any_stream.hpp>
#include <leat/runtime.hpp>
#include <leat/serve.hpp>
#include <leat/system/pipe.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/memory_stream.hpp>
#include <leat/testing/scripted_stream.hpp>
#include <leat/threads.hpp>
#include <leat/udp.hpp>
#include <leat/unix.hpp>
#include <leat/unix_seqpacket.hpp>

#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <unistd.h>

#include <doctest/doctest.h>

using conformance::connected;
using conformance::connection;
using leat::testing::check_task_aborts;
using leat::testing::memory_stream;
using leat::testing::scripted_stream;

namespace {

constexpr const char* home_rule =
    "a socket is used and closed by the run that it is at home in, until it is detached from that";

leat::task<connection> used_connection() {
    connection both = co_await connected();
    co_await both.client.send_all("ab");
    std::array<char, 1> byte;
    co_await both.server.recv_exactly(byte);
    co_return both;
}

// `use` of a stream that is at home in a run, by the run of another thread.
void check_use_elsewhere(leat::task<> (*use)(leat::tcp_stream&)) {
    if (!leat::testing::children_have_threads) {
        return;
    }
    check_task_aborts(
        [use]() -> leat::task<> {
            connection both = co_await used_connection();
            std::thread([&] { leat::run([&] { return use(both.server); }); }).join();
        },
        home_rule);
}

leat::task<> unread_while_somebody_receives() {
    connection both = co_await connected();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await both.server.recv_chunk(); });
    co_await leat::yield();
    both.server.unread(leat::copied_chunk(std::as_bytes(std::span("x", 1))));
}

leat::task<> detach_while_somebody_waits() {
    connection both = co_await connected();
    auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await both.server.recv_chunk(); });
    co_await leat::yield();
    both.server.detach();
}

template <typename Object>
void check_moved_from(Object (*make)(), void (*use)(Object&), const char* rule) {
    check_task_aborts(
        [=]() -> leat::task<> {
            Object object = make();
            const Object taken(std::move(object));
            use(object);
            co_return;
        },
        rule);
}

constexpr const char* no_room = "recv was given an empty buffer";

// `make` gives a pair whose first is a stream to receive from, for which something has come or has not.
template <typename Make>
void check_receiving_nothing_aborts(Make make) {
    check_task_aborts(
        [=]() -> leat::task<> {
            auto both = make();
            (void)co_await both.first.recv(std::span<std::byte>());
        },
        no_room);
}

}  // namespace

TEST_CASE("using a stream in a run that it is not at home in aborts") {
    check_use_elsewhere([](leat::tcp_stream& on) -> leat::task<> {
        std::array<char, 1> byte;
        (void)co_await on.recv(byte);
    });
    check_use_elsewhere([](leat::tcp_stream& on) -> leat::task<> { (void)co_await on.recv_chunk(); });
    check_use_elsewhere([](leat::tcp_stream& on) -> leat::task<> { co_await on.send_all("abc"); });
    check_use_elsewhere([](leat::tcp_stream& on) -> leat::task<> {
        on.close();
        co_return;
    });
    check_use_elsewhere([](leat::tcp_stream& on) -> leat::task<> {
        on.detach();
        co_return;
    });
}

TEST_CASE("closing a stream on a thread without a run aborts while it is at home in one") {
    if (!leat::testing::children_have_threads) {
        return;
    }
    check_task_aborts(
        []() -> leat::task<> {
            connection both = co_await used_connection();
            std::thread([&] { both.server.close(); }).join();
        },
        home_rule);
}

TEST_CASE("an operation that is awaited in another run than the one its stream is at home in aborts") {
    if (!leat::testing::children_have_threads) {
        return;
    }
    check_task_aborts(
        []() -> leat::task<> {
            connection both = co_await used_connection();
            auto recv = both.server.recv_chunk();
            std::thread([&] { leat::run([&]() -> leat::task<> { (void)co_await recv; }); }).join();
        },
        home_rule);
}

TEST_CASE(
    "detaching a stream that somebody waits on aborts, and so does giving bytes back to it, on every "
    "backend") {
    for (const auto& each : leat::testing::backends(leat::testing::every_backend)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        leat::testing::check_aborts([&] { leat::testing::run_on(each, detach_while_somebody_waits); },
                                    "nobody waits on a socket that is detached");
        leat::testing::check_aborts([&] { leat::testing::run_on(each, unread_while_somebody_receives); },
                                    "bytes are given back to a stream while no task receives from it");
    }
}

TEST_CASE("freeing a chunk on another thread than its run's aborts while that goes on") {
    if (!leat::testing::children_have_threads) {
        return;
    }
    check_task_aborts(
        []() -> leat::task<> {
            connection both = co_await connected();
            co_await both.client.send_all("abc");
            leat::chunk held = co_await both.server.recv_chunk();
            std::thread([&] { held.reset(); }).join();
        },
        "a chunk is freed by the thread that received it, until its run has ended");
}

TEST_CASE("closing an end of a pipe from another run than that of the task that uses it aborts") {
    if (!leat::testing::children_have_threads) {
        return;
    }
    check_task_aborts(
        []() -> leat::task<> {
            auto [reader, writer] = leat::make_pipe();
            auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await reader.recv_chunk(); });
            co_await leat::yield();
            std::thread([&] { reader.close(); }).join();
        },
        "an end of a pipe that a task uses is closed by the run of that task");
}

TEST_CASE("receiving into an empty buffer aborts on every kind of stream, for its 0 would mean the end") {
    check_receiving_nothing_aborts([] { return leat::unix_stream::pair(); });
    check_receiving_nothing_aborts([] { return leat::make_pipe(); });
    check_receiving_nothing_aborts([] { return memory_stream::pair(); });
    check_receiving_nothing_aborts([] { return std::pair(scripted_stream(), 0); });
    check_receiving_nothing_aborts(
        [] { return std::pair(leat::any_stream(memory_stream::pair().first), 0); });
    check_task_aborts(
        []() -> leat::task<> {
            connection both = co_await connected();
            (void)co_await leat::as_result(both.server.recv(std::span<char>()));
        },
        no_room);
}

TEST_CASE("receiving a message or descriptors into an empty buffer aborts where a size of 0 is the end") {
    check_task_aborts(
        []() -> leat::task<> {
            auto both = leat::unix_stream::pair();
            (void)co_await both.first.recv_with(std::span<char>(), {});
        },
        no_room);
    check_task_aborts(
        []() -> leat::task<> {
            auto both = leat::unix_seqpacket::pair();
            (void)co_await both.first.recv(std::span<char>());
        },
        no_room);
    check_task_aborts(
        []() -> leat::task<> {
            auto both = leat::unix_seqpacket::pair();
            (void)co_await both.first.recv_with(std::span<char>(), {});
        },
        no_room);
}

TEST_CASE("using a listener or a socket that was moved from aborts") {
    constexpr const char* rule = "the listener was moved from";
    using leat::tcp_listener;
    using leat::udp_socket;
    using leat::unix_listener;
    const auto tcp = [] { return tcp_listener::bind({"127.0.0.1", 0}); };
    check_moved_from<tcp_listener>(tcp, [](tcp_listener& on) { on.close(); }, rule);
    check_moved_from<tcp_listener>(tcp, [](tcp_listener& on) { (void)on.native_handle(); }, rule);
    check_moved_from<tcp_listener>(tcp, [](tcp_listener& on) { (void)on.local_endpoint(); }, rule);
    const auto by_name = [] { return unix_listener::bind({}); };
    check_moved_from<unix_listener>(by_name, [](unix_listener& on) { on.close(); }, rule);
    check_moved_from<unix_listener>(by_name, [](unix_listener& on) { (void)on.native_handle(); }, rule);
    const auto udp = [] { return udp_socket::bind({"127.0.0.1", 0}); };
    check_moved_from<udp_socket>(udp, [](udp_socket& on) { on.close(); }, "the socket was moved from");
}

TEST_CASE("accepting with a listener that was moved from aborts") {
    check_task_aborts(
        []() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            const leat::tcp_listener taken(std::move(listener));
            (void)co_await listener.accept();
        },
        "the listener was moved from");
}

TEST_CASE("a server whose limits allow nothing aborts") {
    constexpr const char* rule =
        "the times that a server gives its clients, and its connections of one address, are more than none";
    const auto ignore = [](leat::tcp_stream) -> leat::task<> { co_return; };
    for (const leat::serve_options& options :
         {leat::serve_options{.per_address = 0}, leat::serve_options{.idle = leat::duration(0)},
          leat::serve_options{.handshake = leat::duration(0)}}) {
        check_task_aborts(
            [=]() -> leat::task<> {
                co_await leat::serve(leat::tcp_listener::bind({"127.0.0.1", 0}), ignore, options);
            },
            rule);
    }
}

TEST_CASE("a datagram socket that coalesces is received from by recv_batch only, with enough room") {
    check_task_aborts(
        []() -> leat::task<> {
            auto socket = leat::udp_socket::bind({"127.0.0.1", 0}, {.coalesce = true});
            std::array<char, 10> buffer;
            (void)co_await socket.recv(buffer);
        },
        "a socket that coalesces datagrams is received from by recv_batch");
    check_task_aborts(
        []() -> leat::task<> {
            auto socket = leat::udp_socket::bind({"127.0.0.1", 0}, {.coalesce = true});
            co_await socket.send_to("x", socket.local_endpoint());
            auto taken_over = leat::udp_socket::from_fd(::dup(socket.native_handle()));
            std::array<char, 10> buffer;
            (void)co_await taken_over.recv_from(buffer);
        },
        "a socket that coalesces datagrams is received from by recv_batch");
    check_task_aborts(
        []() -> leat::task<> {
            auto socket = leat::udp_socket::bind({"127.0.0.1", 0}, {.coalesce = true});
            leat::received_batch batch;
            co_await socket.recv_batch(batch);
        },
        "a batch for a socket that coalesces datagrams has room for 65,535 bytes of each");
}

TEST_CASE("a batch without room, and the first of an empty one, are misuse") {
    check_task_aborts(
        []() -> leat::task<> {
            const leat::received_batch batch(0);
            co_return;
        },
        "a batch has room for a datagram");
    check_task_aborts(
        []() -> leat::task<> {
            leat::outgoing_batch batch;
            batch.drop_first();
            co_return;
        },
        "an empty batch has no first datagram");
}

TEST_CASE("using a batch that was moved from aborts") {
    constexpr const char* rule = "the batch was moved from";
    check_task_aborts(
        []() -> leat::task<> {
            auto socket = leat::udp_socket::bind({"127.0.0.1", 0});
            leat::received_batch batch;
            const leat::received_batch taken(std::move(batch));
            co_await socket.recv_batch(batch);
        },
        rule);
    check_task_aborts(
        []() -> leat::task<> {
            leat::outgoing_batch batch;
            const leat::outgoing_batch taken(std::move(batch));
            batch.add("x");
            co_return;
        },
        rule);
}

TEST_CASE("an empty message of a connection is misuse") {
    check_task_aborts(
        []() -> leat::task<> {
            auto both = leat::unix_seqpacket::pair();
            co_await both.first.send("");
        },
        "a message of a unix_seqpacket is not empty");
}
