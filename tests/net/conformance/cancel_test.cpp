// SPDX-License-Identifier: MIT
// Each operation of streams and listeners, cancelled at each moment, on every backend: it did not happen, or
// what it took is delivered, to this task or to the next one that asks.
#include "../../runtime/cancel_moments.hpp"
#include "connected.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <vector>

using cancel_tests::moment;
using cancel_tests::trial;
using conformance::connected;
using conformance::connection;
using conformance::patience;
using conformance::read_to_the_end;

namespace {

// Receives four bytes in one way or another, when the peer has sent them.
class receive_trial : public trial {
public:
    leat::task<> prepare() { both_ = co_await connected(); }
    void enable() {
        std::string next = std::to_string(1000 + sent_.size());
        sent_ += next;
        sender_ = leat::spawn(
            [this, text = std::move(next)]() -> leat::task<> { co_await both_.server.send_all(text); });
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_await sender_;
    }

protected:
    void received(std::string_view text) {
        received_ += text;
        delivered();
    }
    [[nodiscard]] leat::tcp_stream& stream() noexcept { return both_.client; }

private:
    connection both_;
    std::string sent_;
    std::string received_;
    leat::handle<> sender_;
};

struct recv_trial : receive_trial {
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        const std::size_t count = co_await stream().recv(buffer);
        received({buffer.data(), count});
    }
};

struct recv_exactly_trial : receive_trial {
    leat::task<> attempt() {
        std::array<char, 4> buffer;
        co_await stream().recv_exactly(buffer);
        received({buffer.data(), buffer.size()});
    }
};

struct recv_chunk_trial : receive_trial {
    leat::task<> attempt() {
        const leat::chunk chunk = co_await stream().recv_chunk();
        received(chunk.text());
    }
};

// A recv_exactly of eight bytes, of which the peer has sent four: cancelled, it gives those back.
class recv_half_trial : public trial {
public:
    leat::task<> prepare() {
        both_ = co_await connected();
        co_await both_.server.send_all("abcd");
    }
    leat::task<> attempt() {
        std::array<char, 8> buffer;
        co_await both_.client.recv_exactly(buffer);
        CHECK(std::string_view(buffer.data(), buffer.size()) == "abcdefgh");
        delivered();
    }
    void enable() {
        sender_ = leat::spawn([this]() -> leat::task<> { co_await both_.server.send_all("efgh"); });
    }
    leat::task<> verify(const std::string&) {
        co_await sender_;
        co_await both_.server.send_all("abcd");
    }

private:
    connection both_;
    leat::handle<> sender_;
};

// Each connection that was made is in the queue, and ends without a byte.
class connecting : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const auto stream = co_await leat::tcp_stream::connect(listener_.local_endpoint());
        CHECK(stream.is_open());
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        const auto last = co_await leat::tcp_stream::connect(listener_.local_endpoint());
        for (;;) {
            auto peer = co_await leat::timeout(patience, listener_.accept());
            if (peer.remote_endpoint() == last.local_endpoint()) {
                break;
            }
            const std::string text = co_await leat::timeout(patience, read_to_the_end(peer));
            CHECK_MESSAGE(text.empty(), where);
        }
    }

private:
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
};

enum class way { some, all, pieces };

// Sends more than there is room for; the peer reads once it is enabled. What arrives is what bytes_sent()
// says.
class send_attempt : public cancel_tests::waited_for {
public:
    explicit send_attempt(way how) : how_(how) {}
    leat::task<> prepare() { both_ = co_await connected(); }
    leat::task<> attempt() {
        const std::string_view text = conformance::too_much();
        switch (how_) {
            case way::some:
                for (std::size_t sent = 0; sent < text.size();) {
                    sent += co_await both_.client.send(text.substr(sent));
                }
                break;
            case way::all:
                co_await both_.client.send_all(text);
                break;
            case way::pieces:
                co_await both_.client.send_all(text.substr(0, 5), text.substr(5, 7'000'000),
                                               text.substr(7'000'005));
                break;
        }
    }
    void enable() override {
        reader_ = leat::spawn([this] { return read_to_the_end(both_.server); });
    }
    leat::task<> verify(bool ended_well, const std::string& where) {
        const std::uint64_t sent = both_.client.bytes_sent();
        const std::string_view text = conformance::too_much();
        std::string expected(text.substr(0, sent));
        CHECK_MESSAGE(ended_well == (sent == text.size()), where);
        const auto next = co_await leat::as_result(both_.client.send_all("next"));
        if (sent == 0 || ended_well || how_ == way::some) {
            CHECK_MESSAGE(next.ok(), where);
            expected += "next";
        } else {
            CHECK_MESSAGE(next.error() == leat::stream_errc::broken, where);
        }
        both_.client.close();
        const std::string arrived = co_await leat::timeout(patience, reader_);
        const bool same = arrived == expected;
        CHECK_MESSAGE(same, where << ": " << arrived.size() << " bytes of " << expected.size());
    }

private:
    way how_;
    connection both_;
    leat::handle<std::string> reader_;
};

leat::task<> cancel_send(moment when, way how) {
    const std::string where = std::string("cancelled ") + cancel_tests::name_of(when);
    send_attempt tried(how);
    co_await tried.prepare();
    auto victim = leat::spawn([&] { return tried.attempt(); });
    const bool enabled = co_await cancel_tests::cancel_at(when, tried, victim);
    const auto& ended = co_await victim.join();
    if (!enabled) {
        tried.enable();
    }
    CHECK_MESSAGE((!ended.ok() || enabled), where);
    co_await tried.verify(ended.ok(), where);
}

}  // namespace

#define SEND_TEST(name, when)                                           \
    LEAT_TEST("sends that are cancelled " name) {                       \
        return cancel_send(moment::when, way::some);                    \
    }                                                                   \
    LEAT_TEST("a send_all that is cancelled " name) {                   \
        return cancel_send(moment::when, way::all);                     \
    }                                                                   \
    LEAT_TEST("a send_all of several pieces that is cancelled " name) { \
        return cancel_send(moment::when, way::pieces);                  \
    }

CANCEL_TESTS("a recv", recv_trial)
CANCEL_TESTS("a recv_exactly", recv_exactly_trial)
CANCEL_TESTS("a recv_exactly with half of its bytes", recv_half_trial)
CANCEL_TESTS("a recv_chunk", recv_chunk_trial)
CANCEL_TESTS("a connect", connecting)
SEND_TEST("before it begins", before_it_begins)
SEND_TEST("in the turn it begins", in_the_turn_it_begins)
SEND_TEST("during the wait", during_the_wait)
SEND_TEST("when it could end", when_it_could_end)
SEND_TEST("when it has ended", when_it_has_ended)
SEND_TEST("after the task ended", after_the_task_ended)
