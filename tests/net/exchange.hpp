// SPDX-License-Identifier: MIT
// exchange: programs whose connections carry numbered bytes both ways, so that one that is lost, doubled or
// out of place is seen, whatever the kernel does meanwhile.
#pragma once

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace net_tests {

inline std::string numbered(int client, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += std::to_string(client) + ":" + std::to_string(i) + ",";
    }
    return text;
}

inline leat::task<> echo_chunks(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
    peer.shutdown_send();
}

inline leat::task<> echo_in_pieces(leat::tcp_stream peer) {
    std::string buffer(5'000, ' ');
    for (;;) {
        const std::size_t count = co_await peer.recv(buffer);
        if (count == 0) {
            break;
        }
        const std::string_view text(buffer.data(), count);
        co_await peer.send_all(text.substr(0, count / 2), text.substr(count / 2));
    }
    peer.shutdown_send();
}

// Gives up waiting again and again: what a cancelled receive had is in the next one.
inline leat::task<> echo_impatiently(leat::tcp_stream peer) {
    std::string buffer(5'000, ' ');
    for (;;) {
        const auto count = co_await leat::move_on_after(std::chrono::microseconds(20), peer.recv(buffer));
        if (count && *count == 0) {
            break;
        }
        if (count) {
            co_await peer.send_all(std::string_view(buffer.data(), *count));
        }
    }
    peer.shutdown_send();
}

inline leat::task<> echo_somehow(int which, leat::tcp_stream peer) {
    switch (which % 3) {
        case 0:
            co_await echo_chunks(std::move(peer));
            break;
        case 1:
            co_await echo_in_pieces(std::move(peer));
            break;
        default:
            co_await echo_impatiently(std::move(peer));
    }
}

// What comes back of `text`: the first half by recv_exactly, the rest by chunks until the end.
inline leat::task<std::string> sent_and_echoed(leat::endpoint server, std::string text) {
    auto stream = co_await leat::tcp_stream::connect(server);
    auto sender = leat::spawn([&]() -> leat::task<> {
        co_await stream.send_all(text);
        stream.shutdown_send();
    });
    std::string received(text.size() / 2, ' ');
    co_await stream.recv_exactly(received);
    const leat::time_point before = leat::now();
    co_await leat::sleep(std::chrono::microseconds(100));
    CHECK(leat::now() - before >= std::chrono::microseconds(100));
    while (const auto chunk = co_await stream.recv_chunk()) {
        received += chunk.text();
    }
    co_await sender;
    co_return received;
}

// `clients` at once, each of which gets back what it sends. The server echoes in another way to each,
// beginning with the way `first`: by chunks, in pieces, or giving up again and again.
inline leat::task<> exchange(int clients, int count, int first = 0) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto server = leat::spawn([&]() -> leat::task<> {
        for (int i = 0; i < clients; ++i) {
            auto peer = co_await listener.accept();
            leat::spawn(echo_somehow, first + i, std::move(peer));
        }
    });
    std::vector<leat::handle<std::string>> all;
    for (int i = 0; i < clients; ++i) {
        all.push_back(leat::spawn(sent_and_echoed, listener.local_endpoint(), numbered(i, count)));
    }
    for (int i = 0; i < clients; ++i) {
        const std::string received =
            co_await leat::timeout(std::chrono::minutes(2), all[static_cast<std::size_t>(i)]);
        const bool same = received == numbered(i, count);
        CHECK_MESSAGE(same, "client " << i << " has " << received.size() << " bytes");
    }
    co_await server;
}

// By chunks, and now and then into a buffer of its own.
inline leat::task<> echo_by_turns(leat::tcp_stream peer) {
    std::string buffer(5'000, ' ');
    for (int turn = 1;; ++turn) {
        if (turn % 30 == 0) {
            const std::size_t count = co_await peer.recv(buffer);
            if (count == 0) {
                break;
            }
            co_await peer.send_all(std::string_view(buffer.data(), count));
        } else {
            const leat::chunk piece = co_await peer.recv_chunk();
            if (!piece) {
                break;
            }
            co_await peer.send_all(piece);
        }
    }
}

// Whether a text, which is another one in each round, came back each time.
inline leat::task<bool> echoed_each_round(leat::endpoint server, int client, int rounds) {
    auto stream = co_await leat::tcp_stream::connect(server);
    bool same = true;
    for (int round = 0; round < rounds; ++round) {
        const std::string text = numbered(1'000 * client + round, 1 + round * 97 % 2'500);
        auto sender = leat::spawn([&]() -> leat::task<> { co_await stream.send_all(text); });
        std::string received;
        while (received.size() < text.size()) {
            const leat::chunk piece = co_await stream.recv_chunk();
            if (!piece) {
                break;
            }
            received += piece.text();
        }
        same = same && received == text;
        co_await sender;
    }
    co_return same;
}

// The same with many rounds, so that receives wait again and again.
inline leat::task<> exchange_in_rounds(int clients, int rounds) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    std::vector<leat::handle<bool>> all;
    for (int i = 0; i < clients; ++i) {
        all.push_back(leat::spawn(echoed_each_round, listener.local_endpoint(), i, rounds));
        auto peer = co_await listener.accept();
        leat::spawn(echo_by_turns, std::move(peer));
    }
    for (auto& each : all) {
        const bool same = co_await leat::timeout(std::chrono::minutes(2), each);
        CHECK(same);
    }
}

}  // namespace net_tests
