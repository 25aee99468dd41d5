// SPDX-License-Identifier: MIT
#include <leat/readiness_callbacks.hpp>

#include "cancel_moments.hpp"

#include <leat/fd.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

using leat::fd;
using leat::readiness_callbacks;
using leat::ready_to;
using leat::task;

namespace {

struct socket_pair {
    fd here;
    fd there;
};

socket_pair new_socket_pair() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0);
    return {fd(both[0]), fd(both[1])};
}

void write_text(const fd& to, std::string_view text) {
    REQUIRE(::write(to.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// The next byte; none at the end, or when there is none yet.
std::string read_byte(int from) {
    char byte = 0;
    return ::read(from, &byte, 1) == 1 ? std::string(1, byte) : std::string();
}

// Many turns of the loop, which looks at the descriptors in each.
task<> let_the_loop_look() {
    for (int count = 0; count < 10; ++count) {
        co_await cancel_tests::let_the_loop_look();
    }
}

}  // namespace

LEAT_TEST("a callback that leaves something to read is called again", on(kernel)) {
    socket_pair pair = new_socket_pair();
    readiness_callbacks watched;
    std::string received;
    int calls = 0;
    watched.add(pair.here.get(), ready_to::read, [&](int number, ready_to event) {
        CHECK(number == pair.here.get());
        CHECK(event == ready_to::read);
        ++calls;
        const std::string byte = read_byte(number);
        received += byte;
        if (byte.empty()) {
            CHECK(watched.remove(number));
        }
    });
    write_text(pair.there, "abc");
    pair.there.reset();
    co_await watched.run();
    CHECK(received == "abc");
    CHECK(calls == 4);
    CHECK(watched.size() == 0);
}

LEAT_TEST("a callback changes what it is told of, and is told of nothing else", on(kernel)) {
    socket_pair pair = new_socket_pair();
    readiness_callbacks watched;
    std::string log;
    watched.add(pair.here.get(), ready_to::read, [&](int number, ready_to event) {
        if (event == ready_to::read) {
            log += read_byte(number);
            watched.modify(number, ready_to::write);
        } else {
            log += 'w';
            watched.modify(number, log == "awbw" ? ready_to::do_nothing : ready_to::read);
        }
    });
    write_text(pair.there, "abc");
    co_await watched.run();
    CHECK(log == "awbw");
    CHECK(watched.contains(pair.here.get()));
    watched.modify(pair.here.get(), ready_to::read);
    auto going_on = leat::spawn(watched.run());
    co_await let_the_loop_look();
    CHECK(log == "awbwcw");  // from then on there is nothing to read
    CHECK_FALSE(going_on.done());
    watched.stop();
    co_await going_on;
}

LEAT_TEST("of a descriptor that can be read and written both are told", on(kernel)) {
    socket_pair pair = new_socket_pair();
    write_text(pair.there, "x");
    readiness_callbacks watched;
    ready_to seen = ready_to::do_nothing;
    watched.add(pair.here.get(), ready_to::read_and_write, [&](int number, ready_to event) {
        seen = seen | event;
        if (seen == ready_to::read_and_write) {
            watched.remove(number);
        }
    });
    co_await watched.run();
    CHECK(seen == ready_to::read_and_write);
}

LEAT_TEST("a descriptor that another callback removes is not told of any more, though it is ready",
          on(kernel)) {
    socket_pair one = new_socket_pair();
    socket_pair two = new_socket_pair();
    readiness_callbacks watched;
    int calls = 0;
    const auto remove_the_other = [&](int number, ready_to) {
        ++calls;
        watched.remove(number == one.here.get() ? two.here.get() : one.here.get());
        watched.remove(number);
    };
    watched.add(one.here.get(), ready_to::read, remove_the_other);
    watched.add(two.here.get(), ready_to::read, remove_the_other);
    auto running = leat::spawn(watched.run());
    co_await let_the_loop_look();
    write_text(one.there, "x");
    write_text(two.there, "x");
    co_await running;
    CHECK(calls == 1);
}

LEAT_TEST("a number that is removed, closed and opened again is told to its new callback only", on(kernel)) {
    socket_pair old = new_socket_pair();
    const int number = old.here.get();
    std::optional<socket_pair> next;
    readiness_callbacks watched;
    std::string log;
    watched.add(number, ready_to::read_and_write, [&](int, ready_to) {
        log += 'o';
        watched.remove(number);
        old.here.reset();
        next = new_socket_pair();
        if (next->here.get() != number) {
            REQUIRE(::dup2(next->here.get(), number) == number);
            next->here = fd(number);
        }
        watched.add(number, ready_to::read, [&](int, ready_to) {
            log += read_byte(number);
            watched.remove(number);
        });
    });
    write_text(old.there, "x");
    auto running = leat::spawn(watched.run());
    co_await let_the_loop_look();
    CHECK(log == "o");
    CHECK_FALSE(running.done());
    write_text(next->there, "n");
    co_await running;
    CHECK(log == "on");
}

LEAT_TEST("callbacks add others, also before the first look", on(kernel)) {
    socket_pair one = new_socket_pair();
    socket_pair two = new_socket_pair();
    write_text(one.there, "1");
    write_text(two.there, "2");
    readiness_callbacks watched;
    std::string log;
    watched.add(one.here.get(), ready_to::read, [&](int number, ready_to) {
        log += read_byte(number);
        watched.remove(number);
        watched.add(two.here.get(), ready_to::read, [&](int other, ready_to) {
            log += read_byte(other);
            watched.remove(other);
        });
    });
    co_await watched.run();
    CHECK(log == "12");
}

LEAT_TEST("another task adds and removes while callbacks are called", on(kernel)) {
    socket_pair pair = new_socket_pair();
    const fd never(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    readiness_callbacks watched;
    std::string log;
    watched.add(never.get(), ready_to::read, [&](int, ready_to) { log += '?'; });
    auto running = leat::spawn(watched.run());
    co_await let_the_loop_look();
    watched.add(pair.here.get(), ready_to::read, [&](int number, ready_to) { log += read_byte(number); });
    write_text(pair.there, "a");
    while (log.empty()) {
        co_await leat::yield();
    }
    CHECK(watched.remove(pair.here.get()));
    write_text(pair.there, "b");
    co_await let_the_loop_look();
    CHECK(log == "a");
    CHECK_FALSE(running.done());
    CHECK(watched.remove(never.get()));
    co_await running;
    CHECK(log == "a");
}

LEAT_TEST("what a callback throws ends run(), and another run() goes on with the same descriptors",
          on(kernel)) {
    socket_pair pair = new_socket_pair();
    write_text(pair.there, "ab");
    readiness_callbacks watched;
    std::string log;
    watched.add(pair.here.get(), ready_to::read, [&](int number, ready_to) {
        log += read_byte(number);
        if (log.size() == 1) {
            throw std::runtime_error("no");
        }
        watched.remove(number);
    });
    const auto failed = co_await leat::as_outcome(watched.run());
    CHECK_THROWS_WITH(failed.value(), "no");
    CHECK(watched.size() == 1);
    co_await watched.run();
    CHECK(log == "ab");
}

LEAT_TEST("a run() that is cancelled can be begun again", on(kernel)) {
    socket_pair pair = new_socket_pair();
    readiness_callbacks watched;
    std::string log;
    watched.add(pair.here.get(), ready_to::read, [&](int number, ready_to) {
        log += read_byte(number);
        watched.remove(number);
    });
    auto running = leat::spawn(watched.run());
    co_await let_the_loop_look();
    running.cancel();
    co_await running.join();
    CHECK(running.cancelled());
    write_text(pair.there, "x");
    CHECK(log.empty());
    co_await watched.run();
    CHECK(log == "x");
}

LEAT_TEST("a descriptor is added once, and what is wrong is named", on(kernel)) {
    const fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    readiness_callbacks watched;
    const auto ignore = [](int, ready_to) {};
    watched.add(event.get(), ready_to::read, ignore);
    const std::string number = std::to_string(event.get());
    CHECK_THROWS_WITH(watched.add(event.get(), ready_to::write, ignore),
                      ("descriptor " + number + " has been added before: File exists").c_str());
    CHECK_THROWS_WITH(watched.modify(12345, ready_to::read),
                      "descriptor 12345 has not been added: No such file or directory");
    CHECK_FALSE(watched.remove(12345));
    CHECK(watched.size() == 1);
    watched.remove(event.get());
    watched.add(12345, ready_to::read, ignore);
    const auto failed = co_await leat::as_result(watched.run());
    CHECK(failed.error() == std::errc::bad_file_descriptor);
    CHECK(failed.error_text().starts_with("descriptor 12345: "));
}

LEAT_TEST("a regular file is ready each time, and others have their turn", on(kernel)) {
    char path[] = "/tmp/leat-callbacks-test-XXXXXX";
    const fd file(::mkostemp(path, O_CLOEXEC));
    ::unlink(path);
    socket_pair pair = new_socket_pair();
    write_text(pair.there, "x");
    readiness_callbacks watched;
    int of_file = 0;
    watched.add(file.get(), ready_to::read_and_write, [&](int, ready_to) { ++of_file; });
    watched.add(pair.here.get(), ready_to::read, [&](int, ready_to) { watched.stop(); });
    co_await watched.run();
    CHECK(of_file > 0);
}

LEAT_TEST("nothing is called behind a callback that has ended the run, by stop() or by an error",
          on(kernel)) {
    for (const bool throws : {false, true}) {
        socket_pair one = new_socket_pair();
        socket_pair other = new_socket_pair();
        write_text(one.there, "x");
        write_text(other.there, "x");
        readiness_callbacks watched;
        int calls = 0;
        const auto end = [&](int, ready_to) {
            ++calls;
            if (throws) {
                throw std::runtime_error("enough");
            }
            watched.stop();
        };
        watched.add(one.here.get(), ready_to::read, end);
        watched.add(other.here.get(), ready_to::read, end);
        const auto ended = co_await leat::as_outcome(watched.run());
        CHECK((ended.how() == leat::ending::error) == throws);
        CHECK(calls == 1);
    }
}

LEAT_TEST("run() without anything to wait for ends at once", on(kernel)) {
    readiness_callbacks watched;
    co_await watched.run();
    const fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    watched.add(event.get(), ready_to::do_nothing, [](int, ready_to) {});
    co_await watched.run();
    CHECK(watched.size() == 1);
}

namespace {

struct library_of_callbacks {
    std::string received;
    void read_from(int ready) {
        received += read_byte(ready);
        if (received == "xy") {
            throw std::runtime_error("the library has enough");
        }
    }
};

task<> work_of(library_of_callbacks& library, int descriptor) {
    // TASKS: begin
    leat::readiness_callbacks watched;
    watched.add(descriptor, leat::ready_to::read,
                [&](int ready, leat::ready_to) { library.read_from(ready); });
    co_await watched.run();
    // TASKS: end
}

}  // namespace

LEAT_TEST("the page's library is called when its descriptor is ready", on(kernel)) {
    socket_pair pair = new_socket_pair();
    write_text(pair.there, "xy");
    library_of_callbacks library;
    const auto ended = co_await leat::as_outcome(work_of(library, pair.here.get()));
    CHECK_THROWS_WITH(ended.value(), "the library has enough");
    CHECK(library.received == "xy");
}
