// SPDX-License-Identifier: MIT
// The operations of pipes, own and shared ones, cancelled at each moment on each backend: what was taken is
// given back, what went out is counted, and the pipe is usable afterwards unless it says that it is not.
#include <leat/system/pipe.hpp>

#include "../cancel_moments.hpp"
#include "../rest_trial.hpp"

#include <leat/fd.hpp>
#include <leat/runtime.hpp>
#include <leat/stream.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::moment;
using cancel_tests::moments;
using cancel_tests::trial;

namespace {

enum class owned { alone, shared };

// A pipe whose one end is leat's. The other end is bare, and never blocks.
template <owned how>
struct half_pipe {
    explicit half_pipe(bool we_read) {
        int both[2];
        REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
        leat::fd out(both[0]);
        leat::fd in(both[1]);
        leat::fd& our_end = we_read ? out : in;
        if (we_read) {
            reader = how == owned::shared ? leat::pipe_reader::from_shared_fd(our_end.get())
                                          : leat::pipe_reader::from_fd(our_end.release());
        } else {
            writer = how == owned::shared ? leat::pipe_writer::from_shared_fd(our_end.get())
                                          : leat::pipe_writer::from_fd(our_end.release());
        }
        peer = std::move(we_read ? in : out);
        REQUIRE(::fcntl(peer.get(), F_SETFL, O_NONBLOCK) == 0);
    }
    void peer_writes(std::string_view text) const {
        REQUIRE(::write(peer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    // All that is in it.
    [[nodiscard]] std::string peer_reads() const {
        std::string all;
        char part[4096];
        for (ssize_t count = 0; (count = ::read(peer.get(), part, sizeof part)) > 0;) {
            all.append(part, static_cast<std::size_t>(count));
        }
        return all;
    }

    leat::pipe_reader reader;
    leat::pipe_writer writer;
    leat::fd peer;
};

template <owned how>
struct readable_pipe : half_pipe<how> {
    readable_pipe() : half_pipe<how>(true) {}
    leat::pipe_reader& stream() noexcept { return this->reader; }
    void peer_sends(std::string_view text) const { this->peer_writes(text); }
};

enum class reads { some, whole, chunks };

// Receives four bytes, which come at once.
template <owned how, reads what>
class recv_trial : public trial {
public:
    leat::task<> attempt() {
        if constexpr (what == reads::chunks) {
            const leat::chunk got = co_await pipe_.reader.recv_chunk();
            received_ += got.text();
        } else {
            std::array<char, 4> got;
            std::size_t size = got.size();
            if constexpr (what == reads::some) {
                size = co_await pipe_.reader.recv(got);
            } else {
                co_await pipe_.reader.recv_exactly(got);
            }
            received_.append(got.data(), size);
        }
        delivered();
    }
    void enable() {
        const std::string next = std::to_string(1000 + sent_.size());
        pipe_.peer_writes(next);
        sent_ += next;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        co_return;
    }

private:
    half_pipe<how> pipe_{true};
    std::string sent_;
    std::string received_;
};

// Sends three bytes into a pipe that is full until it is enabled, when the peer reads everything.
template <owned how, bool all>
class send_trial : public trial {
public:
    leat::task<> prepare() { co_await fill(); }
    leat::task<> attempt() {
        std::size_t sent = 3;
        if constexpr (all) {
            co_await pipe_.writer.send_all("abc");
        } else {
            sent = co_await pipe_.writer.send("abc");
        }
        CHECK(sent == 3);
        delivered();
    }
    void enable() { arrived_ += pipe_.peer_reads(); }
    leat::task<> verify(const std::string& where) {
        arrived_ += pipe_.peer_reads();
        CHECK_MESSAGE(pipe_.writer.bytes_sent() == counted_ + 3, where);
        std::erase(arrived_, '.');
        CHECK_MESSAGE(arrived_ == "abc", where);
        arrived_.clear();
        co_await fill();
    }

private:
    leat::task<> fill() {
        const std::string filling(static_cast<std::size_t>(::fcntl(pipe_.peer.get(), F_GETPIPE_SZ)), '.');
        co_await pipe_.writer.send_all(filling);
        counted_ = pipe_.writer.bytes_sent();
    }

    half_pipe<how> pipe_{false};
    std::uint64_t counted_ = 0;
    std::string arrived_;
};

// Sends more than there is room for, until it is enabled: then the peer reads.
template <owned how>
class send_much_trial : public cancel_tests::waited_for {
public:
    explicit send_much_trial(std::string text) : text_(std::move(text)) {}
    leat::task<> attempt() { co_await pipe_.writer.send_all(text_); }
    void enable() override {
        reader_ = leat::spawn([this]() -> leat::task<std::string> {
            std::string all;
            std::array<char, 4096> part;
            for (;;) {
                co_await leat::readable(pipe_.peer.get());
                const ssize_t count = ::read(pipe_.peer.get(), part.data(), part.size());
                if (count <= 0) {
                    co_return all;
                }
                all.append(part.data(), static_cast<std::size_t>(count));
            }
        });
    }
    [[nodiscard]] leat::pipe_writer& writer() noexcept { return pipe_.writer; }
    // What has arrived once the pipe is closed.
    leat::task<std::string> arrived() {
        pipe_.writer.close();
        std::string all = co_await reader_;
        co_return all;
    }

private:
    std::string text_;
    half_pipe<how> pipe_{false};
    leat::handle<std::string> reader_;
};

template <owned how>
leat::task<> cancel_send_all(moment when) {
    const std::string where = std::string("send_all, cancelled ") + cancel_tests::name_of(when);
    const std::string text = std::string(300'000, 'a') + std::string(300'000, 'b');
    send_much_trial<how> tried(text);
    auto victim = leat::spawn([&] { return tried.attempt(); });
    const bool enabled = co_await cancel_tests::cancel_at(when, tried, victim);
    const auto& ended = co_await victim.join();
    if (!enabled) {
        tried.enable();
    }
    const std::uint64_t sent = tried.writer().bytes_sent();
    std::string expected = text.substr(0, sent);
    CHECK_MESSAGE(ended.ok() == (sent == text.size()), where);
    CHECK_MESSAGE((sent == 0 || when > moment::before_it_begins), where);
    CHECK_MESSAGE((sent > 0 || when < moment::during_the_wait), where);
    std::error_code failed;
    try {
        co_await tried.writer().send_all("next");
        expected += "next";
    } catch (const std::system_error& error) {
        failed = error.code();
    }
    const bool broken = !ended.ok() && sent > 0;
    CHECK_MESSAGE(failed == (broken ? leat::stream_errc::broken : std::error_code()), where);
    const std::string arrived = co_await tried.arrived();
    CHECK_MESSAGE(arrived == expected, where);
}

}  // namespace

LEAT_TEST("a recv from a pipe that is cancelled at any moment takes no byte, or gives it", on(kernel)) {
    co_await cancelled_at_any_moment<recv_trial<owned::alone, reads::some>>("recv");
    co_await cancelled_at_any_moment<recv_trial<owned::alone, reads::chunks>>("recv_chunk");
    co_await cancelled_at_any_moment<recv_trial<owned::shared, reads::some>>("recv from a shared pipe");
    co_await cancelled_at_any_moment<recv_trial<owned::shared, reads::chunks>>(
        "recv_chunk from a shared one");
}

LEAT_TEST("recv_exactly from a pipe that is cancelled at any moment gives back what it had", on(kernel)) {
    co_await cancelled_at_any_moment<recv_trial<owned::alone, reads::whole>>("recv_exactly");
    co_await cancelled_at_any_moment<cancel_tests::rest_trial<readable_pipe<owned::alone>>>(
        "recv_exactly of a rest");
    co_await cancelled_at_any_moment<cancel_tests::rest_trial<readable_pipe<owned::shared>>>(
        "recv_exactly of a rest from a shared pipe");
}

LEAT_TEST("a send to a full pipe that is cancelled at any moment sends no byte, or says how many",
          on(kernel)) {
    co_await cancelled_at_any_moment<send_trial<owned::alone, false>>("send");
    co_await cancelled_at_any_moment<send_trial<owned::alone, true>>("send_all to a full pipe");
    co_await cancelled_at_any_moment<send_trial<owned::shared, false>>("send to a shared pipe");
    co_await cancelled_at_any_moment<send_trial<owned::shared, true>>("send_all to a full shared pipe");
}

LEAT_TEST("send_all to a pipe that is cancelled at any moment tells how much went out, and breaks it midway",
          on(kernel)) {
    for (const moment when : moments) {
        co_await cancel_send_all<owned::alone>(when);
        co_await cancel_send_all<owned::shared>(when);
    }
}

LEAT_TEST("who cancels a recv from a pipe may receive at once", on(kernel)) {
    half_pipe<owned::alone> pipe(true);
    for (int round = 0; round < 3; ++round) {
        auto waits = leat::spawn([&]() -> leat::task<> { (void)co_await pipe.reader.recv_chunk(); });
        co_await leat::testing::wait_until_idle();
        waits.cancel();
        auto writes = leat::spawn([&]() -> leat::task<> {
            co_await leat::testing::wait_until_idle();  // or the cancelled one might succeed
            pipe.peer_writes("abc");
        });
        std::array<char, 3> text;
        co_await pipe.reader.recv_exactly(text);  // begun before the cancelled one has unwound
        CHECK(std::string_view(text.data(), 3) == "abc");
        const auto& how = co_await waits.join();
        CHECK(how.cancelled());
    }
}

LEAT_TEST("who cancels a recv_exactly from a pipe midway and receives at once gets the bytes in order",
          on(kernel)) {
    half_pipe<owned::alone> pipe(true);
    std::array<char, 6> six;
    auto waits = leat::spawn([&]() -> leat::task<> { co_await pipe.reader.recv_exactly(six); });
    co_await leat::testing::wait_until_idle();
    pipe.peer_writes("abc");
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    auto writes = leat::spawn([&]() -> leat::task<> {
        co_await leat::testing::wait_until_idle();
        pipe.peer_writes("def");
    });
    std::string received;
    while (received.size() < 6) {
        const leat::chunk chunk = co_await pipe.reader.recv_chunk();
        received += chunk.text();
    }
    CHECK(received == "abcdef");
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
}

LEAT_TEST("who waits behind a cancelled recv from a pipe may be cancelled, and the pipe closed", on(kernel)) {
    for (const bool closes : {false, true}) {
        half_pipe<owned::alone> pipe(true);
        auto first = leat::spawn([&]() -> leat::task<> { (void)co_await pipe.reader.recv_chunk(); });
        co_await leat::testing::wait_until_idle();
        std::error_code failed;
        leat::handle<> second;
        auto cancels = leat::spawn([&]() -> leat::task<> {
            second = leat::spawn([&]() -> leat::task<> {
                const auto ended = co_await leat::as_result(pipe.reader.recv_chunk());
                failed = ended.ok() ? std::error_code() : ended.error();
            });
            first.cancel();
            co_return;
        });
        co_await cancels;
        if (closes) {
            pipe.reader.close();
        } else {
            second.cancel();
        }
        const auto& how = co_await second.join();
        CHECK(how.cancelled() == !closes);
        CHECK(failed == (closes ? leat::stream_errc::closed : std::error_code()));
        if (!closes) {
            (void)co_await first.join();
            pipe.peer_writes("abc");
            const leat::chunk chunk = co_await pipe.reader.recv_chunk();
            CHECK(chunk.text() == "abc");
        }
    }
}

LEAT_TEST("who cancels a send_all to a pipe midway and sends at once is told that the pipe is broken",
          on(kernel)) {
    half_pipe<owned::alone> pipe(false);
    const std::string much(300'000, 'a');
    auto sends = leat::spawn([&]() -> leat::task<> { co_await pipe.writer.send_all(much); });
    co_await leat::testing::wait_until_idle();
    sends.cancel();
    const auto next = co_await leat::as_result(pipe.writer.send("behind a gap"));
    CHECK(next.error() == leat::stream_errc::broken);
    const auto& how = co_await sends.join();
    CHECK(how.cancelled());
}
