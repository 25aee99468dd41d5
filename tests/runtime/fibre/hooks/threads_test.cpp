// SPDX-License-Identifier: MIT
// The interposed calls outside a fibre: other threads block in them, and can be cancelled there; and
// what the program says about them.
#include "../../../support/sanitizers.hpp"
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/testing/doctest.hpp>

#include <thread>

#include <pthread.h>

using namespace hook_tests;
namespace backends = leat::testing;

TEST_CASE("a thread blocks in a call as ever") {
    const ends pair = socket_ends();
    char byte = 0;
    ssize_t got = -7;
    std::thread reader([&] { got = ::read(pair.ours.get(), &byte, 1); });
    put(pair.theirs, "a");
    reader.join();
    CHECK(got == 1);
    CHECK(byte == 'a');
}

LEAT_TEST("a thread blocks in a call while the fibres of another wait", backends::kernel) {
    const ends pair = socket_ends();
    const ends other = socket_ends();
    char bytes[2];
    ssize_t got = -7;
    std::thread reader([&] {
        got = ::read(pair.ours.get(), bytes, 1);
        put(other.theirs, "b");
    });
    co_await leat::blocking([&] {
        put(pair.theirs, "a");
        CHECK(::read(other.ours.get(), bytes + 1, 1) == 1);
    });
    reader.join();
    CHECK(got == 1);
}

TEST_CASE("a thread that blocks in a call can be cancelled") {
    for (const tried_call& each : tried_calls) {
        if (each.make_on == nullptr || each.name.starts_with("epoll") || each.name.starts_with("splice") ||
            each.name == "sendfile" || !each.reads) {
            continue;  // these clean up behind them, which a cancelled thread does not
        }
        struct blocked {
            ends pair = socket_ends();
            long (*call)(int fd);
        } of{socket_ends(), each.make_on};
        pthread_t thread{};
        REQUIRE(::pthread_create(
                    &thread, nullptr,
                    [](void* argument) -> void* {
                        auto& given = *static_cast<blocked*>(argument);
                        given.call(given.pair.ours.get());
                        return nullptr;
                    },
                    &of) == 0);
        REQUIRE(::pthread_cancel(thread) == 0);
        void* ended = nullptr;
        REQUIRE(::pthread_join(thread, &ended) == 0);
        CHECK_MESSAGE(ended == PTHREAD_CANCELED, each.name);
    }
}

LEAT_TEST("inside really_block a call blocks the thread", backends::kernel) {
    const ends pair = socket_ends();
    bool others_ran = false;
    auto other = leat::spawn([&]() -> leat::task<> {
        others_ran = true;
        co_return;
    });
    co_await leat::blocking([&] {
        const leat::really_block here;
        pollfd asked{.fd = pair.ours.get(), .events = POLLIN, .revents = 0};
        others_ran = false;
        CHECK(::poll(&asked, 1, 1) == 0);
        CHECK(!others_ran);
    });
    co_await other;
}

TEST_CASE("every interposed call is found, and what stands behind it is told") {
    leat::detail::check_hooks();  // else it aborts
    const std::string text = leat::describe_blocking();
    INFO(text);
    CHECK(text.find("recv ") != std::string::npos);
    CHECK(text.find("getaddrinfo ") != std::string::npos);
    CHECK(text.find("__read_chk ") != std::string::npos);
    // With g++ the sanitizer is a library of its own, which interposes calls, too.
    const bool by_sanitizer = backends::address_sanitized && text.find("libasan.so") != std::string::npos;
    const bool by_the_c_library = text.find("libc.so.6") != std::string::npos;
    CHECK((by_sanitizer || by_the_c_library));
    CHECK(text.find("not interposed") == std::string::npos);
}
