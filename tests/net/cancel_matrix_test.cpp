// SPDX-License-Identifier: MIT
// The operations of TCP streams and listeners, cancelled at each moment on each backend: what was taken from
// the stream is given back, what went out is counted, and nothing else has happened.
#include "../runtime/cancel_moments.hpp"
#include "../runtime/rest_trial.hpp"

#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::let_the_loop_look;
using cancel_tests::moment;
using cancel_tests::moments;
using cancel_tests::trial;

namespace {

// A stream, and the other end of its socket.
struct streams {
    streams() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        ours = leat::tcp_stream::from_fd(ends[0]);
        peer = leat::tcp_stream::from_fd(ends[1]);
    }
    void peer_sends(std::string_view text) const {
        REQUIRE(::send(peer.native_handle(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    leat::tcp_stream& stream() noexcept { return ours; }
    leat::tcp_stream ours;
    leat::tcp_stream peer;
};

// Everything that comes from `stream`, until its end.
leat::task<std::string> read_to_the_end(leat::tcp_stream& stream) {
    std::string all;
    while (const auto chunk = co_await stream.recv_chunk()) {
        all += chunk.text();
    }
    co_return all;
}

class accept_trial : public trial {
public:
    leat::task<> attempt() {
        accepted_.push_back(co_await listener_.accept());
        delivered();
    }
    void enable() { clients_.push_back(leat::spawn(leat::tcp_stream::connect(listener_.local_endpoint()))); }
    leat::task<> verify(const std::string& where) {
        const auto client = co_await clients_.back();
        CHECK_MESSAGE(accepted_.size() == clients_.size(), where);
        CHECK_MESSAGE(accepted_.back().remote_endpoint() == client.local_endpoint(), where);
    }

private:
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
    std::vector<leat::handle<leat::tcp_stream>> clients_;
    std::vector<leat::tcp_stream> accepted_;
};

// The listener's queue answers at once. Each connection that was made is accepted, and ends if it was
// cancelled.
class connect_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const auto stream = co_await leat::tcp_stream::connect(listener_.local_endpoint());
        CHECK(stream.is_open());
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        for (int fd = 0; (fd = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            auto peer = leat::tcp_stream::from_fd(fd);
            const std::string text = co_await leat::timeout(20s, read_to_the_end(peer));
            CHECK_MESSAGE(text.empty(), where);
        }
    }

private:
    leat::tcp_listener listener_ = leat::tcp_listener::bind({"127.0.0.1", 0});
};

// Sends more than there is room for, until it is enabled: then the peer receives.
class send_all_trial : public cancel_tests::waited_for {
public:
    explicit send_all_trial(bool in_pieces) : in_pieces_(in_pieces) {}
    leat::task<> attempt() {
        if (in_pieces_) {
            co_await both_.ours.send_all(std::string_view(text_).substr(0, 5),
                                         std::string_view(text_).substr(5));
        } else {
            co_await both_.ours.send_all(text_);
        }
    }
    void enable() override {
        reader_ = leat::spawn([this] { return read_to_the_end(both_.peer); });
    }
    [[nodiscard]] leat::tcp_stream& stream() noexcept { return both_.ours; }
    // What has arrived once the stream is closed.
    leat::task<std::string> arrived() {
        both_.ours.close();
        co_return co_await reader_;
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    bool in_pieces_;
    streams both_;
    std::string text_ = std::string(1'500'000, 'a') + std::string(1'500'000, 'b');
    leat::handle<std::string> reader_;
};

leat::task<> cancel_send_all(moment when, bool in_pieces) {
    const std::string where = std::string("send_all, cancelled ") + cancel_tests::name_of(when);
    send_all_trial tried(in_pieces);
    auto victim = leat::spawn([&] { return tried.attempt(); });
    const bool enabled = co_await cancel_tests::cancel_at(when, tried, victim);
    const auto& ended = co_await victim.join();
    if (!enabled) {
        tried.enable();
    }
    const std::uint64_t sent = tried.stream().bytes_sent();
    std::string expected = tried.text().substr(0, sent);
    CHECK_MESSAGE(ended.ok() == (sent == tried.text().size()), where);
    CHECK_MESSAGE((sent == 0 || when > moment::before_it_begins), where);
    const auto next = co_await leat::as_result(tried.stream().send_all("next"));
    if (ended.ok() || sent == 0) {
        CHECK_MESSAGE(next.ok(), where);
        expected += "next";
    } else {
        CHECK_MESSAGE(next.error() == leat::stream_errc::broken, where);
        const auto some = co_await leat::as_result(tried.stream().send("some"));
        CHECK_MESSAGE(some.error() == leat::stream_errc::broken, where);
    }
    const std::string arrived = co_await tried.arrived();
    CHECK_MESSAGE(arrived == expected, where);
}

}  // namespace

LEAT_TEST("a listener's accept that is cancelled at any moment takes no connection, or gives it") {
    co_await cancelled_at_any_moment<accept_trial>("accept");
}

LEAT_TEST("a stream's connect that is cancelled at any moment is closed, also when it was connected",
          on(kernel)) {
    co_await cancelled_at_any_moment<connect_trial>("connect");
}

LEAT_TEST("recv_exactly that is cancelled at any moment gives back what it had, to whatever receives next",
          on(kernel)) {
    co_await cancelled_at_any_moment<cancel_tests::rest_trial<streams>>("recv_exactly");
}

LEAT_TEST("send_all that is cancelled at any moment sends nothing, or breaks sending and tells how much went",
          on(kernel)) {
    for (const moment when : moments) {
        for (const bool in_pieces : {false, true}) {
            co_await cancel_send_all(when, in_pieces);
        }
    }
}

LEAT_TEST("a send_all that was cancelled midway leaves receiving as it was", on(kernel)) {
    streams both;
    const std::string text(3'000'000, 'x');
    auto sender = leat::spawn([&]() -> leat::task<> { co_await both.ours.send_all(text); });
    co_await let_the_loop_look();
    sender.cancel();
    co_await sender.join();
    both.peer_sends("still here");
    const auto chunk = co_await both.ours.recv_chunk();
    CHECK(chunk.text() == "still here");
}

LEAT_TEST("of a close and a cancel in one turn the first decides: an error, or a cancellation", on(kernel)) {
    for (const bool close_first : {true, false}) {
        for (const bool taken : {true, false}) {
            streams both;
            std::error_code code;
            auto reader = leat::spawn([&]() -> leat::task<> {
                char byte = 0;
                const auto got = co_await leat::as_result(both.ours.recv(std::span(&byte, 1)));
                code = got.error();
                co_await leat::checkpoint();
            });
            co_await leat::yield();
            if (taken) {
                co_await let_the_loop_look();
            }
            if (close_first) {
                both.ours.close();
            }
            reader.cancel();
            both.ours.close();
            const auto& ended = co_await reader.join();
            CHECK(ended.cancelled());
            CHECK((code == std::errc::operation_canceled) == close_first);
        }
    }
}

LEAT_TEST("a destructor that closes the stream of another task while its own unwinds ends that one's wait",
          on(kernel)) {
    std::optional<streams> both(std::in_place);
    auto reader = leat::spawn([&]() -> leat::task<std::error_code> {
        const auto got = co_await leat::as_result(both->ours.recv_chunk());
        co_return got.error();
    });
    auto owner = leat::spawn([&]() -> leat::task<> {
        struct closes {
            std::optional<streams>& both;
            ~closes() { both.reset(); }
        };
        const closes last{both};
        co_await leat::sleep_until(leat::never);
    });
    co_await let_the_loop_look();
    owner.cancel();
    const auto& ended = co_await owner.join();
    CHECK(ended.cancelled());
    const std::error_code code = co_await reader;
    CHECK(code == std::errc::operation_canceled);
}

TEST_CASE("streams and chunks may outlive the run that they came from") {
    for (const auto& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            continue;
        }
        const std::size_t before = leat::testing::open_descriptors();
        {
            std::optional<streams> both;
            const leat::chunk chunk = leat::run(
                [&]() -> leat::task<leat::chunk> {
                    both.emplace();
                    both->peer_sends("kept");
                    co_return co_await both->ours.recv_chunk();
                },
                {.backend = each.name});
            CHECK(chunk.text() == "kept");
            CHECK(both->ours.is_open());
        }
        CHECK(leat::testing::open_descriptors() == before);
    }
}
