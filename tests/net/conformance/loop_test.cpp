// SPDX-License-Identifier: MIT
// What the loop owes to all who wait on it, on every backend: timers in order and never early, nobody kept
// waiting by who is always ready, nothing done while all is idle; and what becomes of descriptors that others
// hold too.
#include "../../support/sanitizers.hpp"
#include "connected.hpp"

#include <leat/fd.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using conformance::carries;
using conformance::connected;
using conformance::connection;
using conformance::error_of;
using conformance::patience;

namespace {

// Sends and receives as fast as it can, both ways, until it is cancelled.
leat::task<> pump(connection& both) {
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&]() -> leat::task<> {
            for (;;) {
                co_await both.client.send_all(std::string_view(conformance::too_much()).substr(0, 100'000));
            }
        });
        for (;;) {
            (void)co_await both.server.recv_chunk();
        }
    });
}

// In a simulation time stands still while anybody is ready to run.
leat::task<> sleep_unless_virtual(leat::duration length) {
    if (!leat::current_scheduler().io().time_is_virtual()) {
        co_await leat::sleep(length);
    }
}

constexpr std::size_t timer_count = leat::testing::address_sanitized ? 10'000 : 100'000;
using timer_fired = std::pair<leat::time_point, std::size_t>;

// Lists the timers as they fire, which is from `lead` on. Returns how long it took to arm them.
leat::task<leat::duration> fire_in_order(leat::duration lead, std::vector<timer_fired>& fired) {
    const leat::time_point begin = leat::now();
    const leat::time_point start = begin + lead;
    leat::time_point last_armed = begin;
    int early = 0;
    fired.clear();
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (std::size_t i = 0; i < timer_count; ++i) {
            const leat::time_point deadline = start + std::chrono::nanoseconds(i * 7'919 % 50'000);
            group.spawn([&, deadline, i]() -> leat::task<> {
                last_armed = leat::now();
                co_await leat::sleep_until(deadline);
                early += leat::now() < deadline ? 1 : 0;
                fired.emplace_back(deadline, i);
            });
        }
        co_return;
    });
    CHECK(early == 0);
    co_return last_armed - begin;
}

std::uint64_t turns() {
    return leat::current_scheduler().counters().turns;
}

}  // namespace

LEAT_TEST("a hundred thousand timers fire in the order of their deadlines, and of their making") {
    std::vector<timer_fired> fired;
    leat::duration lead = 10ms;
    for (bool in_time = false; !in_time;) {  // armed too late they have no order
        const leat::duration taken = co_await fire_in_order(lead, fired);
        in_time = taken < lead;
        lead = 2 * taken;
    }
    CHECK(fired.size() == timer_count);
    CHECK(std::is_sorted(fired.begin(), fired.end()));
    CHECK(leat::current_scheduler().alarms().empty());
}

LEAT_TEST("a hundred thousand timers can be armed and taken away again") {
    const auto& alarms = leat::current_scheduler().alarms();
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (std::size_t i = 0; i < timer_count; ++i) {
            group.spawn([]() -> leat::task<> { co_await leat::sleep(1h); });
        }
        co_await leat::yield();
        CHECK_FALSE(alarms.empty());
        group.cancel();
    });
    CHECK(alarms.empty());
}

LEAT_TEST("no sleep ends early, and none in the past lasts") {
    for (const leat::duration length :
         {leat::duration(-1h), leat::duration(0), leat::duration(1ns), leat::duration(1us),
          leat::duration(999us), leat::duration(1ms), leat::duration(3ms)}) {
        const leat::time_point before = leat::now();
        co_await leat::sleep(length);
        CHECK(leat::now() - before >= length);
    }
    co_await leat::sleep_until(leat::long_ago);
}

LEAT_TEST("the greatest timeouts are none") {
    connection both = co_await connected();
    auto waits = leat::spawn([&]() -> leat::task<bool> {
        std::array<char, 5> text;
        co_await leat::timeout(leat::duration::max(), both.client.recv_exactly(text));
        const bool again =
            co_await leat::move_on_after(std::chrono::hours::max(), both.client.recv_exactly(text));
        co_return again;
    });
    co_await leat::sleep(1ms);
    CHECK_FALSE(waits.done());
    co_await both.server.send_all("firstagain");
    const bool finished = co_await leat::timeout(patience, waits);
    CHECK(finished);
}

