// SPDX-License-Identifier: MIT
#include <leat/tls/session.hpp>

#include <doctest/doctest.h>

#include "endpoints.hpp"

namespace leat::tls {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST_CASE("after the handshake, what either side writes the other reads") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.tls.version() == "TLSv1.3");
    CHECK(both.client.tls.cipher() == both.server.tls.cipher());
    CHECK(both.client.tls.peer_subject() == "CN=a.example");
    CHECK(both.client.tls.peer_names() == "a.example");
    CHECK(both.server.tls.peer_subject().empty());
    CHECK(both.client.tls.peer_issuer() == "CN=leat test authority");
    CHECK(both.client.tls.peer_expires().has_value());
    CHECK(both.server.tls.peer_issuer().empty());
    CHECK_FALSE(both.server.tls.peer_expires().has_value());

    CHECK(both.client.write(both.server, "question").done());
    CHECK(both.server.read(both.client) == "question");
    CHECK(both.server.write(both.client, "answer").done());
    CHECK(both.client.read(both.server) == "answer");
}

TEST_CASE("the network may cut the bytes into pieces of any size") {
    const std::string text = pattern(50'000);
    for (const std::size_t piece : {1U, 2U, 3U, 5U, 17U, 100U, 1000U, 16'000U, 70'000U}) {
        CAPTURE(piece);
        pair both;
        both.client.piece = both.server.piece = piece;
        REQUIRE(both.connect());
        CHECK(both.client.write(both.server, text).done());
        CHECK(both.server.read(both.client) == text);
        CHECK(both.server.write(both.client, text).done());
        CHECK(both.client.read(both.server) == text);
    }
}

TEST_CASE("a record may be split anywhere, and is read only when it is whole") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.read(both.server).empty());  // takes the tickets
    std::size_t record_size = 2;
    for (std::size_t split = 1; split < record_size; ++split) {
        REQUIRE(both.server.tls.write(bytes_of("a short record")).done());
        std::vector<std::byte> record;
        both.server.send_output_to(record);
        record_size = record.size();
        std::byte into[100];
        both.client.tls.feed(std::span(record).first(split));
        REQUIRE(both.client.tls.read(into).what == step::kind::needs_input);
        REQUIRE(both.client.tls.unread_input().empty());
        both.client.tls.feed(std::span(record).subspan(split));
        const step result = both.client.tls.read(into);
        REQUIRE(result.done());
        REQUIRE(result.bytes == 14);
    }
    CHECK(record_size > 14);
}

TEST_CASE("writing stops at the limit until output is sent, and nothing is lost") {
    pair both;
    REQUIRE(both.connect());
    const std::string text = pattern(1'000'000);
    const step first = both.client.tls.write(bytes_of(text));
    REQUIRE(first.done());
    CHECK(first.bytes < text.size());
    CHECK(both.client.tls.output_size() >= session::output_max);
    CHECK(both.client.tls.output_size() < session::output_max + 17 * 1024);
    CHECK(both.client.tls.write(bytes_of(text)).what == step::kind::has_output);
    CHECK(both.client.write(both.server, text.substr(first.bytes)).done());
    CHECK(both.server.read(both.client) == text);
}

TEST_CASE("one read gathers many small records") {
    pair both;
    REQUIRE(both.connect());
    const std::string text = pattern(300);
    for (const char& each : text) {
        REQUIRE(both.client.write(both.server, {&each, 1}).done());
    }
    std::vector<std::byte> into(1000);
    REQUIRE(both.server.tls.read(into).what == step::kind::needs_input);
    REQUIRE(both.server.feed_piece());
    const step result = both.server.tls.read(into);
    CHECK(result.done());
    CHECK(result.bytes == text.size());
}

