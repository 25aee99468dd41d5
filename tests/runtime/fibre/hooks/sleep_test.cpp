// SPDX-License-Identifier: MIT
// Sleeps in a fibre follow the clock of the scheduler: in a simulation an hour passes at once.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <functional>
#include <limits>
#include <vector>

#include <poll.h>
#include <sys/select.h>
#include <unistd.h>

using namespace std::chrono_literals;
namespace backends = leat::testing;

namespace {

constexpr timespec an_hour{.tv_sec = 3600, .tv_nsec = 0};

// Each sleeps for an hour, and gives 0.
const std::vector<std::function<long()>> hours{
    [] { return std::invoke(::usleep, 3'600'000'000u); },
    [] { return std::invoke(::sleep, 3600u); },
    [] { return std::invoke(::nanosleep, &an_hour, nullptr); },
    [] { return ::clock_nanosleep(CLOCK_MONOTONIC, 0, &an_hour, nullptr); },
    [] {
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 3600;
        until.tv_nsec = 999'999'999;
        return ::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, nullptr);
    },
    [] { return ::poll(nullptr, 0, 3'600'000); },
    [] { return ::ppoll(nullptr, 0, &an_hour, nullptr); },
    [] { return ::pselect(0, nullptr, nullptr, nullptr, &an_hour, nullptr); },
    [] {
        timeval limit{.tv_sec = 3600, .tv_usec = 0};
        const long result = ::select(0, nullptr, nullptr, nullptr, &limit);
        return limit.tv_sec == 0 && limit.tv_usec == 0 ? result : 7;
    },
};

}  // namespace

LEAT_TEST("where time is virtual an hour of sleep passes at once", on(backends::simulated)) {
    for (const auto& hour : hours) {
        const auto begun = leat::now();
        const long result = co_await leat::blocking(hour);
        CHECK(result == 0);
        CHECK(leat::now() - begun >= 1h);
        CHECK(leat::now() - begun < 1h + 2s);
    }
}

LEAT_TEST("fibres sleep at the same time", on(backends::simulated)) {
    const auto begun = leat::now();
    std::vector<leat::handle<long>> all;
    for (const auto& hour : hours) {
        all.push_back(leat::spawn([&] { return leat::blocking(hour); }));
    }
    co_await leat::join_all(all);
    CHECK(leat::now() - begun < 1h + 2s);
}

LEAT_TEST("a deadline ends a sleep, and what is left is told", on(backends::simulated)) {
    int result = 0;
    int error = 0;
    timespec left{};
    unsigned seconds_left = 0;
    const bool finished = co_await leat::move_on_after(15min, leat::blocking([&] {
                                                           result = std::invoke(::nanosleep, &an_hour, &left);
                                                           error = errno;
                                                           seconds_left = std::invoke(::sleep, 60u);
                                                       }));
    CHECK(!finished);
    CHECK(result == -1);
    CHECK(error == ECANCELED);
    CHECK(left.tv_sec == 45 * 60);
    CHECK(seconds_left == 60);
}

LEAT_TEST("clock_nanosleep gives its errors as a value", on(backends::simulated)) {
    int wrong_time = 0;
    int refused = 0;
    const bool finished =
        co_await leat::move_on_after(1s, leat::blocking([&] {
                                         const timespec wrong{.tv_sec = 0, .tv_nsec = 1'000'000'000};
                                         wrong_time = ::clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, nullptr);
                                         refused = ::clock_nanosleep(CLOCK_MONOTONIC, 0, &an_hour, nullptr);
                                     }));
    CHECK(!finished);
    CHECK(wrong_time == EINVAL);
    CHECK(refused == ECANCELED);
}

LEAT_TEST("a loop of sleeps that ignores errors ends with its scope, for it is refused again and again") {
    int rounds = 0;
    const bool finished = co_await leat::move_on_after(1ms, leat::blocking([&] {
                                                           while (rounds < 5000) {
                                                               std::invoke(::usleep, 100u);
                                                               ++rounds;
                                                           }
                                                       }));
    CHECK(!finished);
    CHECK(rounds == 5000);
}

LEAT_TEST("the longest times do not pass", on(backends::simulated)) {
    static constexpr auto most = std::numeric_limits<std::time_t>::max();
    static constexpr timespec longest{.tv_sec = most, .tv_nsec = 999'999'999};
    const std::vector<std::function<long()>> calls{
        [] { return std::invoke(::nanosleep, &longest, nullptr); },
        [] { return ::ppoll(nullptr, 0, &longest, nullptr); },
        [] { return ::pselect(0, nullptr, nullptr, nullptr, &longest, nullptr); },
        [] {
            timeval limit{.tv_sec = most, .tv_usec = most};
            return ::select(0, nullptr, nullptr, nullptr, &limit);
        },
    };
    for (const auto& call : calls) {
        long result = 7;
        (void)co_await leat::move_on_after(1h, leat::blocking([&] { result = call(); }));
        CHECK(result == -1);
    }
}

LEAT_TEST("a time that is none is told as EINVAL") {
    const int right_answers = co_await leat::blocking([] {
        const timespec wrong{.tv_sec = 0, .tv_nsec = -1};
        int right = 0;
        errno = 0;
        right += ::ppoll(nullptr, 0, &wrong, nullptr) == -1 && errno == EINVAL ? 1 : 0;
        errno = 0;
        right += ::pselect(0, nullptr, nullptr, nullptr, &wrong, nullptr) == -1 && errno == EINVAL ? 1 : 0;
        return right;
    });
    CHECK(right_answers == 2);
}
