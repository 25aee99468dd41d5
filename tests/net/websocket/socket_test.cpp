// SPDX-License-Identifier: MIT
// Messages between two sockets, and from peers that keep to the protocol or do not.
#include "sockets.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <stdexcept>

using namespace std::chrono_literals;

namespace leat::websocket {
namespace {

// What the server says to its client, as bytes; up to so many.
task<std::string> answer(raw_client& both, std::size_t size) {
    std::string bytes(size, ' ');
    co_await both.client.recv_exactly(bytes);
    co_return bytes;
}

std::string hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char each : bytes) {
        for (const int shift : {4, 0}) {
            text += "0123456789abcdef"[each >> shift & 15];
        }
    }
    return text;
}

std::string text_of(error value) {
    return make_error_code(value).message();
}

}  // namespace

LEAT_TEST("texts and bytes arrive whole and in order, of every length that is written otherwise") {
    two_sockets both;
    for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 1'000'000}) {
        const std::string text(size, 't');
        auto sending = spawn([&]() -> task<> {
            co_await both.client.send(text);
            co_await both.server.send(std::as_bytes(std::span(text)));
        });
        const auto said = co_await both.server.receive();
        REQUIRE(said.has_value());
        CHECK(said->kind == kind::text);
        CHECK(said->data == text);
        const auto bytes = co_await both.client.receive();
        REQUIRE(bytes.has_value());
        CHECK(bytes->kind == kind::binary);
        CHECK(bytes->data == text);
        co_await sending;
    }
}

LEAT_TEST("a client masks what it sends, a server does not") {
    auto [one, other] = testing::memory_stream::pair();
    socket client(std::move(one), role::client);
    co_await client.send("hello");
    std::string bytes(11, ' ');
    co_await other.recv_exactly(bytes);
    CHECK(bytes.substr(0, 2) == "\x81\x85");
    std::string plain;
    for (std::size_t at = 0; at < 5; ++at) {
        plain += static_cast<char>(bytes[6 + at] ^ bytes[2 + at % 4]);
    }
    CHECK(plain == "hello");

    raw_client both;
    co_await both.server.send("hello");
    CHECK(co_await answer(both, 7) == "\x81\x05hello");
}

LEAT_TEST("a message in fragments, with a ping between them, in pieces of one byte, is one message") {
    two_sockets both({.piece = 1});
    raw_client raw;
    const std::string bytes = frame(first_text, "one ") + frame(a_ping, "?") + frame(more, "two ") +
                              frame(last, "three") + frame(last_binary, "four");
    auto sending = spawn([&]() -> task<> {
        for (const char each : bytes) {
            co_await raw.client.send_all(std::string_view(&each, 1));
            co_await yield();
        }
    });
    CHECK(co_await received(raw.server) == "one two three");
    CHECK(co_await received(raw.server) == "four");
    CHECK(co_await answer(raw, 3) == "\x8a\x01?");
    co_await sending;
}

LEAT_TEST("several messages that come at once are given one by one, and pings behind them are answered") {
    raw_client both;
    std::string bytes;
    for (int i = 0; i < 1000; ++i) {
        bytes += frame(last_text, std::to_string(i));
    }
    co_await both.client.send_all(bytes + frame(a_ping, "end"));
    for (int i = 0; i < 1000; ++i) {
        CHECK(co_await received(both.server) == std::to_string(i));
    }
    auto waiting = spawn(received(both.server));
    CHECK(co_await answer(both, 5) ==
          "\x8a\x03"
          "end");
    both.client.close();
    CHECK(co_await waiting == text_of(error::truncated));
}

LEAT_TEST("a peer that breaks the protocol is told why, and receive says it") {
    struct wrong {
        std::string bytes;
        error said;
        std::uint16_t code;
    };
    const std::array all{
        wrong{std::string("\x81\x01x", 3), error::protocol, 1002},  // not masked
        wrong{frame(0xc1, "x"), error::protocol, 1002},             // RSV1
        wrong{frame(0x83, "x"), error::protocol, 1002},             // no such opcode
        wrong{frame(last, "x"), error::protocol, 1002},             // continues nothing
        wrong{frame(first_text, "x") + frame(last_text, "y"), error::protocol, 1002},
        wrong{frame(0x09, "x"), error::protocol, 0},  // a ping in fragments
        wrong{frame(last_text, "\xc3("), error::invalid_text, 1007},
        wrong{frame(last_text, "\xed\xa0\x80"), error::invalid_text, 1007},  // a surrogate
        wrong{frame(first_text, "\xe2") + frame(last, "x"), error::invalid_text, 1007},
        wrong{frame(last_text, std::string(101, 'x')), error::message_too_big, 1009},
        wrong{frame(first_text, std::string(60, 'x')) + frame(last, std::string(60, 'x')),
              error::message_too_big, 1009},
        wrong{frame(a_close, close_payload(1006)), error::protocol, 1002},
        wrong{frame(a_close, "x"), error::protocol, 0},
    };
    for (const wrong& each : all) {
        CAPTURE(hexadecimal(each.bytes));
        raw_client both({.message_bytes = 100});
        co_await both.client.send_all(each.bytes);
        CHECK(co_await received(both.server) == text_of(each.said));
        const std::string closed =
            each.code != 0 ? "\x88\x02" + close_payload(each.code) : std::string("\x88\0", 2);
        CHECK(co_await answer(both, closed.size()) == closed);
        CHECK(co_await received(both.server) == text_of(each.said));
        const auto later = co_await as_result(both.server.send("late"));
        CHECK(later.error() == error::closed);
    }
}

