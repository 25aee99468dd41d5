// SPDX-License-Identifier: MIT
// Handlers of signals that run while a fibre does.
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>

using namespace hook_tests;

LEAT_TEST("a handler of a signal may use a pipe that does not block, and takes no turn",
          on(leat::testing::kernel)) {
    const ends both = pipe_ends();
    static const ends* pipe = nullptr;
    pipe = &both;
    for (const leat::fd* each : {&both.ours, &both.theirs}) {
        REQUIRE(::fcntl(each->get(), F_SETFL, ::fcntl(each->get(), F_GETFL) | O_NONBLOCK) == 0);
    }
    struct sigaction tells{};
    tells.sa_handler = [](int) {
        char byte = 's';
        [[maybe_unused]] ssize_t count = ::write(pipe->theirs.get(), &byte, 1);
        count = ::read(pipe->ours.get(), &byte, 1);
    };
    struct sigaction before{};
    REQUIRE(::sigaction(SIGUSR2, &tells, &before) == 0);
    int others = 0;
    int others_in_handler = 0;
    auto counts = leat::spawn([&]() -> leat::task<> {
        for (;;) {
            ++others;
            co_await leat::yield();
        }
    });
    co_await leat::blocking([&] {
        for (int i = 0; i < 100; ++i) {
            const int seen = others;
            (void)::raise(SIGUSR2);
            others_in_handler += others - seen;
        }
    });
    CHECK(others_in_handler == 0);
    counts.cancel();
    (void)co_await counts.join();
    REQUIRE(::sigaction(SIGUSR2, &before, nullptr) == 0);
}
