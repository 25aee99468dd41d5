// SPDX-License-Identifier: MIT
// retry: which errors are tried again, how often, and how long it waits meanwhile.
#include <leat/retry.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/stream.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using leat::stuck;
using leat::task;

namespace {

using waits = std::vector<leat::duration>;

// Fails with `error` until it is called for the last time that is `needed`, and keeps when it was called.
struct flaky {
    int needed;
    std::errc error = std::errc::connection_refused;
    std::vector<leat::time_point> calls = {};

    task<int> operator()() {
        calls.push_back(leat::now());
        co_await leat::yield();
        if (static_cast<int>(calls.size()) < needed) {
            throw std::system_error(std::make_error_code(error), "try " + std::to_string(calls.size()));
        }
        co_return static_cast<int>(calls.size());
    }
    [[nodiscard]] waits between() const {
        waits found;
        for (std::size_t at = 1; at < calls.size(); ++at) {
            found.push_back(calls[at] - calls[at - 1]);
        }
        return found;
    }
};

// The text of the exception that `x` ends with; "" when there is none.
task<std::string> error_of(task<int> x) {
    try {
        (void)co_await std::move(x);
    } catch (const std::exception& error) {
        co_return error.what();
    }
    co_return "";
}

// The waits of six tries in a simulation.
waits simulated_waits(std::uint64_t seed) {
    flaky server{6};
    leat::testing::run_simulated(
        [&]() -> task<> {
            const int tries = co_await leat::retry({.tries = 6, .first = 1s}, std::ref(server));
            CHECK(tries == 6);
        },
        {.seed = seed});
    return server.between();
}

}  // namespace

LEAT_TEST("a retry calls its function until that succeeds, and gives what it gave") {
    flaky server{3};
    const int tries = co_await leat::retry({.first = 0ms}, [&] { return server(); });
    CHECK(tries == 3);
    CHECK(server.calls.size() == 3);
    flaky good{1};
    const int once = co_await leat::retry([&] { return good(); });
    CHECK(once == 1);
}

LEAT_TEST("the error of the last try is thrown as it is") {
    flaky server{4};
    const std::string error =
        co_await error_of(leat::retry({.tries = 3, .first = 0ms}, [&] { return server(); }));
    CHECK(error == "try 3: Connection refused");
    CHECK(server.calls.size() == 3);
    flaky single{2};
    const std::string first = co_await error_of(leat::retry({.tries = 1}, [&] { return single(); }));
    CHECK(first == "try 1: Connection refused");
}

LEAT_TEST("an error that is not transient ends a retry at once, and so does another exception") {
    flaky server{2, std::errc::permission_denied};
    const std::string error = co_await error_of(leat::retry([&] { return server(); }));
    CHECK(error == "try 1: Permission denied");
    int calls = 0;
    const std::string other = co_await error_of(leat::retry([&]() -> task<int> {
        ++calls;
        co_await leat::yield();
        throw std::runtime_error("its own error");
    }));
    CHECK(other == "its own error");
    CHECK(calls == 1);
}

LEAT_TEST("a predicate chooses which errors are tried again") {
    constexpr auto denied = [](std::error_code error) { return error == std::errc::permission_denied; };
    flaky server{3, std::errc::permission_denied};
    const int tries = co_await leat::retry({.first = 0ms, .when = denied}, [&] { return server(); });
    CHECK(tries == 3);
    flaky refused{2};
    const std::string error =
        co_await error_of(leat::retry({.first = 0ms, .when = denied}, [&] { return refused(); }));
    CHECK(error == "try 1: Connection refused");
}

VIRTUAL_TEST("a retry without jitter waits twice as long after each failure, up to the most") {
    flaky server{7};
    (void)co_await leat::retry({.tries = 7, .first = 100ms, .most = 1s, .jitter = false},
                               [&] { return server(); });
    CHECK(server.between() == waits{100ms, 200ms, 400ms, 800ms, 1s, 1s});
    flaky other{3};
    (void)co_await leat::retry({.first = 1min, .most = 1s, .jitter = false}, [&] { return other(); });
    CHECK(other.between() == waits{1s, 1s});
}

VIRTUAL_TEST("a retry whose waits are negative, or as long as can be, is none that overflows") {
    flaky server{4};
    (void)co_await leat::retry({.first = leat::duration::min(), .most = -1s, .jitter = false},
                               [&] { return server(); });
    CHECK(server.between() == waits{0s, 0s, 0s});
    flaky late{3};
    const bool done = co_await leat::move_on_after(
        1h, leat::retry({.first = leat::duration::max(), .most = leat::duration::max(), .jitter = false},
                        [&]() -> task<> { (void)co_await late(); }));
    CHECK_FALSE(done);
    CHECK(late.calls.size() == 1);
}