LEAT_TEST("a message is answered although a close, or a broken frame, has come right behind it") {
    const std::string empty = frame(last_text, "");
    const std::string broken = frame(0x83, "x");
    const std::string longer{"\x81\xfe\0\x80\0\0\0\0", 8};  // of 128 bytes
    for (const auto& [before, said] :
         {std::pair(frame(last_text, "said"), std::string("\x81\x04said")),
          std::pair(empty, std::string("\x81\0", 2)),
          std::pair(frame(first_text, "sa") + frame(a_pong, "") + frame(last, "id"),
                    std::string("\x81\x04said")),
          std::pair(longer + std::string(128, 'l'),
                    std::string("\x81\x7e\0\x80", 4) + std::string(128, 'l'))}) {
        for (const auto& [behind, code] :
             {std::pair(broken, 1002), std::pair(frame(a_close, close_payload(1000)), 1000)}) {
            raw_client both;
            co_await both.client.send_all(before + behind);
            const auto heard = co_await both.server.receive();
            REQUIRE(heard.has_value());
            co_await both.server.send(*heard);
            CHECK(co_await received(both.server) == (code == 1000 ? "end" : text_of(error::protocol)));
            const std::string expected = said + "\x88\x02" + close_payload(code);
            CHECK(co_await answer(both, expected.size()) == expected);
        }
    }
}

LEAT_TEST("a frame that announces very much takes no memory before its bytes come") {
    raw_client both({.message_bytes = std::size_t(1) << 40});
    co_await both.client.send_all(std::string("\x82\xff\0\0\0\xff\xff\xff\xff\xff\0\0\0\0", 14) + "some");
    auto waiting = spawn(both.server.receive());
    co_await testing::wait_until_idle();
    CHECK(!waiting.done());  // a TiB would have been a bad_alloc
    waiting.cancel();
    (void)co_await waiting.join();
}

LEAT_TEST("a close with a code and a reason is answered, and both ends hear of it") {
    two_sockets both;
    auto closing_one = spawn([&]() -> task<> { co_await both.client.close(close_code(4001), "enough"); });
    CHECK(co_await received(both.server) == "end");
    co_await closing_one;
    REQUIRE(both.server.closed_by_peer() != nullptr);
    CHECK(both.server.closed_by_peer()->code == close_code(4001));
    CHECK(both.server.closed_by_peer()->reason == "enough");
    REQUIRE(both.client.closed_by_peer() != nullptr);
    CHECK(both.client.closed_by_peer()->code == close_code(4001));
    CHECK(co_await received(both.client) == "end");
    const auto later = co_await as_result(both.server.send("late"));
    CHECK(later.error() == error::closed);
}

LEAT_TEST("messages before a close arrive, those behind one's own close do not") {
    two_sockets both;
    co_await both.server.send("first");
    co_await both.server.send("second");
    auto closing_one = spawn(both.server.close());
    CHECK(co_await received(both.client) == "first");
    CHECK(co_await received(both.client) == "second");
    CHECK(co_await received(both.client) == "end");
    co_await closing_one;
}

LEAT_TEST("close does not wait for ever for a peer that does not answer", on(testing::simulated)) {
    raw_client both({.close_limit = 3s});
    const auto before = now();
    co_await both.server.close();
    CHECK(now() - before == 3s);
    CHECK(co_await answer(both, 4) == "\x88\x02" + close_payload(1000));
}

LEAT_TEST("a task that receives ends with a close that is not answered", on(testing::simulated)) {
    raw_client both({.close_limit = 3s});
    auto waiting = spawn(received(both.server));
    co_await testing::wait_until_idle();
    co_await both.server.close();
    CHECK(co_await waiting == "end");
    CHECK(co_await answer(both, 4) == "\x88\x02" + close_payload(1000));
}

LEAT_TEST("a peer that goes on sending behind a close does not put off its end", on(testing::simulated)) {
    for (const bool received_too : {false, true}) {
        CAPTURE(received_too);
        raw_client both({.close_limit = 3s});
        auto chatting = spawn([&]() -> task<> {
            for (;;) {
                co_await both.client.send_all(frame(last_text, "still here"));
                co_await sleep(1s);
            }
        });
        auto waiting = spawn([&]() -> task<> {
            while (received_too && co_await received(both.server) != "end") {
            }
        });
        const auto before = now();
        co_await both.server.close();
        co_await waiting;
        CHECK(now() - before == 3s);
        chatting.cancel();
        (void)co_await chatting.join();
    }
}

