// SPDX-License-Identifier: MIT
// check_stream, on the streams of leat and on some that are wrong.
#include <leat/net.hpp>
#include <leat/testing/check_stream.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/memory_stream.hpp>

#include <string>

using namespace std::chrono_literals;
using leat::testing::check_stream;
using leat::testing::memory_stream;

LEAT_TEST("TCP is a stream as streams are to be") {
    co_await check_stream(leat::testing::stream_pair);
}

LEAT_TEST("streams in memory are as streams are to be", on(leat::testing::simulated)) {
    co_await check_stream([] { return memory_stream::pair(); });
    co_await check_stream([] { return memory_stream::pair({.capacity = 5, .piece = 3}); },
                          {.large = 20'000, .blocks = 20'000});
    co_await check_stream([] { return memory_stream::lockstep_pair(); });
}

LEAT_SIMULATE("TCP is so too when bytes are late and pieces short", {.seeds = 20, .random_order = true}) {
    co_await check_stream(leat::testing::stream_pair, {.patience = 24h, .large = 300'000, .blocks = 500'000});
}

namespace {

// A stream with one fault, chosen by its number.
enum class fault {
    loses_a_byte,
    no_end,
    sends_after_shutdown,
    ignores_close,
    ignores_reset,
    keeps_what_was_cancelled
};

class wrong_stream {
public:
    wrong_stream(memory_stream below, fault planted) : below_(std::move(below)), planted_(planted) {}

    leat::task<std::size_t> recv(leat::byte_buffer into) {
        const std::size_t count = co_await below_.recv(into);
        if (planted_ == fault::no_end && count == 0 && into.size() > 0) {
            co_await leat::sleep_until(leat::never);
        }
        co_return planted_ == fault::loses_a_byte&& count > 100 ? count - 1 : count;
    }
    leat::task<> recv_exactly(leat::byte_buffer into) {
        if (planted_ != fault::keeps_what_was_cancelled) {
            co_await below_.recv_exactly(into);
            co_return;
        }
        for (std::span<std::byte> rest = into; !rest.empty();) {
            const std::size_t count = co_await below_.recv(rest);
            if (count == 0) {
                throw std::system_error(leat::stream_errc::end_of_stream);
            }
            rest = rest.subspan(count);
        }
    }
    leat::task<leat::chunk> recv_chunk() { return below_.recv_chunk(); }
    leat::task<std::size_t> send(leat::byte_view from) { return below_.send(from); }
    leat::task<> send_all(leat::byte_view from) { return below_.send_all(from); }
    template <typename... More>
    leat::task<> send_all(leat::byte_view first, const More&... more) {
        return below_.send_all(first, more...);
    }
    void shutdown_send() {
        if (planted_ != fault::sends_after_shutdown) {
            below_.shutdown_send();
        }
    }
    void close() noexcept {
        if (planted_ != fault::ignores_close) {
            below_.close();
        }
    }
    void reset() noexcept {
        if (planted_ != fault::ignores_reset) {
            below_.reset();
        }
    }

private:
    memory_stream below_;
    fault planted_;
};

leat::task<std::string> flaw_of(fault planted) {
    try {
        co_await check_stream([planted]() -> leat::task<std::pair<wrong_stream, wrong_stream>> {
            auto [near, far] = memory_stream::pair();
            co_return std::pair(wrong_stream(std::move(near), planted),
                                wrong_stream(std::move(far), planted));
        });
    } catch (const leat::testing::stream_flaw& flaw) {
        co_return flaw.what();
    }
    co_return "";
}

}  // namespace

LEAT_TEST("check_stream names the flaw of a stream that has one", on(leat::testing::simulated)) {
    std::string flaw = co_await flaw_of(fault::loses_a_byte);
    CHECK(flaw == "pieces: bytes arrive as they were sent, whatever the pieces");
    flaw = co_await flaw_of(fault::no_end);
    CHECK(flaw.starts_with("pieces: "));
    CHECK(flaw.find("timed out") != std::string::npos);
    flaw = co_await flaw_of(fault::sends_after_shutdown);
    CHECK(flaw.starts_with("pieces: "));
    flaw = co_await flaw_of(fault::ignores_close);
    CHECK(flaw.starts_with("after close: "));
    flaw = co_await flaw_of(fault::ignores_reset);
    CHECK(flaw.starts_with("reset: "));
    flaw = co_await flaw_of(fault::keeps_what_was_cancelled);
    CHECK(flaw == "a cancelled receiver: bytes are lost or changed when a receiver is cancelled");
}
