// SPDX-License-Identifier: MIT
// How TCP connections end, whoever ends them and whatever the other side is doing.
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <system_error>

namespace {

struct connection {
    leat::tcp_stream client;
    leat::tcp_stream server;
};

leat::task<connection> connected() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    connection both{std::move(client), std::move(server)};
    co_return both;
}

// Everything that comes, until the end.
leat::task<std::string> read_to_the_end(leat::tcp_stream& from) {
    std::string all;
    while (const auto chunk = co_await from.recv_chunk()) {
        all += chunk.text();
    }
    co_return all;
}

leat::task<leat::result<void>> send_whole(leat::tcp_stream& to, std::string_view text) {
    co_return co_await leat::as_result(to.send_all(text));
}

leat::task<leat::result<std::size_t>> recv_one(leat::tcp_stream& from) {
    char byte = 0;
    co_return co_await leat::as_result(from.recv(std::span(&byte, 1)));
}

// Until what was spawned has ended, or waits.
leat::task<> let_it_wait() {
    for (int i = 0; i < 20; ++i) {
        co_await leat::yield();
    }
}

}  // namespace

LEAT_TEST("sending nothing sends nothing, and fails on a closed stream") {
    connection both = co_await connected();
    co_await both.client.send_all("");
    const std::size_t none = co_await both.client.send("");
    CHECK(none == 0);
    CHECK(both.client.bytes_sent() == 0);
    co_await both.client.send_all("x");
    char bytes[2];
    const std::size_t came = co_await both.server.recv(bytes);
    CHECK(came == 1);
    both.client.close();
    const auto late = co_await leat::as_result(both.client.send_all(""));
    CHECK(late.error() == leat::stream_errc::closed);
}

LEAT_TEST("all data comes before the end, which is told as often as asked") {
    connection both = co_await connected();
    co_await both.server.send_all("first, ");
    co_await both.server.send_all("last");
    both.server.close();
    const std::string all = co_await read_to_the_end(both.client);
    CHECK(all == "first, last");
    for (int again = 0; again < 3; ++again) {
        char byte = 'x';
        const std::size_t rest = co_await both.client.recv(std::span(&byte, 1));
        CHECK(rest == 0);
        const auto chunk = co_await both.client.recv_chunk();
        CHECK(chunk.size() == 0);
        const auto exactly = co_await leat::as_result(both.client.recv_exactly(std::span(&byte, 1)));
        CHECK(exactly.error() == leat::stream_errc::end_of_stream);
        CHECK(byte == 'x');
    }
}

LEAT_TEST("a reset wakes who waits to receive and who waits to send") {
    connection both = co_await connected();
    const std::string more_than_fits(20'000'000, 'x');
    auto sender = leat::spawn([&]() { return send_whole(both.client, more_than_fits); });
    co_await let_it_wait();
    CHECK_FALSE(sender.done());
    both.server.set_reset_on_close();
    both.server.close();
    const auto sent = co_await sender;
    CHECK(sent.error() == std::errc::connection_reset);

    both = co_await connected();
    auto receiver = leat::spawn([&]() { return recv_one(both.client); });
    co_await let_it_wait();
    both.server.set_reset_on_close();
    both.server.close();
    const auto received = co_await receiver;
    CHECK(received.error() == std::errc::connection_reset);
}

LEAT_TEST("both sides end at once, and again, behind what they have sent") {
    connection both = co_await connected();
    co_await both.client.send_all("from the client");
    co_await both.server.send_all("from the server");
    for (int again = 0; again < 2; ++again) {
        both.client.shutdown_send();
        both.server.shutdown_send();
    }
    const std::string at_the_client = co_await read_to_the_end(both.client);
    const std::string at_the_server = co_await read_to_the_end(both.server);
    CHECK(at_the_client == "from the server");
    CHECK(at_the_server == "from the client");
    const auto refused = co_await leat::as_result(both.client.send("x"));
    CHECK(refused.error() == std::errc::broken_pipe);
}

LEAT_TEST("a connection whose peer has gone before it was accepted has its bytes, then its end") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    co_await client.send_all("good bye");
    client.close();
    auto server = co_await listener.accept();
    const std::string all = co_await read_to_the_end(server);
    CHECK(all == "good bye");
}
