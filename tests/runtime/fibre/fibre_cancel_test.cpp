// SPDX-License-Identifier: MIT
// How a blocking function hears of a cancellation: the rules of docs/blocking.md, one after the other.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using namespace fibre_tests;
using leat::await;
using leat::blocking;
using leat::detail::fibre_wait_end;

LEAT_TEST("cancelling ends the wait of a blocking function, which returns by itself", on(kernel)) {
    const socket_pair sockets;
    std::string seen;
    auto reads = leat::spawn(blocking([&] {
        struct cleanup {
            ~cleanup() { seen += "~"; }
            std::string& seen;
        } const at_the_end{seen};
        seen += blocking_get(sockets.near.get());
        return 5;
    }));
    co_await leat::testing::wait_until_idle();
    reads.cancel();
    const auto ended = co_await reads.join();
    CHECK(ended.cancelled());
    CHECK(seen == "!~");
}

LEAT_TEST("a blocking function that is cancelled before it begins runs to its first wait", on(kernel)) {
    const socket_pair sockets;
    std::string seen;
    auto reads = leat::spawn(blocking([&] {
        seen += "began ";
        seen += blocking_get(sockets.near.get());
    }));
    reads.cancel();
    (void)co_await reads.join();
    CHECK(seen == "began !");
}

LEAT_TEST("a byte that comes in the turn of the cancellation is read or stays", on(kernel)) {
    for (const bool first_cancelled : {false, true}) {
        const socket_pair sockets;
        char got = 0;
        auto reads = leat::spawn(blocking([&] { got = blocking_get(sockets.near.get()); }));
        co_await leat::testing::wait_until_idle();
        if (first_cancelled) {
            reads.cancel();
        }
        put(sockets.far.get(), "a");
        if (!first_cancelled) {
            reads.cancel();
        }
        (void)co_await reads.join();
        const char left = co_await blocking([&] { return blocking_get(sockets.near.get(), leat::now()); });
        CHECK((got == 'a' ? left == '?' : got == '!' && left == 'a'));
    }
}

LEAT_TEST("a blocking function that has ended is not cancelled any more", on(kernel)) {
    auto returns = leat::spawn(blocking([] { return 3; }));
    co_await leat::testing::wait_until_idle();
    returns.cancel();
    const int got = co_await returns;
    CHECK(got == 3);
}

LEAT_TEST("every call is refused in a cancelled scope, also while a source is always ready", on(kernel)) {
    const socket_pair sockets;
    int read = 0;
    std::string refused;
    auto reads = leat::spawn(blocking([&] {
        for (char got; (got = blocking_get(sockets.near.get())) != '!';) {
            put(sockets.far.get(), "x");
            ++read;
            await(leat::shield(leat::yield()));
        }
        pollfd asked{.fd = sockets.near.get(), .events = POLLIN | POLLOUT, .revents = 0};
        refused += failed(leat::detail::wait_for_descriptors({&asked, 1}, leat::never)) == 0 ? 'r' : '!';
        refused += failed(leat::detail::wait_for_time(leat::now())) == 0 ? 'r' : '!';
        refused +=
            failed(leat::detail::wait_to_try(sockets.near.get(), POLLIN, leat::never)) == 0 ? 'r' : '!';
        refused += blocking_get(sockets.near.get());
    }));
    put(sockets.far.get(), "x");
    for (int turns = 0; turns < 20; ++turns) {
        co_await leat::yield();
    }
    reads.cancel();
    (void)co_await reads.join();
    CHECK(read > 1);
    CHECK(refused == "!!!!");
}

LEAT_TEST("what a function returns is delivered when no call of it was refused") {
    leat::event goes_on;
    auto returns = leat::spawn(blocking([&] {
        await(leat::shield(goes_on.wait()));
        return 7;
    }));
    co_await leat::testing::wait_until_idle();
    returns.cancel();
    goes_on.set();
    const int got = co_await returns;
    CHECK(got == 7);
}

LEAT_TEST("what a function returns after a refused call is dropped, and so is what tells of it") {
    const auto sleeps = [] { return leat::detail::wait_for_time(leat::after(leat::now(), 1h)); };
    const auto cancelled = [](auto function) -> leat::task<leat::outcome<void>> {
        auto waits = leat::spawn(blocking(function));
        co_await leat::testing::wait_until_idle();
        waits.cancel();
        co_return co_await waits.join();
    };
    const auto returned = co_await cancelled([&] { (void)sleeps(); });
    CHECK(returned.cancelled());
    const auto told = co_await cancelled([&] {
        if (sleeps() == fibre_wait_end::refused) {
            throw std::system_error(std::make_error_code(std::errc::operation_canceled), "sleep");
        }
    });
    CHECK(told.cancelled());
    const auto awaited = co_await cancelled([] { await(leat::sleep(1h)); });
    CHECK(awaited.cancelled());
    const auto other = co_await cancelled([&] {
        (void)sleeps();
        throw std::runtime_error("the server has gone");
    });
    CHECK(other.error() != nullptr);
    const auto other_code = co_await cancelled([&] {
        (void)sleeps();
        throw std::system_error(std::make_error_code(std::errc::broken_pipe));
    });
    CHECK(other_code.error() != nullptr);
}

