// SPDX-License-Identifier: MIT
// What reads in a fibre gives what it gives elsewhere: MSG_WAITALL, MSG_PEEK, MSG_DONTWAIT, time limits,
// descriptors that do not block, files, ends and datagrams.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>

#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <termios.h>

using namespace hook_tests;
using namespace std::chrono_literals;
namespace backends = leat::testing;

namespace {

// What one call in a fibre gave.
struct answer {
    long result = -7;
    int error = 0;
};

leat::task<answer> in_fibre(auto call) {
    return leat::blocking([=]() mutable {
        errno = 0;
        const long result = call();
        return answer{result, errno};
    });
}

void set_nonblocking(const leat::fd& descriptor) {
    REQUIRE(::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK) == 0);
}

void set_limit(const leat::fd& descriptor, int option, std::chrono::milliseconds limit) {
    const timeval time{.tv_sec = 0, .tv_usec = limit.count() * 1000};
    REQUIRE(::setsockopt(descriptor.get(), SOL_SOCKET, option, &time, sizeof time) == 0);
}

}  // namespace

LEAT_TEST("MSG_WAITALL waits for every byte", backends::kernel) {
    for (const auto receive : std::array<ssize_t (*)(int, char*), 4>{
             [](int fd, char* into) { return ::recv(fd, into, 6, MSG_WAITALL); },
             [](int fd, char* into) { return ::recvfrom(fd, into, 6, MSG_WAITALL, nullptr, nullptr); },
             [](int fd, char* into) {
                 sockaddr_storage from{};
                 socklen_t size = sizeof from;
                 const ssize_t got =
                     ::recvfrom(fd, into, 6, MSG_WAITALL, reinterpret_cast<sockaddr*>(&from), &size);
                 return size < sizeof from ? got : -2;
             },
             [](int fd, char* into) {
                 iovec parts[2]{{.iov_base = into, .iov_len = 1}, {.iov_base = into + 1, .iov_len = 5}};
                 msghdr message{};
                 message.msg_iov = parts;
                 message.msg_iovlen = 2;
                 return ::recvmsg(fd, &message, MSG_WAITALL);
             }}) {
        const ends pair = socket_ends();
        std::string got(6, ' ');
        auto waiting =
            leat::spawn([&] { return in_fibre([&] { return receive(pair.ours.get(), got.data()); }); });
        for (const char* part : {"ab", "c", "de"}) {
            put(pair.theirs, part);
            co_await let_others_run();
            CHECK(!waiting.done());
        }
        put(pair.theirs, "fgh");
        const answer whole = co_await waiting;
        CHECK(whole.result == 6);
        CHECK(got == "abcdef");
        CHECK(take_all(pair.ours) == "gh");
    }
}

LEAT_TEST("MSG_WAITALL gives what came before the end", backends::kernel) {
    ends pair = socket_ends();
    char got[6];
    auto waiting = leat::spawn(
        [&] { return in_fibre([&] { return ::recv(pair.ours.get(), got, sizeof got, MSG_WAITALL); }); });
    put(pair.theirs, "abc");
    co_await let_others_run();
    pair.theirs.reset();
    const answer part = co_await waiting;
    CHECK(part.result == 3);
}

LEAT_TEST("MSG_WAITALL of a datagram is one datagram", backends::kernel) {
    const ends pair = socket_ends(SOCK_DGRAM);
    char got[6];
    put(pair.theirs, "abc");
    const answer one =
        co_await in_fibre([&] { return ::recv(pair.ours.get(), got, sizeof got, MSG_WAITALL); });
    CHECK(one.result == 3);
}

LEAT_TEST("MSG_PEEK leaves what it gives", backends::kernel) {
    const ends pair = socket_ends();
    char got[6];
    auto waiting = leat::spawn(
        [&] { return in_fibre([&] { return ::recv(pair.ours.get(), got, sizeof got, MSG_PEEK); }); });
    co_await let_others_run();
    put(pair.theirs, "abc");
    const answer seen = co_await waiting;
    CHECK(seen.result == 3);
    CHECK(take_all(pair.ours) == "abc");
}

LEAT_TEST("MSG_PEEK with MSG_WAITALL waits for every byte and leaves them", backends::kernel) {
    ends pair = socket_ends();
    char got[6];
    const auto peek = [&] {
        return in_fibre([&] { return ::recv(pair.ours.get(), got, sizeof got, MSG_PEEK | MSG_WAITALL); });
    };
    auto waiting = leat::spawn(peek);
    put(pair.theirs, "abc");
    co_await let_others_run();
    CHECK(!waiting.done());
    put(pair.theirs, "def");
    const answer whole = co_await waiting;
    CHECK(whole.result == 6);
    CHECK(take_all(pair.ours) == "abcdef");
    put(pair.theirs, "gh");
    pair.theirs.reset();
    const answer rest = co_await peek();
    CHECK(rest.result == 2);
}

