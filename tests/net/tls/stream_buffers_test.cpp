// SPDX-License-Identifier: MIT
// What a TLS stream holds and sends while nothing is asked of it: the buffers that it leases, the memory that
// it takes, and the writes that it makes. Seen by the transport below.
#include <leat/testing/doctest.hpp>

#include <cstring>

#include <malloc.h>
#include <openssl/opensslv.h>

#include "stream_pair.hpp"

namespace leat::tls {
namespace {

// What one side of a connection has done to its transport.
struct transport_log {
    int sends = 0;
    int leased = 0;  // chunks that have not died
};

// Leases the chunks of counted transports; its buffers begin with the log that counts them.
class counting_pool final : public buffer_pool {
public:
    static chunk copy(const chunk& from, transport_log& log) {
        constexpr std::size_t head = sizeof(transport_log*);
        auto* const buffer = new std::byte[head + from.size()];
        transport_log* const counted = &log;
        std::memcpy(buffer, &counted, head);
        std::memcpy(buffer + head, from.data(), from.size());
        ++log.leased;
        static constinit counting_pool pool;
        chunk made(pool, buffer, 0, static_cast<std::uint32_t>(head + from.size()));
        made.remove_prefix(head);
        return made;
    }
    void release(std::byte* buffer, std::uint32_t /*index*/) noexcept override {
        transport_log* log = nullptr;
        std::memcpy(&log, buffer, sizeof(log));
        --log->leased;
        delete[] buffer;
    }
};

class counted_stream {
public:
    counted_stream(memory_stream below, transport_log& log) noexcept : below_(std::move(below)), log_(&log) {}

    task<std::size_t> recv(byte_buffer into) { return below_.recv(into); }
    task<> recv_exactly(byte_buffer into) { return below_.recv_exactly(into); }
    task<chunk> recv_chunk() {
        const chunk arrived = co_await below_.recv_chunk();
        if (arrived.empty()) {
            co_return chunk();
        }
        co_return counting_pool::copy(arrived, *log_);
    }
    task<std::size_t> send(byte_view from) {
        ++log_->sends;
        return below_.send(from);
    }
    task<> send_all(byte_view from) {
        ++log_->sends;
        return below_.send_all(from);
    }
    template <typename... More>
    task<> send_all(byte_view first, const More&... more) {
        ++log_->sends;
        return below_.send_all(first, more...);
    }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return below_.bytes_sent(); }
    void shutdown_send() { below_.shutdown_send(); }
    void close() noexcept { below_.close(); }

private:
    memory_stream below_;
    transport_log* log_;
};

struct counted_pair {
    transport_log client_log;
    transport_log server_log;
    std::pair<memory_stream, memory_stream> below = memory_stream::pair();
    stream_pair<counted_stream> both{counted_stream(std::move(below.first), client_log),
                                     counted_stream(std::move(below.second), server_log)};
};

}  // namespace

LEAT_TEST("TLS: a server's tickets leave in one write, with the end of the handshake") {
    counted_pair made;
    auto& [client, server] = made.both;
    co_await shake_hands(made.both);
    co_await let_others_run();
    CHECK(client.version() == "TLSv1.3");
    CHECK(made.server_log.sends == 2);  // its flight, and the tickets
    CHECK(server.session().output_size() == 0);
    CHECK(made.client_log.sends == 2);  // its hello, and its end of the handshake
}

LEAT_TEST("TLS: a server that speaks first sends its tickets in the same write") {
    counted_pair made;
    auto& [client, server] = made.both;
    auto greeting = spawn([&]() -> task<> {
        co_await server.handshake();
        co_await server.send_all("220 welcome");
    });
    std::string text(11, ' ');
    co_await client.recv_exactly(text);
    co_await greeting;
    co_await let_others_run();
    CHECK(text == "220 welcome");
    CHECK(made.server_log.sends == 2);
}

LEAT_TEST("TLS: tickets that a client does not read keep nobody from anything") {
    auto [near, far] = memory_stream::lockstep_pair();
    stream_pair<memory_stream> both(std::move(near), std::move(far));
    co_await shake_hands(both);
    auto sender = spawn(both.client.send_all("question"));
    std::string text(8, ' ');
    co_await both.server.recv_exactly(text);
    co_await sender;
    CHECK(text == "question");
}

LEAT_TEST("TLS: a connection that waits or only sends leases no buffer") {
    counted_pair made;
    auto& [client, server] = made.both;
    auto opening = spawn(client.handshake());
    auto answering = spawn([&]() -> task<> { co_await server.handshake(); });
    co_await join_all(opening, answering);
    CHECK(made.client_log.leased == 0);
    CHECK(made.server_log.leased == 0);
    co_await client.send_all("unread");
    co_await server.send_all("unread too");
    CHECK(made.client_log.leased == 0);
    CHECK(made.server_log.leased == 0);
    auto reader = spawn([&]() -> task<> {
        std::string text(7, ' ');
        co_await server.recv_exactly(text);
    });
    co_await let_others_run();
    CHECK(!reader.done());
    CHECK(made.server_log.leased == 0);
    reader.cancel();
    co_await join_all(reader);
}

LEAT_TEST("TLS: a handshake that waits for its peer leases no buffer, and little memory") {
    transport_log log;
    auto [near, far] = memory_stream::pair();
    session client(contexts::trusted().client, "a.example");
    CHECK(client.handshake().what == step::kind::has_output);
    const std::size_t before = ::mallinfo2().uordblks;
    stream<counted_stream> server(counted_stream(std::move(far), log), contexts::trusted().server);
    auto waiting = spawn(server.handshake());
    const std::span<const std::byte> hello = client.output();
    co_await near.send_all(hello.first(10));
    co_await let_others_run();
    CHECK(log.leased == 0);
    co_await near.send_all(hello.subspan(10));
    {
        const chunk flight = co_await near.recv_chunk();
        CHECK(flight.size() > 500);
    }
    co_await let_others_run();
    CHECK(!waiting.done());
    CHECK(log.leased == 0);
    // OpenSSL 3.5 brings keys of ML-KEM, which take 10 KB more.
    const std::size_t most = OPENSSL_VERSION_NUMBER >= 0x30500000L ? 64 * 1024 : 48 * 1024;
    CHECK(::mallinfo2().uordblks - before <= most);
    waiting.cancel();
    co_await join_all(waiting);
}

LEAT_TEST("TLS: who reads in small pieces what has been decrypted lets the other tasks run") {
    auto both = in_memory();
    co_await shake_hands(both);
    constexpr int pieces = 1000;
    co_await both.client.send_all(pattern(4 * pieces));  // one record
    int turns = 0;
    auto other = spawn([&]() -> task<> {
        for (;;) {
            co_await yield();
            ++turns;
        }
    });
    char piece[4];
    co_await both.server.recv_exactly(piece);
    const int before = turns;
    for (int i = 1; i < pieces; ++i) {
        if (i % 2 == 0) {
            co_await both.server.recv_exactly(piece);
        } else {
            (void)co_await both.server.recv(piece);
        }
    }
    CHECK(turns - before >= pieces / (leat::detail::inline_completions_max + 1) - 1);
    other.cancel();
    co_await join_all(other);
}

}  // namespace leat::tls
