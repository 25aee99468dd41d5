// SPDX-License-Identifier: MIT
// A session against a peer that does what ours never would: old versions and ciphers, KeyUpdate,
// renegotiation, early data.
#include <leat/testing/doctest.hpp>
#include <leat/tls/session.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

#include "endpoints.hpp"
#include "foreign_peer.hpp"
#include "stream_pair.hpp"

namespace leat::tls {
namespace {

testing::certificate issued() {
    return testing::certificate_authority().issue({"a.example"});
}

// Steps until the session has used up its inbox; what it decrypted.
std::string read_all(endpoint& ours, step& last) {
    std::string text;
    std::byte into[100];
    while (true) {
        last = ours.tls.read(into);
        if (last.done()) {
            text.append(reinterpret_cast<const char*>(into), last.bytes);
        } else if (last.what != step::kind::needs_input || !ours.feed_piece()) {
            return text;
        }
    }
}

TEST_CASE("TLS 1.1 is refused, and the client is told") {
    const context server_side = server_context(issued());
    endpoint server(server_side);
    foreign_peer client(TLS1_VERSION, TLS1_1_VERSION);
    const step refused = client.shake_hands(server);
    CHECK(refused.what == step::kind::failed);
    CHECK(refused.error == failure::protocol);
    CHECK(server.tls.error_text() == "unsupported protocol");
    CHECK(client.reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
}

TEST_CASE("TLS 1.2 is spoken") {
    const context server_side = server_context(issued());
    endpoint server(server_side);
    foreign_peer client(TLS1_2_VERSION, TLS1_2_VERSION);
    REQUIRE(client.shake_hands(server).done());
    CHECK(server.tls.version() == "TLSv1.2");
    client.write("question", server);
    step last;
    CHECK(read_all(server, last) == "question");
    CHECK(server.tls.write(std::as_bytes(std::span(std::string_view("answer")))).done());
    client.hear(server.tls);
    CHECK(client.read() == "answer");
}

TEST_CASE("of TLS 1.2, only ciphers with forward secrecy and authenticated encryption are spoken") {
    const testing::certificate_authority authority;
    const auto outcome = [](const testing::certificate& shown, const char* ciphers) -> std::string {
        const context server_side = server_context(shown);
        endpoint server(server_side);
        foreign_peer client(TLS1_2_VERSION, TLS1_2_VERSION);
        REQUIRE(SSL_set_cipher_list(client.ssl(), ciphers) == 1);
        const bool done = client.shake_hands(server).done();
        return done ? std::string(server.tls.cipher()) : server.tls.error_text();
    };
    const testing::certificate ec = authority.issue({"a.example"});
    const testing::certificate rsa = authority.issue({"a.example"}, {.key = testing::key_kind::rsa});
    for (const char* good : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                             "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
        CHECK(outcome(ec, good) == good);
    }
    CHECK(outcome(rsa, "ECDHE-RSA-AES128-GCM-SHA256") == "ECDHE-RSA-AES128-GCM-SHA256");
    CHECK(outcome(ec, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-CCM") == "no shared cipher");
    CHECK(outcome(rsa, "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-GCM-SHA256") ==
          "no shared cipher");
}

TEST_CASE("early data is not offered, and skipped when it is sent all the same") {
    const context server_side = server_context(issued());
    std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> ticket(nullptr, SSL_SESSION_free);
    {
        endpoint server(server_side);
        foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
        REQUIRE(client.shake_hands(server).done());
        CHECK(client.read() == "");  // it takes the tickets
        ticket.reset(SSL_get1_session(client.ssl()));
        SSL_set_shutdown(client.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // it stays good
    }
    REQUIRE(SSL_SESSION_is_resumable(ticket.get()) == 1);
    CHECK(SSL_SESSION_get_max_early_data(ticket.get()) == 0);

    endpoint server(server_side);
    foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
    REQUIRE(SSL_SESSION_set_max_early_data(ticket.get(), 1000) == 1);
    REQUIRE(SSL_set_session(client.ssl(), ticket.get()) == 1);
    std::size_t sent = 0;
    REQUIRE(SSL_write_early_data(client.ssl(), "early", 5, &sent) == 1);
    REQUIRE(client.shake_hands(server).done());
    CHECK(SSL_get_early_data_status(client.ssl()) == SSL_EARLY_DATA_REJECTED);
    client.write("late", server);
    step last;
    CHECK(read_all(server, last) == "late");
}

TEST_CASE("renegotiation is refused and the connection goes on") {
    const context server_side = server_context(issued());
    endpoint server(server_side);
    foreign_peer client(TLS1_2_VERSION, TLS1_2_VERSION);
    REQUIRE(client.shake_hands(server).done());
    REQUIRE(SSL_renegotiate(client.ssl()) == 1);
    SSL_do_handshake(client.ssl());
    client.send_output_to(server.inbox);
    step last;
    CHECK(read_all(server, last).empty());
    CHECK(last.what == step::kind::has_output);  // the refusal, a warning
    CHECK(server.tls.wants_flush());
    CHECK(server.tls.version() == "TLSv1.2");
    CHECK(server.tls.write(std::as_bytes(std::span(std::string_view("still here")))).done());
}

TEST_CASE("a server that wants to renegotiate is told no, and nothing breaks here") {
    testing::certificate_authority authority;
    const testing::certificate shown = authority.issue({"a.example"});
    const context client_side = client_context(authority);
    endpoint client(client_side, "a.example");
    foreign_peer server(TLS1_2_VERSION, TLS1_2_VERSION, &shown);
    REQUIRE(server.shake_hands(client).done());
    REQUIRE(SSL_renegotiate(server.ssl()) == 1);
    SSL_do_handshake(server.ssl());
    server.send_output_to(client.inbox);
    step last;
    CHECK(read_all(client, last).empty());
    CHECK(last.what == step::kind::has_output);
    server.hear(client.tls);
    char into[10];
    CHECK(SSL_read(server.ssl(), into, sizeof(into)) <= 0);
    CHECK(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    CHECK(client.tls.write(std::as_bytes(std::span(std::string_view("still here")))).done());
}

void ask_for_key_update(foreign_peer& client) {
    REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    REQUIRE(SSL_do_handshake(client.ssl()) == 1);
}

TEST_CASE("key updates are answered, and both sides go on with new keys") {
    const context server_side = server_context(issued());
    endpoint server(server_side);
    foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
    REQUIRE(client.shake_hands(server).done());
    for (int round = 0; round < 3; ++round) {
        ask_for_key_update(client);
        ask_for_key_update(client);
        client.send_output_to(server.inbox);
        step last;
        CHECK(read_all(server, last).empty());
        CHECK(last.what == step::kind::has_output);  // OpenSSL answers the last one with the next data
        CHECK(server.tls.wants_flush());
        std::byte into[10];
        CHECK(server.tls.read(into).what == step::kind::needs_input);  // a writer may send it meanwhile
        client.write("new keys", server);
        CHECK(read_all(server, last) == "new keys");
        CHECK(server.tls.write(std::as_bytes(std::span(std::string_view("here too")))).done());
        client.hear(server.tls);
        CHECK(client.read() == "here too");
    }
}

TEST_CASE("a peer that asks without end and never reads gets a bounded answer") {
    const context server_side = server_context(issued());
    endpoint server(server_side);
    foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
    REQUIRE(client.shake_hands(server).done());
    for (int asked = 0; asked < 5000; ++asked) {
        ask_for_key_update(client);
    }
    client.write("at last", server);
    std::byte into[100];
    REQUIRE(server.feed_piece());
    CHECK(server.tls.read(into).what == step::kind::has_output);
    CHECK(server.tls.read(into).what == step::kind::has_output);
    CHECK(server.tls.output_size() < detail::wire::replies_max + 1000);
    CHECK_FALSE(server.tls.unread_input().empty());
    // A writer is not held up, and does not make room for more answers by itself.
    CHECK(server.tls.write(std::as_bytes(std::span(std::string_view("x")))).done());
    CHECK(server.tls.read(into).what == step::kind::has_output);
    // Once the peer reads, all is answered.
    step result;
    do {
        server.tls.consume(server.tls.output().size());
        result = server.tls.read(into);
    } while (result.what == step::kind::has_output);
    CHECK(result.done());
    CHECK(result.bytes == 7);
    ask_for_key_update(client);
    ask_for_key_update(client);
    client.send_output_to(server.inbox);
    REQUIRE(server.feed_piece());
    CHECK(server.tls.read(into).what == step::kind::has_output);
    CHECK(server.tls.read(into).what == step::kind::needs_input);
}

}  // namespace

LEAT_TEST("TLS: a peer that changes its keys without end keeps no other task from its turn") {
    auto [near, far] = memory_stream::pair();
    foreign_peer client(TLS1_3_VERSION, TLS1_3_VERSION);
    stream<memory_stream> server(std::move(far), contexts::trusted().server);
    auto reader = spawn([&]() -> task<> {
        char last[1];
        co_await server.recv_exactly(last);
    });
    while (SSL_do_handshake(client.ssl()) != 1) {
        ERR_clear_error();
        std::vector<std::byte> said;
        client.send_output_to(said);
        co_await near.send_all(said);
        const chunk heard = co_await near.recv_chunk();
        BIO_write(SSL_get_rbio(client.ssl()), heard.data(), static_cast<int>(heard.size()));
    }
    for (int i = 0; i < 8000; ++i) {  // each is 22 bytes and more, a dozen buffers in all
        REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        REQUIRE(SSL_do_handshake(client.ssl()) == 1);
    }
    SSL_write(client.ssl(), "x", 1);
    std::vector<std::byte> said;
    client.send_output_to(said);
    auto sender = spawn([&]() -> task<> { co_await near.send_all(said); });
    int turns = 0;
    while (!reader.done()) {
        co_await yield();
        ++turns;
    }
    co_await sender;
    CHECK(static_cast<std::size_t>(turns) >= said.size() / (16 * 1024) - 1);
}

}  // namespace leat::tls