LEAT_TEST("MSG_DONTWAIT gives EAGAIN at once, also in a cancelled scope", backends::kernel) {
    const ends pair = socket_ends();
    char got[6];
    answer seen;
    const auto look = [&] {
        return leat::blocking([&] {
            seen.result = ::recv(pair.ours.get(), got, sizeof got, MSG_DONTWAIT);
            seen.error = errno;
        });
    };
    co_await look();
    CHECK(seen.result == -1);
    CHECK(seen.error == EAGAIN);
    auto cancelled = leat::spawn(look);
    cancelled.cancel();
    put(pair.theirs, "abc");
    co_await cancelled.join();
    CHECK(seen.result == 3);
}

LEAT_TEST("a descriptor that does not block gives EAGAIN, and passes in a cancelled scope",
          backends::kernel) {
    const ends in = socket_ends();
    const ends out = socket_ends();
    set_nonblocking(in.ours);
    set_nonblocking(out.ours);
    fill(out.ours);
    for (const tried_call& each : tried_calls) {
        const bool reads = each.make_on != nullptr && each.reads;
        if (each.make_on == nullptr || each.asks) {
            continue;
        }
        const leat::fd& descriptor = reads ? in.ours : out.ours;
        const answer refused = co_await in_fibre([&] { return each.make_on(descriptor.get()); });
        CHECK_MESSAGE(refused.result == -1, each.name);
        CHECK_MESSAGE(refused.error == EAGAIN, each.name);
        if (each.name.starts_with("splice")) {
            continue;  // its pipe blocks
        }
        answer later;
        auto cancelled = leat::spawn(leat::blocking([&] {
            later.result = each.make_on(descriptor.get());
            later.error = errno;
        }));
        cancelled.cancel();
        co_await cancelled.join();
        CHECK_MESSAGE(later.error == EAGAIN, each.name);
    }
}

LEAT_TEST("SO_RCVTIMEO ends a wait with EAGAIN, and MSG_WAITALL with what has come", backends::kernel) {
    const ends pair = socket_ends();
    set_limit(pair.ours, SO_RCVTIMEO, 5ms);
    for (const tried_call& each : tried_calls) {
        if (each.make_on != nullptr && each.reads && !each.asks) {
            const answer late = co_await in_fibre([&] { return each.make_on(pair.ours.get()); });
            CHECK_MESSAGE(late.result == -1, each.name);
            CHECK_MESSAGE(late.error == EAGAIN, each.name);
        }
    }
    char got[6];
    put(pair.theirs, "abc");
    const answer part =
        co_await in_fibre([&] { return ::recv(pair.ours.get(), got, sizeof got, MSG_WAITALL); });
    CHECK(part.result == 3);
}

LEAT_TEST("SO_SNDTIMEO ends a wait with EAGAIN, and a long write with what was taken", backends::kernel) {
    const ends pair = socket_ends();
    set_limit(pair.ours, SO_SNDTIMEO, 5ms);
    const std::string much(4 << 20, 'm');
    const answer part = co_await in_fibre([&] { return ::write(pair.ours.get(), much.data(), much.size()); });
    CHECK(part.result > 0);
    CHECK(part.result < static_cast<long>(much.size()));
    CHECK(static_cast<long>(take_all(pair.theirs).size()) == part.result);
    fill(pair.ours);
    const answer late = co_await in_fibre([&] { return ::write(pair.ours.get(), "a", 1); });
    CHECK(late.result == -1);
    CHECK(late.error == EAGAIN);
}

LEAT_TEST("files are read and written, also in a cancelled scope", backends::kernel) {
    const leat::fd file(::memfd_create("file", MFD_CLOEXEC));
    const answer written = co_await in_fibre([&] { return ::write(file.get(), "abc", 3); });
    CHECK(written.result == 3);
    REQUIRE(::lseek(file.get(), 1, SEEK_SET) == 1);
    char got[8];
    long read = 0;
    auto cancelled = leat::spawn(leat::blocking([&] { read = ::read(file.get(), got, sizeof got); }));
    cancelled.cancel();
    const auto ended = co_await cancelled.join();
    CHECK(read == 2);
    CHECK(!ended.cancelled());
    const answer end = co_await in_fibre([&] { return ::read(file.get(), got, sizeof got); });
    CHECK(end.result == 0);
}

