// SPDX-License-Identifier: MIT
// close in a fibre or beside one ends what fibres wait for on the descriptor with EBADF, and its number can
// be used again at once.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <cstdio>

#include <unistd.h>

using namespace hook_tests;
namespace backends = leat::testing;

namespace {

struct waiting_read {
    explicit waiting_read(int fd)
        : task(leat::spawn(leat::blocking([this, fd] {
              char byte = 0;
              result = ::read(fd, &byte, 1);
              error = errno;
          }))) {}

    ssize_t result = -7;
    int error = 0;
    leat::handle<> task;
};

}  // namespace

LEAT_TEST("a descriptor that is closed while a fibre waits for it gives EBADF", backends::kernel) {
    for (const bool in_fibre : {false, true}) {
        ends pair = socket_ends();
        const int number = pair.ours.get();
        waiting_read reader(number);
        waiting_read other(number);
        co_await let_others_run();
        if (in_fibre) {
            co_await leat::blocking([&] { ::close(pair.ours.release()); });
        } else {
            pair.ours.reset();
        }
        ends next = socket_ends();  // has the number now
        CHECK(next.ours.get() == number);
        put(next.theirs, "a");
        co_await reader.task;
        co_await other.task;
        CHECK(reader.result == -1);
        CHECK(reader.error == EBADF);
        CHECK(other.error == EBADF);
        CHECK(take_all(next.ours) == "a");
        waiting_read again(number);
        co_await let_others_run();
        put(next.theirs, "b");
        co_await again.task;
        CHECK(again.result == 1);
    }
}

LEAT_TEST("a descriptor that dup2 takes the number of is closed for those who wait for it",
          backends::kernel) {
    for (const bool with_flags : {false, true}) {
        const ends pair = socket_ends();
        const ends other = socket_ends();
        waiting_read reader(pair.ours.get());
        co_await let_others_run();
        co_await leat::blocking([&] {
            CHECK(::dup2(1'000'000, pair.ours.get()) == -1);
            CHECK(::dup2(pair.ours.get(), pair.ours.get()) == pair.ours.get());
        });
        co_await let_others_run();
        CHECK(!reader.task.done());
        co_await leat::blocking([&] {
            const int from = other.ours.get();
            const int to = pair.ours.get();
            CHECK((with_flags ? ::dup3(from, to, O_CLOEXEC) : ::dup2(from, to)) == to);
        });
        co_await reader.task;
        CHECK(reader.error == EBADF);
        put(other.theirs, "a");
        waiting_read again(pair.ours.get());
        co_await again.task;
        CHECK(again.result == 1);
    }
}

LEAT_TEST("close_range, closefrom and fclose end the waits for what they close", backends::kernel) {
    struct way_to_close {
        bool closes;
        void (*function)(int fd);
    };
    for (const way_to_close& way : std::array<way_to_close, 5>{{
             {true, [](int fd) { CHECK(::close_range(static_cast<unsigned>(fd), ~0U, 0) == 0); }},
             {true, [](int fd) { ::closefrom(fd); }},
             {true, [](int fd) { CHECK(::fclose(::fdopen(fd, "r")) == 0); }},
             {false,
              [](int fd) { CHECK(::close_range(3, static_cast<unsigned>(fd), CLOSE_RANGE_CLOEXEC) == 0); }},
             {false,
              [](int fd) {
                  const auto above = static_cast<unsigned>(::fcntl(fd, F_DUPFD_CLOEXEC, fd + 1));
                  CHECK(::close_range(above, ~0U, 0) == 0);
                  CHECK(::close_range(above, 3, 0) == -1);
              }},
         }}) {
        const ends pair = socket_ends();
        const int high = ::fcntl(pair.ours.get(), F_DUPFD_CLOEXEC, 900);  // above what the run itself has
        REQUIRE(high >= 900);
        waiting_read reader(high);
        co_await let_others_run();
        co_await leat::blocking([&] { way.function(high); });
        co_await let_others_run();
        CHECK(reader.task.done() == way.closes);
        reader.task.cancel();
        co_await reader.task.join();
        CHECK(reader.result == -1);
        CHECK(reader.error == (way.closes ? EBADF : ECANCELED));
        if (!way.closes) {
            ::close(high);
        }
    }
}

LEAT_TEST("poll tells of a descriptor that is closed meanwhile, and select gives EBADF", backends::kernel) {
    for (const auto wait : {+by_poll, +by_select}) {
        ends pair = socket_ends();
        long result = -7;
        int error = 0;
        auto waiting = leat::spawn(leat::blocking([&] {
            result = wait(pair.ours.get());
            error = errno;
        }));
        co_await let_others_run();
        pair.ours.reset();
        co_await waiting;
        CHECK((result == 1 || (result == -1 && error == EBADF)));
    }
}

LEAT_TEST("close works in a cancelled scope", backends::kernel) {
    ends pair = socket_ends();
    auto closing = leat::spawn(leat::blocking([&] {
        char byte = 0;
        (void)!::read(pair.ours.get(), &byte, 1);
        return ::close(pair.ours.release());
    }));
    co_await let_others_run();
    closing.cancel();
    co_await closing.join();
    CHECK(::recv(pair.theirs.get(), nullptr, 0, MSG_DONTWAIT) == 0);
    char byte = 0;
    CHECK(::recv(pair.theirs.get(), &byte, 1, MSG_DONTWAIT) == 0);
}
