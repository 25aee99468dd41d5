// SPDX-License-Identifier: MIT
// What can end an operation of a stream beside its success, for each operation, on every backend: a close, a
// reset, a deadline, a cancelled scope, a lost race. Whatever ends it, the stream is left as the contract
// says.
#include "../../runtime/cancel_moments.hpp"
#include "connected.hpp"

#include <leat/testing/doctest.hpp>

#include <array>
#include <optional>
#include <tuple>

#include <unistd.h>

using namespace std::chrono_literals;
using cancel_tests::let_the_loop_look;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;

namespace {

// An operation on a stream that waits, because the peer neither sends nor reads.
struct operation {
    leat::task<> (*run)(leat::tcp_stream& on);
    bool sends;
};

leat::task<> recv(leat::tcp_stream& on) {
    std::array<char, 4> buffer;
    (void)co_await on.recv(buffer);
}

leat::task<> recv_exactly(leat::tcp_stream& on) {
    std::array<char, 4> buffer;
    co_await on.recv_exactly(buffer);
}

leat::task<> recv_chunk(leat::tcp_stream& on) {
    (void)co_await on.recv_chunk();
}

leat::task<> send(leat::tcp_stream& on) {
    for (;;) {
        (void)co_await on.send(conformance::too_much());
    }
}

leat::task<> send_all(leat::tcp_stream& on) {
    co_await on.send_all(conformance::too_much());
}

leat::task<> send_pieces(leat::tcp_stream& on) {
    co_await on.send_all("first", conformance::too_much());
}

constexpr operation recv_operation{recv, false};
constexpr operation recv_exactly_operation{recv_exactly, false};
constexpr operation recv_chunk_operation{recv_chunk, false};
constexpr operation send_operation{send, true};
constexpr operation send_all_operation{send_all, true};
constexpr operation send_pieces_operation{send_pieces, true};

bool means_reset(const std::error_code& code) {
    return code == std::errc::connection_reset || code == std::errc::broken_pipe;
}

// After an operation on the client that has taken nothing: both directions work, or the one that is cut off
// says so, and the peer has what bytes_sent() says.
leat::task<> check_left(const operation& ended, connection& both) {
    const bool receives = co_await carries(both.server, both.client);
    CHECK(receives);
    if (ended.sends) {
        const std::uint64_t sent = both.client.bytes_sent();
        both.client.close();
        const std::string arrived =
            co_await leat::timeout(patience, conformance::read_to_the_end(both.server));
        CHECK(arrived.size() == sent);
    } else {
        const bool sends = co_await carries(both.client, both.server);
        CHECK(sends);
    }
}

leat::task<> closed_while_it_waits(operation asked) {
    connection both = co_await connected();
    auto waits = leat::spawn([&] { return error_of(asked.run(both.client)); });
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    both.client.close();
    const auto code = co_await leat::timeout(patience, waits);
    CHECK(code == std::errc::operation_canceled);
}

leat::task<> closed_in_the_same_turn(operation asked) {
    connection both = co_await connected();
    auto waits = leat::spawn([&] { return error_of(asked.run(both.client)); });
    co_await leat::yield();
    both.client.close();
    const auto code = co_await leat::timeout(patience, waits);
    // A sender may have had its share of the turn before there was no more room: then it begins another send.
    CHECK((code == std::errc::operation_canceled || (asked.sends && code == leat::stream_errc::closed)));
}

leat::task<> closed_before(operation asked) {
    connection both = co_await connected();
    both.client.close();
    const auto code = co_await error_of(asked.run(both.client));
    CHECK(code == leat::stream_errc::closed);
}

// The peer stays: its end might be read first.
leat::task<> dropped_while_it_waits(operation asked) {
    connection both = co_await connected();
    std::optional<leat::tcp_stream> dropped(std::move(both.client));
    auto waits = leat::spawn([&] { return error_of(asked.run(*dropped)); });
    co_await let_the_loop_look();
    dropped.reset();
    const auto code = co_await leat::timeout(patience, waits);
    CHECK(code == std::errc::operation_canceled);
}

leat::task<> reset_while_it_waits(operation asked) {
    connection both = co_await connected();
    auto waits = leat::spawn([&] { return error_of(asked.run(both.client)); });
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    both.server.set_reset_on_close();
    both.server.close();
    const auto code = co_await leat::timeout(patience, waits);
    CHECK(means_reset(code));
}

leat::task<> reset_before(operation asked) {
    connection both = co_await connected();
    both.server.set_reset_on_close();
    both.server.close();
    co_await let_the_loop_look();
    const auto code = co_await leat::timeout(patience, error_of(asked.run(both.client)));
    CHECK(means_reset(code));
}

// A kernel tells a reset once, to whoever asks first.
leat::task<> reset_that_another_was_told_of(operation asked) {
    connection both = co_await connected();
    both.server.set_reset_on_close();
    both.server.close();
    co_await let_the_loop_look();
    const operation other = asked.sends ? recv_chunk_operation : send_operation;
    const auto told = co_await leat::timeout(patience, error_of(other.run(both.client)));
    CHECK(told == std::errc::connection_reset);
    const auto code = co_await leat::timeout(patience, error_of(asked.run(both.client)));
    CHECK(means_reset(code));
}

leat::task<> in_time(leat::time_point deadline, operation asked, leat::tcp_stream& on) {
    co_await leat::timeout_at(deadline, asked.run(on));
}

leat::task<> timed_out(operation asked) {
    connection both = co_await connected();
    const leat::time_point before = leat::now();
    const auto code = co_await error_of(in_time(before + 2ms, asked, both.client));
    CHECK(code == std::errc::timed_out);
    CHECK(leat::now() - before >= 2ms);
    co_await check_left(asked, both);
}

leat::task<> given_up(operation asked) {
    connection both = co_await connected();
    const leat::time_point until = leat::now() + 1ms;
    const bool finished = co_await leat::move_on_at(until, asked.run(both.client));
    CHECK_FALSE(finished);
    CHECK(leat::now() >= until);
    co_await check_left(asked, both);
}

leat::task<> out_of_time_before(operation asked) {
    connection both = co_await connected();
    const auto code = co_await error_of(in_time(leat::now(), asked, both.client));
    CHECK(code == std::errc::timed_out);
    CHECK(both.client.bytes_sent() == 0);
    co_await check_left(asked, both);
}

leat::task<> cancelled_by_its_scope(operation asked) {
    connection both = co_await connected();
    const bool finished = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        auto canceller = leat::spawn([&]() -> leat::task<> {
            co_await let_the_loop_look();
            scope.cancel();
        });
        co_await asked.run(both.client);
    });
    CHECK_FALSE(finished);
    co_await check_left(asked, both);
}

