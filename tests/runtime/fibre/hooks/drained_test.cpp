// SPDX-License-Identifier: MIT
// Reads on a descriptor where the one before had to wait: they wait first, and give what they give otherwise.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/fibre/hooks/core/real_calls.hpp>
#include <leat/testing/doctest.hpp>

#include <chrono>
#include <string>

#include <sys/syscall.h>
#include <sys/time.h>

using namespace hook_tests;
using namespace std::chrono_literals;
namespace backends = leat::testing;

namespace {

int tries = 0;

ssize_t count_try(int fd, void* into, std::size_t size, int flags) {
    ++tries;
    return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}

struct counted_tries {
    counted_tries() noexcept {
        tries = 0;
        leat::detail::real.recv = count_try;
    }
    counted_tries(const counted_tries&) = delete;
    counted_tries& operator=(const counted_tries&) = delete;
    ~counted_tries() { leat::detail::real.recv = before_; }

private:
    decltype(leat::detail::real.recv) before_ = leat::detail::real.recv;
};

void set_limit(int fd, std::chrono::microseconds limit) {
    const timeval time{.tv_sec = 0, .tv_usec = limit.count()};
    REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
}

// What a read gives: a byte, or '.' at the end, or what errno says: '?' EAGAIN, '!' ECANCELED, '#' EBADF.
char get(int fd) {
    char byte = 0;
    const ssize_t count = ::read(fd, &byte, 1);
    return count > 0 ? byte : count == 0 ? '.' : errno == EAGAIN ? '?' : errno == ECANCELED ? '!' : '#';
}

// Calls `then` in a fibre whose reads on the descriptor have had to wait so far.
leat::task<char> after_waits(const ends& pair, auto then) {
    auto reads = leat::spawn(leat::blocking([&] {
        for (int i = 0; i < 3; ++i) {
            CHECK(get(pair.ours.get()) == 'x');
        }
        return then(pair.ours.get());
    }));
    for (int i = 0; i < 3; ++i) {
        co_await let_others_run();
        put(pair.theirs, "x");
    }
    co_return co_await reads;
}

}  // namespace

LEAT_TEST("reads that have to wait are tried once each, but for now and then one", backends::kernel) {
    const counted_tries counting;
    const ends pair = socket_ends();
    std::string got;
    auto reads = leat::spawn(leat::blocking([&] {
        for (int i = 0; i < 40; ++i) {
            got += get(pair.ours.get());
        }
    }));
    for (int i = 0; i < 40; ++i) {
        co_await let_others_run();
        put(pair.theirs, "x");
    }
    co_await reads;
    CHECK(got == std::string(40, 'x'));
    CHECK(tries == 45);  // the 1st, 3rd, 7th, 15th and 31st were tried in vain first
}

LEAT_TEST("reads that find what they want do not wait any more", backends::kernel) {
    const ends pair = socket_ends();
    int turns = 0;
    auto others = leat::spawn([&]() -> leat::task<> {
        for (;; ++turns) {
            co_await leat::yield();
        }
    });
    const char last = co_await after_waits(pair, [&](int fd) {
        put(pair.theirs, "abcdefghij");
        char got = get(fd);
        for (int i = 0; i < 4; ++i) {
            got = get(fd);
        }
        turns = 0;
        for (int i = 0; i < 5; ++i) {
            got = get(fd);
        }
        CHECK(turns == 0);
        return got;
    });
    others.cancel();
    (void)co_await others.join();
    CHECK(last == 'j');
}

LEAT_TEST("a time limit that is set after a wait holds for the next", backends::kernel) {
    for (const bool by_number : {false, true}) {
        const ends pair = socket_ends();
        const ends limited = socket_ends();
        set_limit(limited.ours.get(), 1ms);
        const char got = co_await after_waits(pair, [&](int fd) {
            if (by_number) {
                CHECK(::dup2(limited.ours.get(), fd) == fd);
            } else {
                set_limit(fd, 1ms);
            }
            return get(fd);
        });
        CHECK(got == '?');
    }
}

LEAT_TEST("what has come is read though the time limit of the wait before it has passed", backends::kernel) {
    const ends pair = socket_ends();
    const char got = co_await after_waits(pair, [&](int fd) {
        set_limit(fd, 1us);
        put(pair.theirs, "a");
        return get(fd);
    });
    CHECK(got == 'a');
}

LEAT_TEST("a descriptor that does not block any more after a wait gives EAGAIN", backends::kernel) {
    const ends pair = socket_ends();
    const char got = co_await after_waits(pair, [](int fd) {
        REQUIRE(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
        return get(fd);
    });
    CHECK(got == '?');
}

LEAT_TEST("a number that has been closed after a wait gives EBADF, and what its next file has",
          backends::kernel) {
    ends pair = socket_ends();
    const char got = co_await after_waits(pair, [&](int fd) {
        (void)::syscall(SYS_close, pair.ours.release());
        CHECK(get(fd) == '#');
        const ends next = socket_ends();
        CHECK(::dup2(next.ours.get(), fd) == fd);
        put(next.theirs, "a");
        const char first = get(fd);
        ::close(fd);
        return first;
    });
    CHECK(got == 'a');
}

LEAT_TEST("a read that waits first and is cancelled is refused, also when data has come", backends::kernel) {
    for (const bool data_comes : {false, true}) {
        const ends pair = socket_ends();
        std::string got;
        auto reads = leat::spawn(leat::blocking([&] {
            for (int i = 0; i < 5; ++i) {
                got += get(pair.ours.get());
            }
        }));
        for (int i = 0; i < 3; ++i) {
            co_await let_others_run();
            put(pair.theirs, "x");
        }
        co_await let_others_run();
        reads.cancel();
        if (data_comes) {
            put(pair.theirs, "a");
        }
        (void)co_await reads.join();
        CHECK(got == "xxx!!");
        CHECK(take_all(pair.ours) == (data_comes ? "a" : ""));
    }
}