TEST_CASE("one record is read through a buffer smaller than it") {
    pair both;
    REQUIRE(both.connect());
    const std::string text = pattern(10'000);
    CHECK(both.client.write(both.server, text).done());
    std::string got;
    std::byte into[7];
    for (step result; got.size() < text.size();) {
        result = both.server.take(both.client, [&] { return both.server.tls.read(into); });
        REQUIRE(result.done());
        got.append(reinterpret_cast<const char*>(into), result.bytes);
    }
    CHECK(got == text);
}

TEST_CASE("both sides may write before either reads") {
    pair both;
    REQUIRE(both.connect());
    const std::string text = pattern(200'000);
    CHECK(both.client.write(both.server, text).done());
    CHECK(both.server.write(both.client, "from the server: " + text).done());
    CHECK(both.client.read(both.server) == "from the server: " + text);
    CHECK(both.server.read(both.client) == text);
}

TEST_CASE("a reader goes on while a writer's output waits for the network") {
    pair both;
    REQUIRE(both.connect());
    while (both.client.tls.write(bytes_of(pattern(10'000))).done()) {
    }
    CHECK(both.server.write(both.client, "hello").done());
    REQUIRE(both.client.feed_piece());
    std::byte into[100];
    CHECK(both.client.tls.read(into).bytes == 5);
    CHECK(both.client.tls.read(into).what == step::kind::needs_input);
}

TEST_CASE("output keeps its address while more is added behind it") {
    pair both;
    REQUIRE(both.connect());
    REQUIRE(both.client.tls.write(bytes_of("first")).done());
    const auto before = both.client.tls.output();
    const std::vector<std::byte> copy(before.begin(), before.end());
    REQUIRE(both.client.tls.write(bytes_of(pattern(60'000))).done());
    CHECK(both.client.tls.output().data() == before.data());
    CHECK(std::ranges::equal(copy, before));
}

TEST_CASE("close_notify is a clean end, and the other direction goes on") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.write(both.server, "last words").done());
    CHECK(both.client.take(both.server, [&] { return both.client.tls.shutdown(); }).done());
    step last;
    CHECK(both.server.read(both.client, &last) == "last words");
    CHECK(last.what == step::kind::closed);
    both.server.tls.end_of_input();
    CHECK(both.server.read(both.client, &last).empty());
    CHECK(last.what == step::kind::closed);

    CHECK(both.server.write(both.client, "reply").done());
    CHECK(both.server.take(both.client, [&] { return both.server.tls.shutdown(); }).done());
    CHECK(both.client.read(both.server, &last) == "reply");
    CHECK(last.what == step::kind::closed);
}

TEST_CASE("what comes after close_notify, or after a failure, is not kept") {
    for (const bool closes : {true, false}) {
        pair both;
        REQUIRE(both.connect());
        std::vector<std::byte> bytes;
        if (closes) {
            CHECK(both.client.tls.shutdown().done());
        } else {
            CHECK(both.client.tls.write(bytes_of("data")).done());
        }
        both.client.send_output_to(bytes);
        bytes.back() ^= std::byte(closes ? 0 : 1);
        bytes.resize(bytes.size() + 1000);
        both.server.tls.feed(bytes);
        std::byte into[100];
        CHECK(both.server.tls.read(into).what == (closes ? step::kind::closed : step::kind::failed));
        CHECK(both.server.tls.unread_input().empty());
    }
}

TEST_CASE("nothing can be written after shutdown, which is said once") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.tls.shutdown().done());
    const std::size_t size = both.client.tls.output_size();
    CHECK(size > 0);
    CHECK(both.client.tls.shutdown().done());
    CHECK(both.client.tls.output_size() == size);
    const step refused = both.client.tls.write(bytes_of("more"));
    CHECK(refused.what == step::kind::failed);
    CHECK(refused.error == std::errc::broken_pipe);
    CHECK(both.server.write(both.client, "still read").done());
    CHECK(both.client.read(both.server) == "still read");
}

TEST_CASE("an end without close_notify is a truncation, told after the data, and writing goes on") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.write(both.server, "half of a mess").done());
    std::byte into[100];
    CHECK(both.server.take(both.client, [&] { return both.server.tls.read(into); }).bytes == 14);
    both.server.tls.end_of_input();
    for (int again = 0; again < 2; ++again) {
        const step cut = both.server.tls.read(into);
        CHECK(cut.what == step::kind::failed);
        CHECK(cut.error == failure::truncated);
        CHECK(both.server.tls.error_text() ==
              "the connection ended without close_notify: the data may be truncated");
    }
    CHECK(both.server.write(both.client, "I heard half").done());
    CHECK(both.client.read(both.server) == "I heard half");
}

TEST_CASE("an end inside a record is a truncation") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.write(both.server, "whole").done());
    CHECK(both.client.write(both.server, "cut off").done());
    both.server.inbox.pop_back();
    step last;
    CHECK(both.server.read(both.client, &last) == "whole");
    CHECK(last.what == step::kind::needs_input);
    both.server.tls.end_of_input();
    CHECK(both.server.read(both.client, &last).empty());
    CHECK(last.error == failure::truncated);
}

TEST_CASE("an end during the handshake says so") {
    pair both;
    CHECK(both.client.tls.handshake().what == step::kind::has_output);
    both.client.send_output_to(both.server.inbox);
    both.client.tls.end_of_input();
    const step cut = both.client.tls.handshake();
    CHECK(cut.what == step::kind::failed);
    CHECK(cut.error == failure::truncated);
    CHECK(both.client.tls.error_text() == "the peer closed the connection");
}

TEST_CASE("a peer that speaks something else fails the handshake with a hint") {
    for (const std::string_view greeting : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n"}) {
        pair both;
        CHECK(both.client.tls.handshake().what == step::kind::has_output);
        both.client.tls.consume(both.client.tls.output().size());
        both.client.tls.feed(bytes_of(greeting));
        const step refused = both.client.tls.handshake();
        CHECK(refused.error == failure::protocol);
        CHECK(both.client.tls.error_text() == "wrong version number (the peer does not seem to speak TLS)");
        CHECK_THROWS_WITH_AS(both.client.tls.throw_error(refused), both.client.tls.error_text().c_str(),
                             error);
    }
    pair both;
    both.server.tls.feed(bytes_of("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
    const step refused = both.server.tls.handshake();
    CHECK(refused.error == failure::protocol);
    CHECK(both.server.tls.error_text() == "http request (the peer does not seem to speak TLS)");
}

TEST_CASE("a changed record breaks the connection for good, and the peer is told") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.write(both.server, "good").done());
    CHECK(both.client.write(both.server, "changed").done());
    both.server.inbox.back() ^= std::byte{1};
    step last;
    CHECK(both.server.read(both.client, &last) == "good");
    for (int again = 0; again < 2; ++again) {
        CHECK(last.what == step::kind::failed);
        CHECK(last.error == failure::protocol);
        CHECK(both.server.tls.error_text() == "decryption failed or bad record mac");
        last = both.server.tls.write(bytes_of("x"));
    }
    both.client.read(both.server, &last);
    CHECK(last.error == failure::alert);
    CHECK(both.client.tls.error_text() == "the peer sent the alert: bad record mac");
}

TEST_CASE("a server's tickets wait for its first data") {
    pair both;
    std::vector<std::byte> to_server;
    CHECK(both.client.tls.handshake().what == step::kind::has_output);
    both.client.send_output_to(both.server.inbox);
    CHECK(both.server.handshake(both.client).what == step::kind::needs_input);
    CHECK(both.client.handshake(both.server).done());
    REQUIRE(both.server.feed_piece());
    CHECK(both.server.tls.handshake().done());
    CHECK(both.server.tls.output_size() > 0);
    CHECK_FALSE(both.server.tls.wants_flush());
    CHECK(both.server.tls.write(bytes_of("data")).done());
    CHECK(both.server.tls.wants_flush());
    both.server.send_output_to(both.client.inbox);
    CHECK_FALSE(both.server.tls.wants_flush());
    CHECK(both.client.read(both.server) == "data");
}

TEST_CASE("an empty read or write is done at once") {
    pair both;
    REQUIRE(both.connect());
    CHECK(both.client.tls.read({}).done());
    CHECK(both.client.tls.write({}).done());
    CHECK(both.client.tls.output().empty());
}

TEST_CASE("a session outlives its context") {
    pair both;
    both.client_side = context::client({.insecure = true});
    both.server_side = context::client({.insecure = true});
    CHECK(both.connect());
}

}  // namespace
}  // namespace leat::tls