leat::task<> a_moment() {
    co_await leat::sleep(1ms);
}

leat::task<> lost_a_race(operation asked) {
    connection both = co_await connected();
    const auto ended = co_await leat::race(asked.run(both.client), a_moment());
    CHECK_FALSE(std::get<0>(ended).has_value());
    CHECK(std::get<1>(ended).has_value());
    co_await check_left(asked, both);
}

leat::task<> outlived_by_a_group(operation asked) {
    connection both = co_await connected();
    std::error_code code;
    try {
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            group.spawn([&] { return asked.run(both.client); });
            co_await let_the_loop_look();
            throw std::system_error(std::make_error_code(std::errc::bad_message));
        });
    } catch (const std::system_error& error) {
        code = error.code();
    }
    CHECK(code == std::errc::bad_message);
    co_await check_left(asked, both);
}

// Cancelled while it is shielded: it goes on until it ends by itself.
leat::task<> shielded(operation asked) {
    connection both = co_await connected();
    bool ended = false;
    auto waits = leat::spawn([&]() -> leat::task<> {
        (void)co_await leat::shield(error_of(asked.run(both.client)));
        ended = true;
        co_await leat::checkpoint();
    });
    co_await let_the_loop_look();
    waits.cancel();
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    both.server.set_reset_on_close();
    both.server.close();
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
    CHECK(ended);
}

// The other direction of the same stream goes on.
leat::task<> cancelled_beside_the_other_direction(operation asked) {
    connection both = co_await connected();
    auto waits = leat::spawn([&] { return asked.run(both.client); });
    const operation beside = asked.sends ? recv_exactly_operation : send_all_operation;
    auto other = leat::spawn([&] { return beside.run(both.client); });
    co_await let_the_loop_look();
    waits.cancel();
    const auto& how = co_await waits.join();
    CHECK(how.cancelled());
    CHECK_FALSE(other.done());
    if (asked.sends) {
        co_await both.server.send_all("four");
    } else {
        std::string arrived(conformance::too_much().size(), ' ');
        co_await leat::timeout(patience, both.server.recv_exactly(arrived));
        const bool same = arrived == conformance::too_much();
        CHECK(same);
    }
    const auto& well = co_await other.join();
    CHECK(well.ok());
}

// Closed by its number, while it waits; its stream is closed later, and then the number is used again.
leat::task<> closed_behind_its_back(operation asked) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    connection old = co_await connected(listener);
    const int number = old.client.native_handle();
    auto waits = leat::spawn([&] { return error_of(asked.run(old.client)); });
    co_await let_the_loop_look();
    REQUIRE(::close(number) == 0);
    co_await let_the_loop_look();
    waits.cancel();
    co_await leat::timeout(patience, leat::join_all(waits));
    const auto& how = co_await waits.join();
    CHECK((how.cancelled() || how.value() == std::errc::bad_file_descriptor));  // poll(2) tells
    old.client.close();
    co_await let_the_loop_look();
    connection next = co_await connected(listener);
    CHECK((next.client.native_handle() == number || next.server.native_handle() == number));
    (void)co_await leat::as_result(old.server.send_all("to the old one"));
    old.server.close();
    co_await let_the_loop_look();
    const bool there = co_await carries(next.client, next.server);
    const bool back = co_await carries(next.server, next.client);
    CHECK((there && back));
}

}  // namespace