LEAT_TEST("a deadline that is moved is the one that counts") {
    connection both = co_await connected();
    const leat::time_point before = leat::now();
    const bool finished = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        scope.set_timeout(1h);
        scope.set_timeout(2ms);
        (void)co_await both.client.recv_chunk();
    });
    CHECK_FALSE(finished);
    CHECK(leat::now() - before >= 2ms);
    const bool in_time = co_await leat::with_cancel_scope([&](leat::cancel_scope& scope) -> leat::task<> {
        scope.set_timeout(1ms);
        scope.set_deadline(leat::never);
        co_await leat::sleep(2ms);
    });
    CHECK(in_time);
}

LEAT_TEST("of two deadlines that pass in one turn the outer one decides") {
    connection both = co_await connected();
    const leat::time_point deadline = leat::now() + 1ms;
    bool inner_returned = false;
    const bool finished = co_await leat::move_on_at(deadline, [&]() -> leat::task<> {
        (void)co_await leat::move_on_at(deadline, both.client.recv_chunk());
        inner_returned = true;
    }());
    CHECK_FALSE(finished);
    CHECK_FALSE(inner_returned);
}

LEAT_TEST("tasks that only yield keep neither bytes nor timers waiting") {
    connection both = co_await connected();
    bool over = false;
    std::vector<leat::handle<>> busy;
    for (int i = 0; i < 300; ++i) {  // more than are run in one turn
        busy.push_back(leat::spawn([&]() -> leat::task<> {
            while (!over) {
                co_await leat::yield();
            }
        }));
    }
    for (int i = 0; i < 10; ++i) {
        const bool there = co_await carries(both.client, both.server);
        const bool back = co_await carries(both.server, both.client);
        CHECK((there && back));
    }
    co_await sleep_unless_virtual(1ms);
    over = true;
    co_await leat::join_all(busy);
}

LEAT_TEST("connections that are always ready keep neither a quiet one nor a timer nor an accept waiting") {
    connection loud[3];
    for (connection& each : loud) {
        each = co_await connected();
    }
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    connection quiet = co_await connected(listener);
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (connection& each : loud) {
            group.spawn([&each] { return pump(each); });
        }
        for (int i = 0; i < 20; ++i) {
            const bool there = co_await carries(quiet.client, quiet.server);
            const bool back = co_await carries(quiet.server, quiet.client);
            CHECK((there && back));
            co_await sleep_unless_virtual(10us);
        }
        connection late = co_await connected(listener);
        const bool works = co_await carries(late.client, late.server);
        CHECK(works);
        group.cancel();
    });
}

