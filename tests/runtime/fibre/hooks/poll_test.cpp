// SPDX-License-Identifier: MIT
// poll, select and epoll_wait in a fibre: what they tell, their time limits, and several fibres on one
// descriptor.
#include "calls.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <chrono>

using namespace hook_tests;
using namespace std::chrono_literals;
namespace backends = leat::testing;

LEAT_TEST("poll tells of each descriptor that is ready, also of one that is not open", backends::kernel) {
    const ends first = socket_ends();
    ends second = socket_ends();
    pollfd asked[4]{{.fd = first.ours.get(), .events = POLLIN, .revents = 0},
                    {.fd = second.ours.get(), .events = POLLIN | POLLRDHUP, .revents = 0},
                    {.fd = -1, .events = POLLIN, .revents = 7},
                    {.fd = first.theirs.get(), .events = POLLPRI, .revents = 0}};
    auto waiting = leat::spawn(leat::blocking([&] { return ::poll(asked, 4, -1); }));
    co_await let_others_run();
    put(first.theirs, "a");
    second.theirs.reset();
    const int ready = co_await waiting;
    CHECK(ready == 2);
    CHECK(asked[0].revents == POLLIN);
    CHECK(asked[1].revents == (POLLIN | POLLRDHUP | POLLHUP));
    CHECK(asked[2].revents == 0);
    CHECK(asked[3].revents == 0);

    pollfd closed{.fd = 1'000'000, .events = POLLIN, .revents = 0};
    const int told = co_await leat::blocking([&] { return ::poll(&closed, 1, -1); });
    CHECK(told == 1);
    CHECK(closed.revents == POLLNVAL);
}

LEAT_TEST("poll asks for a hundred descriptors", backends::kernel) {
    std::vector<ends> all;
    std::vector<pollfd> asked;
    for (int i = 0; i < 100; ++i) {
        all.push_back(socket_ends());
        asked.push_back({.fd = all.back().ours.get(), .events = POLLIN, .revents = 0});
    }
    auto waiting = leat::spawn(leat::blocking([&] { return ::poll(asked.data(), asked.size(), -1); }));
    co_await let_others_run();
    put(all[70].theirs, "a");
    const int ready = co_await waiting;
    CHECK(ready == 1);
    CHECK(asked[70].revents == POLLIN);
}

LEAT_TEST("select leaves the descriptors that are ready in its sets, and the rest of the time",
          backends::kernel) {
    const ends first = socket_ends();
    const ends second = socket_ends();
    fill(second.ours);
    fd_set reading;
    fd_set writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(first.ours.get(), &reading);
    FD_SET(second.ours.get(), &reading);
    FD_SET(second.ours.get(), &writing);
    timeval limit{.tv_sec = 3600, .tv_usec = 0};
    auto waiting = leat::spawn(
        leat::blocking([&] { return ::select(FD_SETSIZE, &reading, &writing, nullptr, &limit); }));
    co_await let_others_run();
    CHECK(!waiting.done());
    put(first.theirs, "a");
    const int ready = co_await waiting;
    CHECK(ready == 1);
    CHECK(FD_ISSET(first.ours.get(), &reading));
    CHECK(!FD_ISSET(second.ours.get(), &reading));
    CHECK(!FD_ISSET(second.ours.get(), &writing));
    CHECK(limit.tv_sec == 3599);
}

LEAT_TEST("nothing is ready when the time is over, and errno is as before") {
    const int errors = co_await leat::blocking([] {
        errno = 7;
        pollfd nothing{.fd = -1, .events = POLLIN, .revents = 0};
        timeval limit{.tv_sec = 0, .tv_usec = 1};
        const timespec precise{.tv_sec = 0, .tv_nsec = 1};
        int wrong = 0;
        wrong += ::poll(&nothing, 1, 1) != 0 ? 1 : 0;
        wrong += ::ppoll(&nothing, 1, &precise, nullptr) != 0 ? 1 : 0;
        wrong += ::select(0, nullptr, nullptr, nullptr, &limit) != 0 ? 1 : 0;
        wrong += ::pselect(0, nullptr, nullptr, nullptr, &precise, nullptr) != 0 ? 1 : 0;
        wrong += errno != 7 ? 1 : 0;
        return wrong;
    });
    CHECK(errors == 0);
}

LEAT_TEST("a call that needs no wait leaves errno as it was, however often it is made", backends::kernel) {
    const ends pair = socket_ends();
    put(pair.theirs, "a");
    const int errors = co_await leat::blocking([&] {
        int wrong = 0;
        for (int i = 0; i < 100; ++i) {
            errno = 7;
            pollfd asked{.fd = pair.ours.get(), .events = POLLIN, .revents = 0};
            wrong += ::poll(&asked, 1, -1) != 1 || errno != 7 ? 1 : 0;
        }
        return wrong;
    });
    CHECK(errors == 0);
}

