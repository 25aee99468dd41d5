// SPDX-License-Identifier: MIT
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

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

TEST_CASE("blocking functions that nothing can wake are told as a deadlock") {
    std::string told;
    try {
        leat::run([] { return leat::blocking([] { leat::await(leat::sleep_until(leat::never)); }); });
    } catch (const leat::deadlock& error) {
        told = error.what();
    }
    CHECK(told.find("waits for sleep") != std::string::npos);
}
