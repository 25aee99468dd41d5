// SPDX-License-Identifier: MIT
#include <leat/testing/check_stream.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls/stream.hpp>

#include <optional>

#include "../../crash/aborts.hpp"
#include "../../support/mapped_memory.hpp"
#include "stream_pair.hpp"

namespace leat::tls {
namespace {

static_assert(leat::stream<stream<tcp_stream>>);
static_assert(leat::stream<stream<memory_stream>>);

template <typename Stream>
task<> echo(Stream& peer) {
    while (const chunk piece = co_await peer.recv_chunk()) {
        co_await peer.send_all(piece);
    }
    co_await peer.shutdown_send();
}

// Sends and receives at the same time; whether every byte came back.
template <typename Pair>
task<bool> echoes(Pair& both, std::size_t size) {
    const std::string sent = pattern(size);
    auto server = spawn([&] { return echo(both.server); });
    auto sender = spawn([&]() -> task<> {
        co_await both.client.send_all(sent);
        co_await both.client.shutdown_send();
    });
    const std::string received = co_await read_all(both.client);
    co_await server;
    co_await sender;
    co_return received == sent;
}

}  // namespace

LEAT_TEST("TLS over TCP is a stream as streams are to be") {
    co_await testing::check_stream([]() -> task<std::pair<stream<tcp_stream>, stream<tcp_stream>>> {
        auto both = co_await over_tcp();
        co_await shake_hands(both);
        co_return std::pair(std::move(both.client), std::move(both.server));
    });
}

LEAT_TEST("TLS in memory is a stream as streams are to be") {
    co_await testing::check_stream(
        []() -> task<std::pair<stream<memory_stream>, stream<memory_stream>>> {
            auto both = in_memory({.capacity = 50'000});
            co_await shake_hands(both);
            co_return std::pair(std::move(both.client), std::move(both.server));
        },
        {.large = 300'000, .blocks = 500'000});
}

LEAT_TEST("TLS: megabytes go both ways at once") {
    auto both = co_await over_tcp();
    const bool whole = co_await echoes(both, 8'000'000);
    CHECK(whole);
    CHECK(both.client.bytes_sent() == 8'000'000);
}

LEAT_TEST("TLS: the network may move one byte at a time") {
    auto both = in_memory({.capacity = 1, .piece = 1});
    const bool whole = co_await echoes(both, 20'000);
    CHECK(whole);
}

LEAT_TEST(
    "TLS: of a length beyond 31 and 32 bits a part is sent, until the peer goes or the sender is cancelled") {
    const test_support::mapped_memory memory(test_support::four_gigabytes + 7);
    for (const std::size_t length : test_support::long_lengths) {
        const std::span<const std::byte> bytes = memory.bytes().first(length);
        auto both = in_memory({.capacity = 100'000});
        co_await shake_hands(both);
        auto some_sender = spawn(both.client.send(bytes));
        std::string some(1'000, ' ');
        co_await both.server.recv_exactly(some);
        const std::size_t taken = co_await some_sender;
        CHECK(taken >= some.size());
        CHECK(taken < length);
        auto sender = spawn([&] { return fails(both.client.send_all(bytes, "", bytes)); });
        some.resize(1'000'000);
        co_await both.server.recv_exactly(some);
        both.server.close();
        const failure_of failed = co_await sender;
        CHECK(failed.code == std::errc::broken_pipe);
        CHECK(both.client.bytes_sent() > some.size());
        CHECK(both.client.bytes_sent() < length);

        auto next = in_memory({.capacity = 100'000});
        co_await shake_hands(next);
        const bool finished =
            co_await move_on_after(std::chrono::milliseconds(1), next.client.send_all(bytes));
        CHECK_FALSE(finished);
        CHECK(next.client.bytes_sent() > 0);
        CHECK(next.client.bytes_sent() < length);
    }
}

LEAT_TEST("TLS: reads into a length beyond 31 and 32 bits get what there is") {
    const test_support::mapped_memory memory(test_support::four_gigabytes + 7);
    for (const std::size_t length : test_support::long_lengths) {
        const std::span<std::byte> bytes = memory.bytes().first(length);
        auto both = in_memory();
        co_await shake_hands(both);
        co_await both.client.send_all("three");
        const bool finished =
            co_await move_on_after(std::chrono::milliseconds(1), both.server.recv_exactly(bytes));
        CHECK_FALSE(finished);
        const std::size_t count = co_await both.server.recv(bytes);
        CHECK(count == 5);
        co_await both.client.send_all("few");
        co_await both.client.shutdown_send();
        const failure_of failed = co_await fails(both.server.recv_exactly(bytes));
        CHECK(failed.code == stream_errc::end_of_stream);
        CHECK(failed.text.find("3 of " + std::to_string(length) + " bytes arrived") != std::string::npos);
    }
}

LEAT_TEST("TLS: small reads see every byte in order") {
    auto both = co_await over_tcp();
    const std::string sent = pattern(50'000);
    auto sender = spawn([&]() -> task<> {
        co_await both.server.send_all(sent);
        co_await both.server.shutdown_send();
    });
    std::string received;
    for (std::size_t size = 1;; size = size % 700 + 1) {
        std::string buffer(size, ' ');
        const std::size_t count = co_await both.client.recv(buffer);
        if (count == 0) {
            break;
        }
        received.append(buffer, 0, count);
    }
    CHECK(received == sent);
    co_await sender;
}

LEAT_TEST("TLS: the first operation of each side shakes hands") {
    auto both = co_await over_tcp();
    auto asking = spawn(both.client.send_all("ping"));
    char text[4] = {};
    co_await both.server.recv_exactly(text);
    co_await asking;
    CHECK(std::string_view(text, 4) == "ping");
    CHECK(both.client.version() == "TLSv1.3");
    CHECK(both.client.alpn() == "http/1.1");
    CHECK(both.server.alpn() == "http/1.1");
    CHECK(both.client.peer_subject() == "CN=a.example");
    CHECK(both.server.peer_subject().empty());
    CHECK(both.server.session().server_name() == "a.example");
    CHECK(both.client.remote_endpoint() == both.server.local_endpoint());
}

LEAT_TEST("TLS: a handshake that was done is done") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    co_await both.client.handshake();
    CHECK(both.client.session().established());
}

LEAT_TEST("TLS: after its end of sending a side still receives") {
    auto both = co_await over_tcp();
    auto server = spawn([&]() -> task<> {
        const std::string question = co_await read_all(both.server);
        co_await both.server.send_all("you said ", question, ", ", "and then nothing");
        co_await both.server.shutdown_send();
    });
    co_await both.client.send_all("hello");
    co_await both.client.shutdown_send();
    const std::string answer = co_await read_all(both.client);
    CHECK(answer == "you said hello, and then nothing");
    char one[1];
    const std::size_t more = co_await both.client.recv(one);
    CHECK(more == 0);
    co_await server;
    const failure_of late = co_await fails(both.client.send_all("too late"));
    CHECK(late.code == std::errc::broken_pipe);
    CHECK(late.text ==
          "send to a.example (" + both.client.remote_endpoint().to_string() + "): written to after shutdown");
}

LEAT_TEST("TLS: send takes at least one byte and says how many") {
    auto both = co_await over_tcp();
    const std::string sent = pattern(300'000);
    auto sender = spawn([&]() -> task<> {
        std::string_view rest = sent;
        while (!rest.empty()) {
            const std::size_t count = co_await both.client.send(rest);
            CHECK(count > 0);
            rest.remove_prefix(count);
        }
        co_await both.client.shutdown_send();
    });
    const std::string received = co_await read_all(both.server);
    CHECK(received == sent);
    co_await sender;
    const std::size_t nothing = co_await both.server.send("");
    CHECK(nothing == 0);
}

TEST_CASE("TLS: receiving into an empty buffer aborts, for its 0 would mean the end") {
    testing::check_task_aborts(
        []() -> task<> {
            auto both = in_memory();
            (void)co_await both.server.recv(std::span<std::byte>());
        },
        "recv was given an empty buffer");
}

LEAT_TEST("TLS: a chunk outlives its stream") {
    chunk kept;
    {
        auto both = co_await over_tcp();
        auto sender = spawn(both.client.send_all("to be kept"));
        kept = co_await both.server.recv_chunk();
        co_await sender;
    }
    CHECK(kept.text() == "to be kept");
}

LEAT_TEST("TLS: a stream may move while it is used") {
    auto both = co_await over_tcp();
    co_await shake_hands(both);
    std::string text(4, ' ');
    auto reader = spawn(both.server.recv_exactly(text));
    co_await let_others_run();
    stream<tcp_stream> moved = std::move(both.server);
    co_await both.client.send_all("here");
    co_await reader;
    CHECK(text == "here");
    co_await moved.send_all("there");
    co_await both.client.recv_exactly(std::span(text));
}

LEAT_TEST("TLS runs over TLS") {
    auto below = co_await over_tcp();
    stream_pair<stream<tcp_stream>> both(std::move(below.client), std::move(below.server));
    const bool whole = co_await echoes(both, 300'000);
    CHECK(whole);
}

LEAT_TEST("tls::connect and tls::accept give streams that have shaken hands") {
    const testing::certificate_authority authority;
    const contexts with(authority, authority.issue({"127.0.0.1", "a.example"}));
    tcp_listener listener = tcp_listener::bind({"127.0.0.1", 0});
    for (const std::string_view name : {"", "a.example"}) {
        auto serving = spawn([&]() -> task<stream<tcp_stream>> {
            tcp_stream peer = co_await listener.accept();
            auto secure = co_await accept(std::move(peer), with.server);
            co_return std::move(secure);
        });
        const int port = listener.local_endpoint().port();
        auto client = co_await connect(with.client, "127.0.0.1", port, {.server_name = name});
        auto server = co_await serving;
        CHECK(client.session().established());
        CHECK(server.session().established());
        CHECK(server.session().server_name() == name);
    }
}

LEAT_TEST("tls::connect takes an IPv6 address in brackets, and checks the certificate for it") {
    const testing::certificate_authority authority;
    const contexts with(authority, authority.issue({"::1"}));
    std::optional<tcp_listener> listener;
    try {
        listener.emplace(tcp_listener::bind({"::1", 0}));
    } catch (const std::system_error& failed) {
        MESSAGE("skipped: no IPv6: " << failed.what());
        co_return;
    }
    auto serving = spawn([&]() -> task<stream<tcp_stream>> {
        tcp_stream peer = co_await listener->accept();
        auto secure = co_await accept(std::move(peer), with.server);
        co_return std::move(secure);
    });
    auto client = co_await connect(with.client, "[::1]", listener->local_endpoint().port());
    auto server = co_await serving;
    CHECK(client.session().established());
    CHECK(server.session().server_name() == "");
}

LEAT_TEST("tls::connect refuses whom no certificate can be for before it connects") {
    const contexts& with = contexts::trusted();
    // Nobody listens there: connecting would be refused.
    const auto failure = [&](std::string host, std::string_view name) -> task<std::string> {
        try {
            (void)co_await connect(with.client, std::move(host), 1, {.server_name = name});
        } catch (const error& refused) {
            CHECK(refused.code() == tls::failure::configuration);
            co_return refused.what();
        } catch (const std::system_error& failed) {
            co_return failed.what();
        }
        co_return "";
    };
    const std::string named = co_await failure("127.0.0.1", "a b");
    CHECK(named == "not a host name or address: \"a b\"");
    const std::string address = co_await failure("[127.0.0.1]", "");
    CHECK(address == "not a host name or address: \"[127.0.0.1]\"");
}

LEAT_TEST("TLS: the second connection of a client resumes the first") {
    for (const bool again : {false, true}) {
        auto both = co_await over_tcp();
        auto sender = spawn(both.server.send_all("hello"));
        std::string text(5, ' ');
        co_await both.client.recv_exactly(text);
        co_await sender;
        CHECK((!again || both.client.session().resumed()));
    }
}

}  // namespace leat::tls