LEAT_TEST("a close between two receives of another task ends that, too") {
    two_sockets both;
    auto receiving = spawn([&]() -> task<std::string> {
        const std::string first = co_await received(both.server);
        while (!both.server.closed_by_peer()) {
            co_await yield();  // it works on the message while another task closes
            if (auto second = co_await received(both.server); second != first) {
                co_return first + " " + second;
            }
        }
        co_return first;
    });
    co_await both.client.send("said");
    auto closing_one = spawn(both.server.close());
    CHECK(co_await received(both.client) == "end");
    co_await closing_one;
    CHECK(co_await receiving == "said end");
}

LEAT_TEST("a message stays good while another task closes, whatever has come behind it") {
    raw_client both;
    const std::string first(100, '1');
    co_await both.client.send_all(frame(last_text, first) + frame(last_text, std::string(100, '2')));
    const auto said = co_await both.server.receive();
    REQUIRE(said.has_value());
    auto closing_one = spawn(both.server.close());
    co_await both.client.send_all(frame(a_close, close_payload(1000)));
    co_await closing_one;
    CHECK(said->data == first);
    CHECK(co_await received(both.server) == "end");
}

LEAT_TEST("codes and reasons that are not to be sent are refused") {
    two_sockets both;
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
        CAPTURE(code);
        const auto outcome = co_await as_outcome(both.client.close(close_code(code)));
        CHECK_THROWS_AS((void)outcome.value(), std::invalid_argument);
    }
    const auto outcome = co_await as_outcome(both.client.close(close_code::normal, std::string(124, 'x')));
    CHECK_THROWS_AS((void)outcome.value(), std::invalid_argument);
    CHECK_THROWS_AS((void)both.client.send("\xff"), std::invalid_argument);
    co_await both.client.send("still open");
    CHECK(co_await received(both.server) == "still open");
}

LEAT_TEST("a silent peer is pinged, and given up when it does not answer", on(testing::simulated)) {
    raw_client both({.ping_every = 20s, .ping_limit = 5s});
    const auto before = now();
    auto waiting = spawn([&]() -> task<std::string> { co_return co_await received(both.server); });
    CHECK(co_await answer(both, 2) == std::string("\x89\0", 2));
    CHECK(now() - before == 20s);
    CHECK(co_await waiting == std::make_error_code(std::errc::timed_out).message());
    CHECK(now() - before == 25s);
}

LEAT_TEST("a peer that answers pings may be silent for ever", on(testing::simulated)) {
    two_sockets both;
    auto answering = spawn([&]() -> task<std::string> { co_return co_await received(both.client); });
    auto waiting = spawn([&]() -> task<std::string> { co_return co_await received(both.server); });
    co_await sleep(24h);
    CHECK(!waiting.done());
    co_await both.client.send("at last");
    CHECK(co_await waiting == "at last");
    auto closing_one = spawn(both.server.close());
    CHECK(co_await answering == "end");
    co_await closing_one;
}

LEAT_TEST("ping completes when the peer has answered") {
    two_sockets both;
    auto answering = spawn([&]() -> task<std::string> { co_return co_await received(both.client); });
    auto waiting = spawn([&]() -> task<std::string> { co_return co_await received(both.server); });
    co_await both.server.ping();
    auto closing_one = spawn(both.client.close());
    CHECK(co_await waiting == "end");
    CHECK(co_await answering == "end");
    co_await closing_one;
}

LEAT_TEST("messages of many senders leave whole") {
    two_sockets both({.capacity = 100, .piece = 7});
    co_await with_task_group([&](task_group& group) -> task<> {
        for (char name = 'a'; name < 'k'; ++name) {
            group.spawn([&both, name]() -> task<> { co_await both.client.send(std::string(500, name)); });
        }
        std::string names;
        for (int i = 0; i < 10; ++i) {
            const auto next = co_await both.server.receive();
            REQUIRE(next.has_value());
            names += next->data[0];
            CHECK(next->data == std::string(500, names.back()));
        }
        CHECK(names == "abcdefghij");
    });
}

LEAT_TEST("a receive that is cancelled midway loses nothing") {
    raw_client both;
    co_await both.client.send_all(frame(first_text, "half "));
    auto waiting = spawn(both.server.receive());
    co_await testing::wait_until_idle();
    waiting.cancel();
    CHECK((co_await waiting.join()).cancelled());
    co_await both.client.send_all(frame(last, "and half"));
    CHECK(co_await received(both.server) == "half and half");
}

LEAT_TEST("two peers that both send more than is taken, and receive meanwhile, do not wait for each other") {
    two_sockets both({.capacity = 1000});
    const std::string big(100'000, 'x');
    const auto talk = [&big](socket& self) -> task<> {
        co_await with_task_group([&](task_group& group) -> task<> {
            group.spawn([&]() -> task<> { co_await self.send(big); });
            CHECK(co_await received(self) == big);
        });
    };
    auto one = spawn(talk(both.client));
    co_await talk(both.server);
    co_await one;
}

}  // namespace leat::websocket
