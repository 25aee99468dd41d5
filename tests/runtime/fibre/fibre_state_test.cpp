// SPDX-License-Identifier: MIT
// What a fibre keeps for itself while others run: exceptions that are thrown and handled, errno, registers.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using leat::await;
using leat::blocking;

namespace {

// Catches its own exception, and while it handles it others catch theirs.
std::string handles_across_waits(const std::string& name, int waits) {
    try {
        throw std::runtime_error(name);
    } catch (const std::runtime_error& caught) {
        for (int i = 0; i < waits; ++i) {
            await(leat::yield());
        }
        std::string seen = caught.what();
        try {
            throw;
        } catch (const std::runtime_error& again) {
            await(leat::yield());
            seen += again.what();
        }
        try {
            std::rethrow_exception(std::current_exception());
        } catch (const std::runtime_error& current) {
            seen += current.what();
        }
        return seen;
    }
}

}  // namespace

LEAT_TEST("catch blocks of several fibres cross each other") {
    leat::testing::nursery tasks;
    std::string seen[3];
    for (int i = 0; i < 3; ++i) {
        tasks.spawn(blocking([&seen, i] {
            seen[i] = handles_across_waits(std::string(1, static_cast<char>('a' + i)), 3 - i);
        }));
    }
    co_await tasks.wait();
    CHECK(seen[0] == "aaa");
    CHECK(seen[1] == "bbb");
    CHECK(seen[2] == "ccc");
    CHECK(std::current_exception() == nullptr);
    CHECK(std::uncaught_exceptions() == 0);
}

LEAT_TEST("a destructor waits while an exception unwinds its fibre, and another fibre throws meanwhile") {
    struct waits_at_the_end {
        ~waits_at_the_end() {
            before = std::uncaught_exceptions();
            await(leat::yield());
            after = std::uncaught_exceptions();
        }
        int& before;
        int& after;
    };
    leat::testing::nursery tasks;
    int before = 0;
    int after = 0;
    std::string seen;
    tasks.spawn(blocking([&] {
        try {
            const waits_at_the_end last{before, after};
            throw std::runtime_error("first");
        } catch (const std::runtime_error& error) {
            seen += error.what();
        }
    }));
    int in_between = -1;
    tasks.spawn(blocking([&] {
        in_between = std::uncaught_exceptions();
        seen += handles_across_waits("o", 1);
    }));
    co_await tasks.wait();
    CHECK(before == 1);
    CHECK(after == 1);
    CHECK(in_between == 0);
    CHECK(seen == "firstooo");
}

LEAT_TEST("each fibre has its own errno") {
    leat::testing::nursery tasks;
    int seen[2] = {};
    for (int i = 0; i < 2; ++i) {
        tasks.spawn(blocking([&seen, i] {
            errno = 100 + i;
            await(leat::yield());
            seen[i] = errno;
        }));
    }
    co_await leat::yield();
    errno = 7;
    co_await tasks.wait();
    CHECK(seen[0] == 100);
    CHECK(seen[1] == 101);
}

LEAT_TEST("values in registers outlive a wait") {
    const double sum = co_await blocking([] {
        double values[12];
        long numbers[12];
        for (int i = 0; i < 12; ++i) {
            values[i] = i * 1.5;
            numbers[i] = i * 7;
        }
        double all = 0;
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 12; ++i) {
                values[i] += static_cast<double>(numbers[i]);
                await(leat::yield());
                all += values[i];
            }
        }
        return all;
    });
    double expected = 0;
    for (int round = 1; round <= 3; ++round) {
        for (int i = 0; i < 12; ++i) {
            expected += i * 1.5 + round * i * 7;
        }
    }
    CHECK(sum == expected);
}