LEAT_TEST("await throws fibre_cancelled, and whoever swallows it is refused again") {
    std::string seen;
    auto waits = leat::spawn(blocking([&] {
        for (int i = 0; i < 3; ++i) {
            try {
                await(leat::sleep(1h));
            } catch (const std::exception&) {
                seen += "e";
            } catch (const leat::fibre_cancelled&) {
                seen += "c";
            }
        }
        await(leat::shield(leat::sleep(1ms)));
        seen += "s";
    }));
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    const auto ended = co_await waits.join();
    CHECK(ended.cancelled());
    CHECK(seen == "cccs");
}

LEAT_TEST("a task that is awaited in a fibre unwinds up to the fibre") {
    std::string seen;
    auto waits = leat::spawn(blocking([&] {
        struct note {
            ~note() { seen += what; }
            std::string& seen;
            const char* what;
        };
        const note outer{seen, "f"};
        await([&]() -> leat::task<> {
            const note inner{seen, "t"};
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                group.spawn([&]() -> leat::task<> {
                    const note child{seen, "c"};
                    co_await leat::sleep(1h);
                });
                co_await leat::sleep(1h);
            });
        });
        seen += "not here";
    }));
    co_await leat::testing::wait_until_idle();
    waits.cancel();
    const auto ended = co_await waits.join();
    CHECK(ended.cancelled());
    CHECK(seen == "ctf");
}

LEAT_TEST("a deadline around a blocking function ends it, and is thrown as ever") {
    bool refused = false;
    bool late = false;
    try {
        co_await leat::timeout(
            1ms,
            blocking([&] { refused = leat::detail::wait_for_time(leat::never) == fibre_wait_end::refused; }));
    } catch (const leat::timed_out&) {
        late = true;
    }
    CHECK(refused);
    CHECK(late);
    const auto nothing = co_await leat::move_on_after(1ms, blocking([] {
                                                          (void)leat::detail::wait_for_time(leat::never);
                                                          return 1;
                                                      }));
    CHECK_FALSE(nothing.has_value());
}

LEAT_TEST("a fibre hears of a cancellation although another took what it was woken for", on(kernel)) {
    const socket_pair sockets;
    fibre_wait_end how{};
    auto polls = leat::spawn(blocking([&] {
        pollfd asked{.fd = sockets.near.get(), .events = POLLIN, .revents = 0};
        how = leat::detail::wait_for_descriptors({&asked, 1}, leat::after(leat::now(), 20ms));
    }));
    auto reads = leat::spawn(blocking([&] {
        const char got = blocking_get(sockets.near.get());
        polls.cancel();
        return got;
    }));
    co_await leat::testing::wait_until_idle();
    put(sockets.far.get(), "a");
    const char got = co_await reads;
    CHECK(got == 'a');
    (void)co_await polls.join();
    CHECK(how == fibre_wait_end::refused);
}

LEAT_TEST("a fibre hears of a cancellation in the turn in which it looks at a descriptor", on(simulated)) {
    const socket_pair sockets;
    leat::handle<> polls;
    fibre_wait_end how{};
    leat::testing::nursery others;
    others.spawn([&]() -> leat::task<> {
        co_await leat::sleep(1ms);
        polls.cancel();
    });
    polls = leat::spawn(blocking([&] {
        pollfd asked{.fd = sockets.near.get(), .events = POLLIN, .revents = 0};
        how = leat::detail::wait_for_descriptors({&asked, 1}, leat::after(leat::now(), 1h));
    }));
    (void)co_await polls.join();
    co_await others.wait();
    CHECK(how == fibre_wait_end::refused);
}

static int reports_heard = 0;

TEST_CASE("a function that goes on after 1,000 refused calls is reported once, and the others have turns") {
    reports_heard = 0;
    const auto report = [](std::string_view line) {
        reports_heard += line.find("1,000") != std::string_view::npos ? 1 : 0;
    };
    int turns = 0;
    int refusals = 0;
    leat::run(
        [&]() -> leat::task<> {
            bool over = false;
            auto goes_on = leat::spawn(blocking([&] {
                while (!over) {
                    refusals += leat::detail::wait_for_time(leat::never) == fibre_wait_end::refused ? 1 : 0;
                }
            }));
            co_await leat::yield();
            goes_on.cancel();
            for (; turns < 50; ++turns) {
                co_await leat::yield();
            }
            over = true;
            (void)co_await goes_on.join();
        },
        {.report = report});
    CHECK(reports_heard == 1);
    CHECK(refusals > 1000);
    CHECK(refusals < 1200);
}

TEST_CASE("the report of a function that is refused reaches a report function that writes") {
    static const socket_pair heard;
    leat::run(
        [&]() -> leat::task<> {
            auto goes_on = leat::spawn(blocking([&] {
                for (int i = 0; i < 1000; ++i) {
                    (void)leat::detail::wait_for_time(leat::never);
                }
            }));
            goes_on.cancel();
            (void)co_await goes_on.join();
        },
        {.report = [](std::string_view line) {
            (void)::send(heard.far.get(), line.data(), line.size(), 0);
        }});
    char text[200];
    const ssize_t size = ::recv(heard.near.get(), text, sizeof text, MSG_DONTWAIT);
    REQUIRE(size > 0);
    CHECK(std::string_view(text, static_cast<std::size_t>(size)).find("1,000") != std::string_view::npos);
}
