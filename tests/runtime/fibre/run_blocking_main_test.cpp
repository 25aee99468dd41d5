// SPDX-License-Identifier: MIT
#include "../../crash/child_process.hpp"
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <poll.h>
#include <unistd.h>

using namespace fibre_tests;

TEST_CASE("a whole program runs as one blocking function, and spawns others") {
    const socket_pair sockets;
    std::string got;
    const int status = leat::run_blocking_main([&] {
        auto writes = leat::spawn(leat::blocking([&] { put(sockets.far.get(), "a"); }));
        auto waits_for_ever = leat::spawn(leat::blocking([&] {
            (void)blocking_get(sockets.far.get());
            got += "|";
        }));
        got += blocking_get(sockets.near.get());
        return 3;
    });
    CHECK(status == 3);
    CHECK(got == "a|");
    CHECK(leat::run_blocking_main({.stack = 64 * 1024}, [] {}) == 0);
}

TEST_CASE("a program whose blocking function throws ends with 1") {
    const int status = leat::run_blocking_main([] { throw std::runtime_error("expected by a test"); });
    CHECK(status == 1);
}

static void tell(std::string_view text) {
    CHECK(::write(STDERR_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

TEST_CASE("exit ends the program, and while it does no other function goes on") {
    const auto ended = leat::testing::run_in_child([] {
        std::atexit([] {
            tell("exits ");
            for (int i = 0; i < 100; ++i) {
                (void)::poll(nullptr, 0, 0);  // so many take a turn in a blocking function
            }
            tell("ends");
            ::_exit(0);
        });
        return leat::run_blocking_main([] {
            auto other = leat::spawn(leat::blocking([] {
                for (;;) {
                    leat::await(leat::yield());
                    tell("runs ");
                }
            }));
            leat::await(leat::yield());
            leat::await(leat::yield());
            std::exit(0);
            return 1;
        });
    });
    CHECK(ended.status == 0);
    CHECK(ended.errors.ends_with("runs exits ends"));
}

TEST_CASE("blocking functions that nothing can wake are told as a deadlock") {
    std::string told;
    try {
        leat::run([] { return leat::blocking([] { leat::await(leat::sleep_until(leat::never)); }); });
    } catch (const leat::deadlock& error) {
        told = error.what();
    }
    CHECK(told.find("waits for sleep") != std::string::npos);
}

TEST_CASE("misuse in a blocking function that is cancelled is told") {
    const auto ended = leat::testing::run_in_child([] {
        return leat::run_blocking_main([] {
            leat::await(leat::move_on_after(std::chrono::seconds(0), leat::blocking([] {
                                                (void)::poll(nullptr, 0, -1);
                                                leat::check(false, "a test does this");
                                            })));
        });
    });
    CHECK(ended.signal == SIGABRT);
    CHECK(ended.errors.find("a test does this") != std::string::npos);
}
