// SPDX-License-Identifier: MIT
#include <leat/io.hpp>

#include "cancel_moments.hpp"

#include <leat/fd.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

using namespace std::chrono_literals;
using cancel_tests::let_the_loop_look;

namespace {

struct pipe_ends {
    leat::fd out;
    leat::fd in;
};

struct socket_pair {
    leat::fd here;
    leat::fd there;
};

pipe_ends new_pipe() {
    int both[2];
    REQUIRE(::pipe2(both, O_CLOEXEC | O_NONBLOCK) == 0);
    return {leat::fd(both[0]), leat::fd(both[1])};
}

socket_pair new_socket_pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    return {leat::fd(both[0]), leat::fd(both[1])};
}

void write_byte(const leat::fd& to) {
    REQUIRE(::write(to.get(), "x", 1) == 1);
}

void read_byte(const leat::fd& from) {
    char byte = 0;
    REQUIRE(::read(from.get(), &byte, 1) == 1);
}

void fill(const leat::fd& to) {
    const std::string block(4096, 'x');
    while (::write(to.get(), block.data(), block.size()) > 0) {
    }
}

void drain(const leat::fd& from) {
    char block[4096];
    while (::read(from.get(), block, sizeof block) > 0) {
    }
}

// Moves a socket to the descriptor `number`, which is free.
leat::fd moved_to(int number, leat::fd socket) {
    if (socket.get() == number) {
        return socket;
    }
    REQUIRE(::dup2(socket.get(), number) == number);
    return leat::fd(number);
}

struct two_waits {
    leat::handle<> to_read;
    leat::handle<> to_write;
};

two_waits wait_both_ways(int number) {
    return {leat::spawn([number]() -> leat::task<> { co_await leat::readable(number); }),
            leat::spawn([number]() -> leat::task<> { co_await leat::writable(number); })};
}

// What was waited for goes on to happen, if its socket is there still.
void make_ready(const leat::fd& peer) {
    (void)::send(peer.get(), "x", 1, MSG_NOSIGNAL);
    drain(peer);
}

// Waits for a descriptor that is closed meanwhile, by its number; `elsewhere` its socket stays open. Then for
// another socket of the same number.
leat::task<> closed_behind_our_back(bool elsewhere) {
    socket_pair old = new_socket_pair();
    fill(old.here);
    const int number = old.here.get();
    const leat::fd copy(elsewhere ? ::dup(number) : -1);
    two_waits waiting = wait_both_ways(number);
    co_await let_the_loop_look();
    REQUIRE(::close(old.here.release()) == 0);
    co_await let_the_loop_look();
    waiting.to_read.cancel();
    waiting.to_write.cancel();
    co_await leat::timeout(1min, leat::join_all(waiting.to_read, waiting.to_write));

    socket_pair next = new_socket_pair();
    next.here = moved_to(number, std::move(next.here));
    fill(next.here);
    two_waits again = wait_both_ways(number);
    co_await let_the_loop_look();
    make_ready(old.there);
    old.there.reset();
    co_await let_the_loop_look();
    CHECK_FALSE(again.to_read.done());
    CHECK_FALSE(again.to_write.done());
    make_ready(next.there);
    co_await leat::timeout(1min, leat::join_all(again.to_read, again.to_write));
    CHECK(again.to_read.ok());
    CHECK(again.to_write.ok());
}

// The mask of the next event. (g++ puts no inotify_event into a coroutine's frame.)
std::uint32_t read_event(const leat::fd& watch) {
    inotify_event event{};
    REQUIRE(::read(watch.get(), &event, sizeof event) == sizeof event);
    return event.mask;
}

}  // namespace

LEAT_TEST("readable ends when a pipe has data, and at once when it has data already", on(kernel)) {
    auto pipe = new_pipe();
    bool told = false;
    auto reader = leat::spawn([&]() -> leat::task<> {
        co_await leat::readable(pipe.out.get());
        told = true;
    });
    for (int i = 0; i < 10; ++i) {
        co_await leat::yield();
    }
    CHECK_FALSE(told);
    write_byte(pipe.in);
    co_await reader;
    co_await leat::readable(pipe.out.get());
    read_byte(pipe.out);
    const bool early = co_await leat::move_on_after(0s, leat::readable(pipe.out.get()));
    CHECK_FALSE(early);
}

LEAT_TEST("readable ends when the other end of a pipe is closed", on(kernel)) {
    auto pipe = new_pipe();
    auto reader = leat::spawn([&]() -> leat::task<> { co_await leat::readable(pipe.out.get()); });
    co_await leat::yield();
    pipe.in.reset();
    co_await reader;
    char byte = 0;
    CHECK(::read(pipe.out.get(), &byte, 1) == 0);
}

