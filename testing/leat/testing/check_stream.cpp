// SPDX-License-Identifier: MIT
#include <leat/testing/check_stream.hpp>

#include <leat/as_outcome.hpp>
#include <leat/core/error_text.hpp>
#include <leat/join.hpp>
#include <leat/sleep.hpp>
#include <leat/spawn.hpp>
#include <leat/testing/idle.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace leat::testing {

namespace {

// Both ends, kept by every task that uses them.
struct two_ends {
    explicit two_ends(std::pair<any_stream, any_stream> made) noexcept
        : near(std::move(made.first)), far(std::move(made.second)) {}
    any_stream near;
    any_stream far;
    std::string text;  // that a task sends
    std::string got;   // by a task that receives
};
using ends = std::shared_ptr<two_ends>;

void require(bool holds, const std::string& rule) {
    if (!holds) {
        throw stream_flaw(rule);
    }
}

// Text in which every position can be told from its neighbours.
std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) {
        text[at] = static_cast<char>('a' + (at * 31 + at / 251) % 26);
    }
    return text;
}

// The code that X fails with; none when it does not.
template <leat::detail::any_awaitable X>
task<std::error_code> code_of(X x) {
    try {
        (void)co_await std::move(x);
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

task<std::string> receive_all(any_stream& from) {
    std::string all;
    while (const chunk part = co_await from.recv_chunk()) {
        all += part.text();
    }
    co_return all;
}

task<std::string> receive(any_stream& from, std::size_t size) {
    std::string text(size, '\0');
    co_await from.recv_exactly(text);
    co_return text;
}

task<> send_in_pieces(any_stream& to, std::string_view text) {
    for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size % 577 + 1) {
        co_await to.send_all(text.substr(at, size));
    }
    co_await to.shutdown_send();
}

task<std::string> receive_in_pieces(any_stream& from) {
    std::string all;
    for (std::size_t size = 1;; size = size % 701 + 1) {
        std::string part(size, '\0');
        const std::size_t count = co_await from.recv(part);
        if (count == 0) {
            co_return all;
        }
        require(count <= size, "a recv gives no more than fits");
        all.append(part, 0, count);
    }
}

task<> check_pieces(ends both) {
    const std::string sent = pattern(100'000);
    auto [nothing, received] =
        co_await gather(send_in_pieces(both->near, sent), receive_in_pieces(both->far));
    require(received == sent, "bytes arrive as they were sent, whatever the pieces");
}

task<> send_by_send(any_stream& to, std::string_view rest) {
    while (!rest.empty()) {
        const std::size_t count = co_await to.send(rest);
        require(count >= 1 && count <= rest.size(), "a send takes at least one byte and says how many");
        rest.remove_prefix(count);
    }
    co_await to.shutdown_send();
}

task<> check_send(ends both) {
    const std::string sent = pattern(50'000);
    auto [nothing, received] = co_await gather(send_by_send(both->near, sent), receive_all(both->far));
    require(received == sent, "what send() took arrives");
}

task<> check_nothing(ends both) {
    const std::size_t sent = co_await both->near.send("");
    require(sent == 0, "a send of nothing takes 0 bytes");
    co_await both->near.send_all("");
    co_await both->far.recv_exactly(std::span<std::byte>());
    auto [nothing, text] = co_await gather(both->near.send_all("x", "", "yz"), receive(both->far, 3));
    require(text == "xyz", "after operations on nothing the stream works, and pieces arrive in order");
}

// 1 MB each way, and the ends of both.
task<> check_both_ways(ends both, std::size_t size) {
    const std::string sent = pattern(size);
    const auto send = [&](any_stream& to) -> task<> {
        co_await to.send_all(sent);
        co_await to.shutdown_send();
    };
    auto [nothing, none, here, there] =
        co_await gather(send(both->near), send(both->far), receive_all(both->near), receive_all(both->far));
    require(here == sent && there == sent, "large transfers in both directions at once are whole");
}

task<> check_unread(ends both) {
    const auto bytes = [](std::string_view text) { return copied_chunk(std::as_bytes(std::span(text))); };
    try {
        both->near.unread(bytes("cd"));
    } catch (const std::system_error& error) {
        require(error.code() == std::errc::operation_not_supported, "an open stream takes bytes back");
        co_return;
    }
    both->near.unread(bytes("ab"));
    auto [nothing, text] = co_await gather(both->far.send_all("efgh"), receive(both->near, 8));
    require(text == "abcdefgh", "bytes that were given back come first");
    both->near.unread(bytes("xyz"));
    both->near.unread(co_await both->near.recv_chunk());
    auto [none, whole] = co_await gather(both->far.shutdown_send(), receive_all(both->near));
    require(whole == "xyz", "what was received is given back, and comes once");
    both->near.unread(bytes("more"));
    whole = co_await receive_all(both->near);
    require(whole == "more", "bytes that are given back after the end come before it");
    both->near.close();
    chunk late = bytes("late");
    const std::error_code code = co_await code_of([&]() -> task<> {
        both->near.unread(std::move(late));
        co_return;
    });
    require(code == stream_errc::closed, "after close() an unread fails with stream_errc::closed");
    require(late.text() == "late", "an unread that fails leaves the bytes to the caller");
}

task<> check_end(ends both) {
    const auto send = [](any_stream& to) -> task<> {
        co_await to.send_all("last");
        co_await to.shutdown_send();
    };
    auto [nothing, text] = co_await gather(send(both->near), receive_all(both->far));
    require(text == "last", "bytes that were sent arrive before the end");
    char byte[1];
    const std::size_t count = co_await both->far.recv(byte);
    require(count == 0, "after the end a recv gives 0 again");
    const chunk none = co_await both->far.recv_chunk();
    require(none.empty(), "after the end a recv_chunk gives an empty chunk again");
    const std::error_code code = co_await code_of(both->far.recv_exactly(byte));
    require(code == stream_errc::end_of_stream, "after the end recv_exactly fails with end_of_stream");
}

task<> check_half_close(ends both) {
    co_await both->near.shutdown_send();
    const std::error_code late = co_await code_of(both->near.send_all("late"));
    require(bool(late), "after shutdown_send() a send fails");
    const std::string end = co_await receive_all(both->far);
    require(end.empty(), "what was not sent does not arrive");
    auto [nothing, text] = co_await gather(both->far.send_all("answer"), receive(both->near, 6));
    require(text == "answer", "after shutdown_send() receiving goes on");
    auto [no, rest] = co_await gather(both->far.shutdown_send(), receive_all(both->near));
    require(rest.empty(), "the other direction ends, too");
}

task<> check_cut_short(ends both) {
    const auto send = [](any_stream& to) -> task<> {
        co_await to.send_all("abc");
        co_await to.shutdown_send();
    };
    char four[4];
    auto [nothing, code] = co_await gather(send(both->near), code_of(both->far.recv_exactly(four)));
    require(code == stream_errc::end_of_stream, "recv_exactly that the end cuts short fails with it");
}

task<> check_closed(ends both) {
    both->near.close();
    both->near.close();
    char byte[1];
    std::error_code code = co_await code_of(both->near.recv(byte));
    require(code == stream_errc::closed, "after close() a recv fails with stream_errc::closed");
    code = co_await code_of(both->near.recv_chunk());
    require(code == stream_errc::closed, "after close() a recv_chunk fails with stream_errc::closed");
    code = co_await code_of(both->near.send_all("x"));
    require(code == stream_errc::closed, "after close() a send_all fails with stream_errc::closed");
    // The end, or an error where a stream must say that it ends.
    (void)co_await code_of(both->far.recv(byte));
    for (code.clear(); !code;) {
        code = co_await code_of(both->far.send_all(pattern(10'000)));
    }
}

task<> check_close_under_recv(ends both) {
    auto reader = spawn([both]() -> task<std::error_code> { return code_of(both->near.recv_chunk()); });
    co_await wait_until_idle();
    require(!reader.done(), "a recv waits while nothing comes");
    both->near.close();
    const std::error_code code = co_await reader;
    require(code == std::errc::operation_canceled, "close() ends a recv with operation_canceled");
}

task<> check_close_under_send(ends both, std::size_t size) {
    both->text = pattern(size);
    auto writer = spawn([both]() { return code_of(both->near.send_all(both->text)); });
    co_await wait_until_idle();
    const bool waited = !writer.done();
    both->near.close();
    const std::error_code code = co_await writer;
    require(!waited || code == std::errc::operation_canceled, "close() ends a send with operation_canceled");
}

task<> check_reset(ends both) {
    auto reader = spawn([both]() -> task<std::error_code> { return code_of(both->near.recv_chunk()); });
    co_await wait_until_idle();
    both->near.reset();
    both->near.reset();
    const std::error_code ended = co_await reader;
    require(ended == std::errc::operation_canceled, "reset() ends a recv with operation_canceled");
    std::error_code code = co_await code_of(both->near.send_all("x"));
    require(code == stream_errc::closed, "after reset() a send_all fails with stream_errc::closed");
    both->near.close();
    (void)co_await code_of(receive_all(both->far));  // ends, by an error or by the end
    for (code.clear(); !code;) {
        code = co_await code_of(both->far.send_all(pattern(10'000)));
    }
}

task<> check_peer_gone(ends both) {
    auto reader = spawn([both]() { return code_of(both->near.recv_chunk()); });
    co_await wait_until_idle();
    both->far = any_stream();
    co_await reader.join();  // with the end, or with an error
}

task<> check_deadline(ends both) {
    char byte[1];
    const auto nothing = co_await move_on_after(std::chrono::milliseconds(1), both->near.recv(byte));
    require(!nothing, "a recv waits while nothing comes");
    auto [none, text] = co_await gather(both->far.send_all("later"), receive(both->near, 5));
    require(text == "later", "after a recv that was cancelled the next sees every byte");
}

// Ways to receive up to four bytes; each appends them to `got`.
enum class receiving { some, exactly, piece };

task<> receive_some(ends both, receiving how) {
    char four[4];
    switch (how) {
        case receiving::some: {
            const std::size_t count = co_await both->near.recv(four);
            both->got.append(four, count);
            break;
        }
        case receiving::exactly:
            co_await both->near.recv_exactly(four);
            both->got.append(four, 4);
            break;
        case receiving::piece: {
            const chunk part = co_await both->near.recv_chunk();
            both->got += part.text();
            break;
        }
    }
}

// How far a task has got before it is cancelled: so many turns of the others, or as far as it can.
constexpr int moments = 6;
task<> let_it_run(int moment) {
    for (int turn = 0; turn < moment; ++turn) {
        co_await yield();
    }
    if (moment == moments) {
        co_await wait_until_idle();
    }
}

task<> receive_until(ends both, std::size_t size) {
    while (both->got.size() < size) {
        co_await receive_some(both, receiving::some);
    }
}

task<> check_cancelled_recv(ends both, receiving how, duration patience) {
    std::string sent;
    for (int before = 0; before <= moments; ++before) {
        for (int after = 0; after <= moments; ++after) {
            auto reader = spawn([both, how] { return receive_some(both, how); });
            co_await let_it_run(before);
            // The first bytes are too few for recv_exactly: it has them when it is cancelled, or gives them
            // back.
            both->text = std::to_string(1000 + sent.size()).substr(1);
            auto writer = spawn([both, whole = after % 2 == 0]() -> task<> {
                const std::string_view text = both->text;
                co_await both->far.send_all(text.substr(0, whole ? 4 : 2));
                if (!whole) {
                    co_await yield();
                    co_await both->far.send_all(text.substr(2));
                }
            });
            co_await let_it_run(after);
            reader.cancel();
            co_await reader.join();
            sent += both->text;
            const bool arrived = co_await move_on_after(patience / 4, receive_until(both, sent.size()));
            require(arrived && both->got == sent, "bytes are lost or changed when a receiver is cancelled");
            co_await writer;
        }
    }
}

task<> check_cancelled_send(ends both, std::size_t size, int moment) {
    both->text = pattern(size);
    auto writer = spawn([both] { return both->near.send_all(both->text); });
    co_await let_it_run(moment);
    writer.cancel();
    auto reader = spawn([both] { return receive_all(both->far); });
    co_await writer.join();
    const bool whole = writer.ok();
    const std::error_code next = co_await code_of(both->near.send_all("next"));
    require(!next || next == stream_errc::broken, "after a cancelled send_all a send works, or says broken");
    require(!whole || !next, "after a whole send_all the next works");
    if (next) {
        both->near.close();
        co_await reader.join();
        co_return;
    }
    co_await both->near.shutdown_send();
    const std::string received = co_await reader;
    require(received == (whole ? both->text : "") + "next",
            "a send_all that was cancelled sent nothing, or all, or broke sending");
}

task<> run_check(const make_any_streams& make, duration patience, std::string name,
                 std::function<task<>(ends)> body) {
    auto both = std::make_shared<two_ends>(co_await make());
    const auto ended = co_await as_outcome(timeout(patience, [&] { return body(both); }));
    if (ended.error() != nullptr) {
        throw stream_flaw(name + ": " + leat::detail::error_text(ended.error()));
    }
}

}  // namespace

task<> check_any_streams(make_any_streams make, check_stream_options options) {
    const auto run = [&](std::string name, std::function<task<>(ends)> body) {
        return run_check(make, options.patience, std::move(name), std::move(body));
    };
    co_await run("pieces", check_pieces);
    co_await run("send", check_send);
    co_await run("operations on nothing", check_nothing);
    co_await run("unread", check_unread);
    co_await run("both ways", [&](ends both) { return check_both_ways(both, options.large); });
    co_await run("the end", check_end);
    co_await run("half close", check_half_close);
    co_await run("an end too early", check_cut_short);
    co_await run("after close", check_closed);
    co_await run("close under a recv", check_close_under_recv);
    co_await run("close under a send",
                 [&](ends both) { return check_close_under_send(both, options.blocks); });
    co_await run("reset", check_reset);
    co_await run("the peer goes", check_peer_gone);
    co_await run("a deadline", check_deadline);
    for (const receiving how : {receiving::some, receiving::exactly, receiving::piece}) {
        co_await run("a cancelled receiver",
                     [&](ends both) { return check_cancelled_recv(both, how, options.patience); });
    }
    for (const std::size_t size : {std::size_t{4}, options.blocks}) {
        for (const int moment : {0, 1, 2, moments}) {
            co_await run("a cancelled sender",
                         [=](ends both) { return check_cancelled_send(both, size, moment); });
        }
    }
}

}  // namespace leat::testing