namespace {

leat::task<> waited_for_each_kind() {
    const ends pipe = pipe_ends();
    const leat::fd counter(::eventfd(0, EFD_CLOEXEC));
    const leat::fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    for (const auto& [from, into] : {std::pair(pipe.ours.get(), pipe.theirs.get()),
                                     std::pair(counter.get(), counter.get()), std::pair(timer.get(), -1)}) {
        std::uint64_t got = 0;
        auto waiting = leat::spawn([&] { return in_fibre([&] { return ::read(from, &got, sizeof got); }); });
        co_await let_others_run();
        CHECK(!waiting.done());
        const std::uint64_t one = 1;
        const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
        REQUIRE((into < 0 ? ::timerfd_settime(timer.get(), 0, &soon, nullptr) == 0
                          : ::write(into, &one, sizeof one) == sizeof one));
        const answer all = co_await waiting;
        CHECK(all.result == sizeof got);
        CHECK(got == 1);
    }
}

}  // namespace

LEAT_TEST("pipes, event counters and timers are waited for, on an older kernel, too", backends::kernel) {
    co_await waited_for_each_kind();
    const older_kernel older;
    co_await waited_for_each_kind();
}

// No terminal can be asked for without waiting (RWF_NOWAIT), as no pipe can before Linux 6.5.
LEAT_TEST("a terminal is read when there is a line, and takes a long text whole", backends::kernel) {
    const leat::fd far(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!far || ::grantpt(far.get()) != 0 || ::unlockpt(far.get()) != 0) {
        MESSAGE("skipped: there are no pseudo terminals");
        co_return;
    }
    char name[128];
    REQUIRE(::ptsname_r(far.get(), name, sizeof name) == 0);
    const leat::fd near(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios settings{};
    REQUIRE(::tcgetattr(near.get(), &settings) == 0);
    ::cfmakeraw(&settings);
    REQUIRE(::tcsetattr(near.get(), TCSANOW, &settings) == 0);
    char got[8];
    auto reader = leat::spawn([&] { return in_fibre([&] { return ::read(near.get(), got, sizeof got); }); });
    co_await let_others_run();
    CHECK(!reader.done());
    put(far, "abc");
    const answer line = co_await reader;
    CHECK(line.result == 3);

    std::string text(1 << 20, 't');
    auto writer =
        leat::spawn([&] { return in_fibre([&] { return ::write(near.get(), text.data(), text.size()); }); });
    std::string all;
    while (all.size() < text.size()) {
        co_await let_others_run();
        all += take_all(far);
    }
    const answer whole = co_await writer;
    CHECK(whole.result == static_cast<long>(text.size()));
    CHECK((all == text));
}

LEAT_TEST("recvmmsg gives as many datagrams as are asked for, and what is there at its time limit",
          backends::kernel) {
    const ends pair = socket_ends(SOCK_DGRAM);
    char bytes[3][4];
    iovec into[3];
    mmsghdr messages[3]{};
    for (int i = 0; i < 3; ++i) {
        into[i] = {.iov_base = bytes[i], .iov_len = sizeof bytes[i]};
        messages[i].msg_hdr.msg_iov = &into[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const auto receive = [&](int flags, timespec limit) {
        return in_fibre(
            [&, flags, limit]() mutable { return ::recvmmsg(pair.ours.get(), messages, 3, flags, &limit); });
    };
    auto waiting = leat::spawn([&] { return receive(0, {.tv_sec = 3600, .tv_nsec = 0}); });
    put(pair.theirs, "a");
    co_await let_others_run();
    CHECK(!waiting.done());
    put(pair.theirs, "bb");
    put(pair.theirs, "ccc");
    const answer all = co_await waiting;
    CHECK(all.result == 3);
    CHECK(messages[2].msg_len == 3);
    put(pair.theirs, "a");
    const answer late = co_await receive(0, {.tv_sec = 0, .tv_nsec = 1'000'000});
    CHECK(late.result == 1);
    put(pair.theirs, "a");
    const answer first = co_await receive(MSG_WAITFORONE, {.tv_sec = 3600, .tv_nsec = 0});
    CHECK(first.result == 1);
}

LEAT_TEST("recvmmsg of no message gives none", backends::kernel) {
    const ends pair = socket_ends(SOCK_DGRAM);
    const answer none =
        co_await in_fibre([&] { return ::recvmmsg(pair.ours.get(), nullptr, 0, 0, nullptr); });
    CHECK(none.result == 0);
}

LEAT_TEST("a peer that always has data does not keep the others waiting", backends::kernel) {
    const ends pair = socket_ends();
    bool stop = false;
    auto reader = leat::spawn(leat::blocking([&] {
        char byte = 0;
        long calls = 0;
        while (!stop) {
            (void)::write(pair.theirs.get(), "a", 1);
            calls += ::read(pair.ours.get(), &byte, 1);
        }
        return calls;
    }));
    co_await let_others_run();
    stop = true;
    const long calls = co_await reader;
    CHECK(calls > 0);
    CHECK(calls < 4 * leat::scheduler::steps_max * 32);  // so many turns, and steps of 32 calls
}