LEAT_TEST("writable ends at once on an empty pipe, and on a full one when there is room", on(kernel)) {
    auto pipe = new_pipe();
    co_await leat::writable(pipe.in.get());
    fill(pipe.in);
    bool told = false;
    auto writer = leat::spawn([&]() -> leat::task<> {
        co_await leat::writable(pipe.in.get());
        told = true;
    });
    for (int i = 0; i < 10; ++i) {
        co_await leat::yield();
    }
    CHECK_FALSE(told);
    drain(pipe.out);
    co_await writer;
    CHECK(told);
}

LEAT_TEST("an eventfd is readable once it has been written to, again and again", on(kernel)) {
    const leat::fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    for (int i = 0; i < 3; ++i) {
        auto writer = leat::spawn([&]() -> leat::task<> {
            CHECK(::eventfd_write(event.get(), 1) == 0);
            co_return;
        });
        co_await leat::readable(event.get());
        eventfd_t count = 0;
        CHECK(::eventfd_read(event.get(), &count) == 0);
        CHECK(count == 1);
    }
}

LEAT_TEST("a timerfd is readable when its time has come, and not before", on(kernel)) {
    const leat::fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1'000'000}};
    const bool early = co_await leat::move_on_after(0s, leat::readable(timer.get()));
    CHECK_FALSE(early);
    REQUIRE(::timerfd_settime(timer.get(), 0, &soon, nullptr) == 0);
    co_await leat::readable(timer.get());
    std::uint64_t times = 0;
    CHECK(::read(timer.get(), &times, sizeof times) == sizeof times);
    CHECK(times == 1);
}

LEAT_TEST("a pidfd is readable when its process has ended", on(kernel)) {
    auto pipe = new_pipe();
    const pid_t child = ::fork();
    if (child == 0) {
        pipe.in.reset();
        pollfd looked{.fd = pipe.out.get(), .events = POLLIN, .revents = 0};
        ::poll(&looked, 1, -1);
        ::_exit(0);
    }
    REQUIRE(child > 0);
    const leat::fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    REQUIRE(process.get() >= 0);
    const bool early = co_await leat::move_on_after(0s, leat::readable(process.get()));
    CHECK_FALSE(early);
    pipe.in.reset();
    co_await leat::readable(process.get());
    CHECK(::waitpid(child, nullptr, WNOHANG) == child);
}

LEAT_TEST("an inotify descriptor is readable when a file has changed", on(kernel)) {
    char path[] = "/tmp/leat-io-test-XXXXXX";
    const leat::fd file(::mkostemp(path, O_CLOEXEC));
    const leat::fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    REQUIRE(::inotify_add_watch(watch.get(), path, IN_MODIFY) >= 0);
    const bool early = co_await leat::move_on_after(0s, leat::readable(watch.get()));
    CHECK_FALSE(early);
    write_byte(file);
    co_await leat::readable(watch.get());
    CHECK((read_event(watch) & IN_MODIFY) != 0);
    ::unlink(path);
}

LEAT_TEST("a terminal is readable when a line was typed, and when it has hung up", on(kernel)) {
    leat::fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) {
        MESSAGE("skipped: no pseudoterminal here");
        co_return;
    }
    const leat::fd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    REQUIRE(terminal.get() >= 0);
    co_await leat::writable(terminal.get());
    write_byte(master);
    const bool early = co_await leat::move_on_after(0s, leat::readable(terminal.get()));
    CHECK_FALSE(early);  // a line is not whole before it ends
    REQUIRE(::write(master.get(), "\n", 1) == 1);
    co_await leat::readable(terminal.get());
    char line[4];
    CHECK(::read(terminal.get(), line, sizeof line) == 2);
    master.reset();
    co_await leat::readable(terminal.get());
    CHECK(::read(terminal.get(), line, sizeof line) <= 0);
}

LEAT_TEST("a regular file is always readable and writable", on(kernel)) {
    char path[] = "/tmp/leat-io-test-XXXXXX";
    const leat::fd file(::mkostemp(path, O_CLOEXEC));
    ::unlink(path);
    co_await leat::readable(file.get());
    co_await leat::writable(file.get());
    co_await leat::readable(file.get());
}