LEAT_TEST("wrong arguments are told as they are elsewhere", backends::kernel) {
    const int errors = co_await leat::blocking([] {
        char byte = 0;
        int wrong = 0;
        const auto fails = [&](long result, int error) { wrong += result != -1 || errno != error ? 1 : 0; };
        const int never_open = 1'000'000;
        fails(::read(never_open, &byte, 1), EBADF);
        fails(::write(never_open, &byte, 1), EBADF);
        fails(::recv(never_open, &byte, 1, MSG_WAITALL), EBADF);
        fails(::accept(never_open, nullptr, nullptr), EBADF);
        fails(::connect(never_open, nullptr, 0), EBADF);
        fails(::close(never_open), EBADF);
        epoll_event event{};
        fails(::epoll_wait(never_open, &event, 1, -1), EBADF);
        fails(::select(-1, nullptr, nullptr, nullptr, nullptr), EINVAL);
        fails(::waitpid(::getpid(), nullptr, 0), ECHILD);
        const int pipe_end = pipe_ends().ours.release();  // whose writer is gone
        fails(::recv(pipe_end, &byte, 1, 0), ENOTSOCK);
        wrong += ::read(pipe_end, &byte, 1) != 0 ? 1 : 0;
        ::close(pipe_end);
        return wrong;
    });
    CHECK(errors == 0);
}

LEAT_TEST("two fibres wait for one descriptor, and each gets its part", backends::kernel) {
    for (const bool poll_first : {false, true}) {
        const ends pair = socket_ends();
        std::string got;
        const auto take_one = [&] {
            return leat::blocking([&] {
                char byte = 0;
                pollfd asked{.fd = pair.ours.get(), .events = POLLIN, .revents = 0};
                if (poll_first) {
                    CHECK(::poll(&asked, 1, -1) == 1);
                }
                CHECK(::read(pair.ours.get(), &byte, 1) == 1);
                got += byte;
            });
        };
        auto one = leat::spawn(take_one);
        auto other = leat::spawn(take_one);
        co_await let_others_run();
        put(pair.theirs, "a");
        co_await let_others_run();
        CHECK(one.done() != other.done());
        put(pair.theirs, "b");
        co_await one;
        co_await other;
        CHECK(got == "ab");
    }
}

LEAT_TEST("one fibre reads a descriptor while another writes to it", backends::kernel) {
    const ends pair = socket_ends();
    fill(pair.ours);
    char byte = 0;
    auto reader = leat::spawn(leat::blocking([&] { return ::read(pair.ours.get(), &byte, 1); }));
    auto writer = leat::spawn(leat::blocking([&] { return ::write(pair.ours.get(), "a", 1); }));
    co_await let_others_run();
    put(pair.theirs, "z");
    const auto read = co_await reader;
    CHECK(read == 1);
    CHECK(!writer.done());
    take_all(pair.theirs);
    const auto written = co_await writer;
    CHECK(written == 1);
}

namespace {

// While it lives the first look is interrupted by a signal.
class interrupted_once {
public:
    interrupted_once() noexcept {
        leat::detail::real.poll = poll;
        leat::detail::real.pselect = pselect;
    }
    interrupted_once(const interrupted_once&) = delete;
    interrupted_once& operator=(const interrupted_once&) = delete;
    ~interrupted_once() { leat::detail::real = before_; }

private:
    static int interrupted() {
        leat::detail::real = before_;
        errno = EINTR;
        return -1;
    }
    static int poll(pollfd* /*asked*/, nfds_t /*count*/, int /*timeout*/) { return interrupted(); }
    static int pselect(int /*size*/, fd_set* reading, fd_set* /*writing*/, fd_set* /*excepting*/,
                       const timespec* /*timeout*/, const sigset_t* /*mask*/) {
        FD_ZERO(reading);
        return interrupted();
    }

    static inline const leat::detail::real_calls before_ = leat::detail::real;
};

}  // namespace

LEAT_TEST("a signal in the moment of a look ends neither poll nor select", backends::kernel) {
    const ends pair = socket_ends();
    put(pair.theirs, "a");
    for (const auto wait : {+by_poll, +by_select}) {
        const long ready = co_await leat::blocking([&] {
            const interrupted_once interrupted;
            return wait(pair.ours.get());
        });
        CHECK(ready == 1);
    }
}

LEAT_TEST("a signal that the mask of pselect lets in ends it", backends::kernel) {
    const ends pair = socket_ends();
    put(pair.theirs, "a");
    const int error = co_await leat::blocking([&] {
        const interrupted_once interrupted;
        fd_set set;
        FD_ZERO(&set);
        FD_SET(pair.ours.get(), &set);
        sigset_t mask;
        sigemptyset(&mask);
        return ::pselect(pair.ours.get() + 1, &set, nullptr, nullptr, nullptr, &mask) == -1 ? errno : 0;
    });
    CHECK(error == EINTR);
}
