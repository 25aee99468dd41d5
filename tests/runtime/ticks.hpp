// SPDX-License-Identifier: MIT
// What the tests of async_generator share: a generator that waits, and what it and its consumers tell.
#pragma once

#include <leat/async_generator.hpp>

#include <leat/sleep.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace leat {

inline std::string told;  // what happened, in order

struct teller {
    explicit teller(std::string says) : name(std::move(says)) { told += "+" + name; }
    teller(const teller&) = delete;
    teller& operator=(const teller&) = delete;
    ~teller() { told += (unwinding() ? "!" : "-") + name; }
    std::string name;
};

// 0, 1, 2 ..., one a second.
inline async_generator<int> ticks(int end) {
    const teller local("ticks");
    for (int i = 0; i < end; ++i) {
        co_await sleep(std::chrono::seconds(1));
        co_yield i;
    }
}

// What next() gives or throws, in words.
inline task<std::string> next_of(async_generator<int>& numbers) {
    try {
        auto item = co_await numbers.next();
        co_return item ? std::to_string(*item) : "end";
    } catch (const task_cancelled& error) {
        co_return "cancelled: " + std::string(error.why().text());
    } catch (const std::exception& error) {
        co_return error.what();
    }
}

inline task<> expect_next(async_generator<int>& numbers, std::string expected) {
    const std::string given = co_await next_of(numbers);
    CHECK(given == expected);
}

}  // namespace leat