LEAT_TEST("a task whose operations never have to wait lets others run") {
    connection both = co_await connected();
    co_await both.client.send_all(std::string(20'000, 'x'));
    bool ran = false;
    std::size_t before_it_ran = 0;
    auto other = leat::spawn([&]() -> leat::task<> {
        ran = true;
        co_return;
    });
    std::array<char, 1> byte;
    for (std::size_t i = 0; i < 20'000; ++i) {
        co_await both.server.recv_exactly(byte);
        before_it_ran += ran ? 0 : 1;
    }
    CHECK(ran);
    CHECK(before_it_ran < 1'000);
    co_await other;
}

LEAT_TEST("nothing happens while everybody waits") {
    std::vector<connection> idle;
    std::vector<leat::handle<>> waiting;
    for (int i = 0; i < 50; ++i) {
        idle.push_back(co_await connected());
    }
    for (connection& each : idle) {
        waiting.push_back(
            leat::spawn([&each]() -> leat::task<> { (void)co_await each.client.recv_chunk(); }));
        waiting.push_back(leat::spawn([&each]() -> leat::task<> {
            std::array<char, 1> byte;
            co_await each.server.recv_exactly(byte);
        }));
    }
    // On a busy machine the kernel may need longer until all of them wait.
    std::uint64_t fewest = UINT64_MAX;
    for (int tries = 0; tries < 20 && fewest > 3; ++tries) {
        const std::uint64_t before = turns();
        co_await leat::sleep(20ms);
        fewest = std::min(fewest, turns() - before);
    }
    CHECK(fewest <= 3);
    for (auto& each : waiting) {
        each.cancel();
    }
    for (auto& each : waiting) {
        co_await each.join();
    }
}

LEAT_TEST("a great volume of bytes arrives in order") {
    const std::uint64_t volume = conformance::asked_volume();
    connection both = co_await connected();
    const std::string_view pattern = std::string_view(conformance::too_much()).substr(0, 23 * 40'000);
    auto sender = leat::spawn([&]() -> leat::task<> {
        while (both.client.bytes_sent() < volume) {
            const std::uint64_t left = volume - both.client.bytes_sent();
            co_await both.client.send_all(
                pattern.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, pattern.size()))));
        }
        both.client.shutdown_send();
    });
    std::uint64_t received = 0;
    bool same = true;
    while (const auto chunk = co_await both.server.recv_chunk()) {
        const std::string_view expected = pattern.substr(received % pattern.size(), chunk.size());
        same = same && chunk.text().starts_with(expected) &&
               pattern.starts_with(chunk.text().substr(expected.size()));
        received += chunk.size();
    }
    CHECK(same);
    CHECK(received == volume);
    co_await sender;
    CHECK(both.client.bytes_sent() == volume);
}

LEAT_TEST("a descriptor that was copied and closed disturbs nobody who has its number", on(kernel)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    for (int round = 0; round < 10; ++round) {
        connection old = co_await connected(listener);
        const auto nothing = co_await leat::move_on_after(1us, old.server.recv_chunk());
        CHECK_FALSE(nothing.has_value());
        const int number = old.server.native_handle();
        const leat::fd copy(::dup(number));
        old.server.close();
        co_await leat::sleep(1us);
        connection next = co_await connected(listener);
        // The old socket still lives by its copy, and now it is ready.
        co_await old.client.send_all("for the copy");
        const auto disturbed = co_await leat::move_on_after(100us, next.server.recv_chunk());
        CHECK_FALSE(disturbed.has_value());
        const bool works = co_await carries(next.client, next.server);
        CHECK(works);
        std::array<char, 12> text;
        CHECK(::recv(copy.get(), text.data(), text.size(), MSG_WAITALL) == 12);
        CHECK(number >= 0);
    }
}

LEAT_TEST("a child process that has copies of all descriptors changes nothing", on(kernel)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    connection old = co_await connected(listener);
    const auto nothing = co_await leat::move_on_after(1us, old.server.recv_chunk());
    CHECK_FALSE(nothing.has_value());
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const leat::fd reading(ends[0]);
    leat::fd writing(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[1]);
        char byte = 0;
        ::_exit(::read(reading.get(), &byte, 1) == 0 ? 0 : 1);  // until the parent closes its end
    }
    REQUIRE(child > 0);
    old.server.close();
    connection next = co_await connected(listener);
    co_await old.client.send_all("to a socket that only the child has");
    const auto disturbed = co_await leat::move_on_after(100us, next.server.recv_chunk());
    CHECK_FALSE(disturbed.has_value());
    const bool there = co_await carries(next.client, next.server);
    const bool back = co_await carries(next.server, next.client);
    CHECK((there && back));
    writing.reset();
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

LEAT_TEST("without a free descriptor accept and connect fail, and later go on", on(kernel)) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{.rlim_cur = static_cast<rlim_t>(client.native_handle()) + 20,
                     .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    std::vector<leat::fd> taken;
    for (int fd = 0; (fd = ::dup(client.native_handle())) >= 0;) {
        taken.emplace_back(fd);
    }
    const auto accepting = co_await error_of(
        [](leat::tcp_listener& from) -> leat::task<> { (void)co_await from.accept(); }(listener));
    const auto connecting = co_await error_of([](leat::endpoint to) -> leat::task<> {
        (void)co_await leat::tcp_stream::connect(to);
    }(listener.local_endpoint()));
    taken.clear();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(accepting == std::errc::too_many_files_open);
    CHECK(connecting == std::errc::too_many_files_open);
    auto server = co_await leat::timeout(patience, listener.accept());
    const bool works = co_await carries(client, server);
    CHECK(works);
}