TEST_CASE("the jitter of a simulated retry is drawn from the seed, below a bound that doubles") {
    const waits first = simulated_waits(1);
    CHECK(first == simulated_waits(1));
    CHECK(first != simulated_waits(2));
    bool shorter = false;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        leat::duration bound = 1s;
        for (const leat::duration each : simulated_waits(seed)) {
            CHECK(each <= bound + 1ms);  // turns in which tasks are ready take a little
            shorter = shorter || each < bound / 10;
            bound = std::min<leat::duration>(bound * 2, 10s);
        }
    }
    CHECK(shorter);
}

VIRTUAL_TEST("a cancelled retry ends its wait at once, and tries no more") {
    flaky server{100};
    auto trying =
        leat::spawn(leat::retry({.first = 1h, .most = 1h, .jitter = false}, [&] { return server(); }));
    co_await leat::sleep(1min);
    CHECK(server.calls.size() == 1);
    const leat::time_point before = leat::now();
    trying.cancel();
    const auto& ended = co_await trying.join();
    CHECK(ended.cancelled());
    CHECK(leat::now() == before);
    CHECK(server.calls.size() == 1);
}

VIRTUAL_TEST("a cancelled retry ends the try that is under way, and no other begins") {
    int calls = 0;
    auto trying = leat::spawn(leat::retry([&]() -> task<> {
        ++calls;
        co_await stuck();
    }));
    co_await leat::sleep(1min);
    trying.cancel();
    const auto& ended = co_await trying.join();
    CHECK(ended.cancelled());
    CHECK(calls == 1);
}

VIRTUAL_TEST("a timeout inside a retry limits one try, and one around it all of them") {
    int calls = 0;
    const auto slow = [&]() -> task<int> {
        ++calls;
        co_return co_await leat::timeout(1s, []() -> task<int> {
            co_await stuck();
            co_return 0;
        });
    };
    leat::time_point before = leat::now();
    const std::string each = co_await error_of(leat::retry({.tries = 3, .first = 1s, .jitter = false}, slow));
    CHECK(each.find("timed out") != each.npos);
    CHECK(calls == 3);
    CHECK(leat::now() - before == 6s);
    calls = 0;
    before = leat::now();
    const auto all = co_await leat::move_on_after(
        9500ms, leat::retry({.tries = 1000, .first = 1s, .most = 1s, .jitter = false}, slow));
    CHECK_FALSE(all.has_value());
    CHECK(calls == 5);
    CHECK(leat::now() - before == 9500ms);
}

VIRTUAL_TEST("a retry takes what gives an awaitable of leat, and one without a value") {
    const bool slept = co_await leat::retry([] { return leat::move_on_after(1s, stuck); });
    CHECK_FALSE(slept);
    const leat::time_point before = leat::now();
    co_await leat::retry([] { return leat::sleep(1s); });
    CHECK(leat::now() - before == 1s);
    int number = 1;
    int& same = co_await leat::retry([&]() -> task<int&> { co_return number; });
    CHECK(&same == &number);
}

TEST_CASE("what may pass by itself is transient, whatever the category of its code") {
    for (const int error :
         {ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH,
          ENETDOWN, ENETRESET, EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        CAPTURE(error);
        CHECK(leat::is_transient(leat::errno_code(error)));
    }
    CHECK(leat::is_transient(std::make_error_code(std::errc::connection_refused)));
    CHECK(leat::is_transient(leat::timed_out().code()));
    for (const int error : {EACCES, EPERM, ENOENT, EINVAL, EADDRINUSE, EBADF, ECANCELED, ENOTCONN}) {
        CAPTURE(error);
        CHECK_FALSE(leat::is_transient(leat::errno_code(error)));
    }
    CHECK_FALSE(leat::is_transient(std::error_code()));
    CHECK_FALSE(leat::is_transient(leat::stream_errc::end_of_stream));
}

LEAT_TEST("the waits of a loop of one's own are those of retry", on(simulated)) {
    leat::retry_waits waits({.first = 1s, .most = 3s, .jitter = false});
    CHECK(waits.next() == 1s);
    CHECK(waits.next() == 2s);
    CHECK(waits.next() == 3s);
    CHECK(waits.next() == 3s);
    co_return;
}