LEAT_TEST("two tasks wait on one descriptor, one for each direction", on(kernel)) {
    auto pair = new_socket_pair();
    fill(pair.here);
    std::string log;
    auto reader = leat::spawn([&]() -> leat::task<> {
        co_await leat::readable(pair.here.get());
        log += 'r';
    });
    auto writer = leat::spawn([&]() -> leat::task<> {
        co_await leat::writable(pair.here.get());
        log += 'w';
    });
    co_await leat::yield();
    drain(pair.there);
    co_await writer;
    CHECK(log == "w");
    write_byte(pair.there);
    co_await reader;
    CHECK(log == "wr");
}

LEAT_TEST("a race of waits tells which of several descriptors is ready", on(kernel)) {
    auto quiet = new_pipe();
    auto told = new_pipe();
    const auto has_data = [](const leat::fd& end) -> leat::task<bool> {
        co_await leat::readable(end.get());
        co_return true;
    };
    write_byte(told.in);
    const auto results = co_await leat::race(has_data(quiet.out), has_data(told.out));
    CHECK_FALSE(std::get<0>(results).has_value());
    CHECK(std::get<1>(results).has_value());
}

LEAT_TEST("a cancelled wait for a descriptor leaves it as it was, for the next wait too", on(kernel)) {
    auto pipe = new_pipe();
    for (int i = 0; i < 3; ++i) {
        const bool early = co_await leat::move_on_after(1us, leat::readable(pipe.out.get()));
        CHECK_FALSE(early);
    }
    write_byte(pipe.in);
    co_await leat::readable(pipe.out.get());
    read_byte(pipe.out);
}

LEAT_TEST("a descriptor number that is closed and opened again is waited for anew", on(kernel)) {
    for (int i = 0; i < 3; ++i) {
        auto pipe = new_pipe();
        write_byte(pipe.in);
        co_await leat::readable(pipe.out.get());
        read_byte(pipe.out);
        auto writer = leat::spawn([&]() -> leat::task<> {
            write_byte(pipe.in);
            co_return;
        });
        co_await leat::readable(pipe.out.get());
    }
}

LEAT_TEST(
    "who waits for a descriptor that is closed meanwhile can be cancelled, and its number waited for anew",
    on(kernel)) {
    return closed_behind_our_back(false);
}

LEAT_TEST(
    "a descriptor that is closed meanwhile, and open elsewhere, tells nothing to the next of its number",
    on(kernel)) {
    return closed_behind_our_back(true);
}

LEAT_TEST("a wait for a closed descriptor is an error, thrown or as a result", on(kernel)) {
    auto pipe = new_pipe();
    const int closed = pipe.out.get();
    pipe.out.reset();
    std::error_code thrown;
    try {
        co_await leat::readable(closed);
    } catch (const std::system_error& error) {
        thrown = error.code();
    }
    const auto result = co_await leat::as_result(leat::writable(closed));
    CHECK(thrown == std::errc::bad_file_descriptor);
    CHECK(result.error() == std::errc::bad_file_descriptor);
}

LEAT_TEST("as_result of a wait that ends well holds no error", on(kernel)) {
    auto pipe = new_pipe();
    const auto result = co_await leat::as_result(leat::writable(pipe.in.get()));
    CHECK(result.ok());
}

LEAT_TEST("a descriptor given up by one task ends the wait of another with an error, not a deadlock",
          on(kernel)) {
    auto pair = new_socket_pair();
    auto reader = leat::spawn(
        [](int fd) -> leat::task<leat::result<void>> {
            co_return co_await leat::as_result(leat::readable(fd));
        },
        pair.here.get());
    co_await leat::yield();
    leat::current_scheduler().io().retire(pair.here.release());
    const auto& ended = co_await reader.join();
    REQUIRE(ended.ok());
    CHECK(ended.value().error() == std::errc::operation_canceled);
}

LEAT_TEST("a destructor that runs while its task unwinds may give up a descriptor", on(kernel)) {
    auto pair = new_socket_pair();
    auto reader = leat::spawn(
        [](int fd) -> leat::task<leat::result<void>> {
            co_return co_await leat::as_result(leat::readable(fd));
        },
        pair.here.get());
    struct closes {
        leat::fd& here;
        ~closes() { leat::current_scheduler().io().retire(here.release()); }
    };
    auto owner = leat::spawn([&]() -> leat::task<> {
        const closes last{pair.here};
        co_await leat::sleep_until(leat::never);
    });
    co_await leat::yield();
    owner.cancel();
    const auto& how = co_await owner.join();
    CHECK(how.cancelled());
    const auto& ended = co_await reader.join();
    REQUIRE(ended.ok());
    CHECK(ended.value().error() == std::errc::operation_canceled);
}
