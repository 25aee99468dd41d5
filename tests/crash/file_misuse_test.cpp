// SPDX-License-Identifier: MIT
// Misuse of files aborts and names the rule that was broken.
#include "aborts.hpp"

#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using leat::file;
using leat::task;
using leat::testing::check_task_aborts;

TEST_CASE("a write at an offset of a file that was opened to append aborts") {
    check_task_aborts(
        []() -> task<> {
            auto null = co_await file::open("/dev/null", {.append = true});
            co_await null.write_at(0, "text");
        },
        "a file that was opened to append is written by append()");
}

TEST_CASE("an append to a file that was not opened for it aborts") {
    check_task_aborts(
        []() -> task<> {
            auto null = co_await file::open("/dev/null", {.write = true});
            co_await null.append("text");
        },
        "append() writes to a file that was opened to append");
}

TEST_CASE("a read of a file into an empty buffer aborts") {
    check_task_aborts(
        []() -> task<> {
            auto null = co_await file::open("/dev/null");
            std::string none;
            (void)co_await null.read_at(0, none);
        },
        "read_at was given an empty buffer");
}

TEST_CASE("a file that is created and not written aborts") {
    check_task_aborts([]() -> task<> { auto none = co_await file::open("none", {.create = true}); },
                      "a file that is created or truncated is opened to write");
}

TEST_CASE("a file that has been moved from aborts") {
    check_task_aborts(
        []() -> task<> {
            auto null = co_await file::open("/dev/null");
            const file owner = std::move(null);
            co_await null.sync();
        },
        "the file was moved from, or never opened");
}

TEST_CASE("a file that is read as a whole without a limit aborts") {
    check_task_aborts([]() -> task<> { (void)co_await leat::read_file("/dev/null", 0); },
                      "a file that is read as a whole has a limit of at least one byte");
}