#define ENDED_TEST(what, ends)                        \
    LEAT_TEST("a recv " what) {                       \
        return ends(recv_operation);                  \
    }                                                 \
    LEAT_TEST("a recv_exactly " what) {               \
        return ends(recv_exactly_operation);          \
    }                                                 \
    LEAT_TEST("a recv_chunk " what) {                 \
        return ends(recv_chunk_operation);            \
    }                                                 \
    LEAT_TEST("a send " what) {                       \
        return ends(send_operation);                  \
    }                                                 \
    LEAT_TEST("a send_all " what) {                   \
        return ends(send_all_operation);              \
    }                                                 \
    LEAT_TEST("a send_all of several pieces " what) { \
        return ends(send_pieces_operation);           \
    }

ENDED_TEST("whose stream is closed while it waits is an error", closed_while_it_waits)
ENDED_TEST("whose stream is closed in the turn it begins is an error", closed_in_the_same_turn)
ENDED_TEST("on a closed stream is an error of its own", closed_before)
ENDED_TEST("whose stream is destroyed while it waits is an error", dropped_while_it_waits)
ENDED_TEST("whose peer resets while it waits is an error", reset_while_it_waits)
ENDED_TEST("whose peer has reset is an error", reset_before)
ENDED_TEST("behind a reset that another was told of is an error", reset_that_another_was_told_of)
ENDED_TEST("that takes too long is an error, not early, and leaves the stream in order", timed_out)
ENDED_TEST("that is given up at a deadline leaves the stream in order", given_up)
ENDED_TEST("whose time is over when it begins does nothing", out_of_time_before)
ENDED_TEST("that is cancelled by its scope leaves the stream in order", cancelled_by_its_scope)
ENDED_TEST("that loses a race leaves the stream in order", lost_a_race)
ENDED_TEST("that is cancelled by its group leaves the stream in order", outlived_by_a_group)
ENDED_TEST("that is shielded is not cancelled", shielded)
ENDED_TEST("that is cancelled leaves the other direction as it was", cancelled_beside_the_other_direction)

LEAT_TEST(
    "an operation whose descriptor is closed behind its back can be cancelled, and the number used again",
    on(kernel)) {
    for (const operation asked : {recv_operation, recv_exactly_operation, recv_chunk_operation,
                                  send_operation, send_all_operation, send_pieces_operation}) {
        co_await closed_behind_its_back(asked);
    }
}

LEAT_TEST("a reset behind a part of what is awaited is told as such, and not as an end") {
    connection both = co_await connected();
    auto waits = leat::spawn([&] { return error_of(recv_exactly(both.client)); });
    co_await let_the_loop_look();
    co_await both.server.send_all("abc");
    co_await let_the_loop_look();
    CHECK_FALSE(waits.done());
    both.server.set_reset_on_close();
    both.server.close();
    const auto code = co_await leat::timeout(patience, waits);
    CHECK(code == std::errc::connection_reset);
    const auto end = co_await error_of(recv_chunk(both.client));
    CHECK(end == std::errc::connection_reset);
}

LEAT_TEST("a reset in the middle of what is sent is told as such, and to who reads as well") {
    for (const operation asked : {send_all_operation, send_pieces_operation}) {
        connection both = co_await connected();
        auto waits = leat::spawn([&] { return error_of(asked.run(both.client)); });
        co_await let_the_loop_look();
        std::string some(100'000, ' ');
        co_await both.server.recv_exactly(some);
        co_await let_the_loop_look();
        CHECK_FALSE(waits.done());
        both.server.set_reset_on_close();
        both.server.close();
        const auto code = co_await leat::timeout(patience, waits);
        CHECK(code == std::errc::connection_reset);
        const auto end = co_await error_of(recv_chunk(both.client));
        CHECK(end == std::errc::connection_reset);
    }
}

LEAT_TEST("a recv_exactly that fails midway says how much has arrived, which is in the buffer") {
    connection both = co_await connected();
    std::array<char, 8> buffer{};
    std::string said;
    std::error_code code;
    auto reader = leat::spawn([&]() -> leat::task<> {
        try {
            co_await both.client.recv_exactly(buffer);
        } catch (const std::system_error& error) {
            code = error.code();
            said = error.what();
        }
    });
    co_await both.server.send_all("abc");
    co_await leat::testing::wait_until_idle();
    both.server.set_reset_on_close();
    both.server.close();
    co_await leat::timeout(patience, reader);
    // A receive of all on io_uring that has some bytes keeps the reset to itself, and then there is an end.
    CHECK((code == std::errc::connection_reset || code == leat::stream_errc::end_of_stream));
    CHECK(said.find("3 of 8 bytes arrived") != std::string::npos);
    CHECK(std::string_view(buffer.data(), 3) == "abc");
}
