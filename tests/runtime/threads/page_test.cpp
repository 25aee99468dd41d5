// SPDX-License-Identifier: MIT
// The code of docs/threads.md, as it stands there.
#include "../../support/printed_by.hpp"
#include "../other_thread.hpp"

#include <leat/from_callback.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define main main_of_the_page

// THREADS: begin
#include <leat/runtime.hpp>
#include <leat/threads.hpp>

#include <cstdio>

long sum_of_squares(long end) {
    long sum = 0;
    for (long number = 1; number <= end; ++number) {
        sum += number * number;
    }
    return sum;
}

leat::task<> print_sum() {
    const long sum = co_await leat::offload([] { return sum_of_squares(1000); });
    std::printf("%ld\n", sum);
}

int main() {
    return leat::run_main(print_sum);
}
// THREADS: end

#undef main

using namespace std::chrono_literals;

namespace {

// THREADS: begin
leat::task<std::vector<long>> sums(std::vector<long> ends) {
    co_return co_await leat::map_concurrently(ends, 8, [](long end) -> leat::task<long> {
        co_return co_await leat::offload([end] { return sum_of_squares(end); });
    });
}
// THREADS: end

// THREADS: begin
leat::task<> echo(leat::tcp_stream peer) {
    while (auto part = co_await peer.recv_chunk()) {
        co_await peer.send_all(part);
    }
}

// A server on all processors: the kernel gives each new connection to one of the listeners.
void serve_on_all_processors(leat::endpoint where) {
    leat::run_workers(0, [where](unsigned) -> leat::task<> {
        co_await leat::serve(leat::tcp_listener::bind(where, {.reuse_port = true}), echo);
    });
}
// THREADS: end

// THREADS: begin
struct reading {
    int sensor = 0;
    double value = 0;
};

// A thread of another library: it has no scheduler, and may block.
void measure(leat::thread_channel<reading>& readings) {
    for (int sensor = 1; sensor <= 3; ++sensor) {
        readings.send_blocking({sensor, 0.5});
    }
    readings.close();
}

leat::task<double> total(leat::thread_channel<reading>& readings) {
    double sum = 0;
    while (auto next = co_await readings.receive()) {
        sum += next->value;
    }
    co_return sum;
}
// THREADS: end

// THREADS: begin
// Called on any thread: `changed` belongs to the run that `home` refers to, and is set there.
bool tell(const leat::remote& home, leat::event& changed) {
    return home.post([&changed] { changed.set(); });
}
// THREADS: end

// Calls back on a thread of its own.
class sensor_driver {
public:
    void read(std::function<void(double)> ready) {
        thread_ = std::jthread([ready = std::move(ready)] { ready(0.5); });
    }

private:
    std::jthread thread_;
};

// THREADS: begin
// `driver.read(f)` returns at once, and calls f(value) later on a thread of the driver.
leat::task<double> read_sensor(sensor_driver& driver) {
    co_return co_await leat::from_callback_anywhere<double>(
        [&](leat::callback<double> done) { driver.read(done); });
}
// THREADS: end

// THREADS: begin
leat::task<std::string> ask_there(const leat::remote& there, std::string question) {
    co_return co_await there.call([&]() -> leat::task<std::string> {
        co_await leat::yield();  // runs on the other thread, with all that a task can do
        co_return "about " + question;
    });
}
// THREADS: end

// THREADS: begin
// Gives each connection to one of the workers in turn.
leat::task<> share_out(leat::tcp_listener& listener, const std::vector<leat::remote>& workers) {
    for (std::size_t next = 0;; next = (next + 1) % workers.size()) {
        auto stream = co_await listener.accept();
        if (!workers[next].spawn(echo, std::move(stream))) {
            throw std::runtime_error("a worker has ended");
        }
    }
}
// THREADS: end

leat::task<std::string> echoed(leat::endpoint where, std::string word) {
    auto stream = co_await leat::tcp_stream::connect(where);
    co_await stream.send_all(word);
    std::string same(word.size(), ' ');
    co_await stream.recv_exactly(same);
    co_return same;
}

}  // namespace

TEST_CASE("the program of the page about threads prints what another thread has computed") {
    CHECK(leat::testing::printed_by(main_of_the_page) == "333833500\n");
}

LEAT_TEST("a range is computed on other threads, in order", on(kernel)) {
    const std::vector<long> given = co_await sums({1, 2, 3});
    CHECK(given == std::vector<long>{1, 5, 14});
}

TEST_CASE("workers on several threads serve one port until a signal stops them") {
    const leat::fd reserved(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));  // bound, and not listening
    const int on = 1;
    REQUIRE(::setsockopt(reserved.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0);
    sockaddr_in chosen{};
    chosen.sin_family = AF_INET;
    chosen.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof chosen;
    REQUIRE(::bind(reserved.get(), reinterpret_cast<sockaddr*>(&chosen), size) == 0);
    REQUIRE(::getsockname(reserved.get(), reinterpret_cast<sockaddr*>(&chosen), &size) == 0);
    const leat::endpoint where("127.0.0.1", ntohs(chosen.sin_port));
    std::string same;
    std::thread client([&] {
        sigset_t stop;
        ::sigemptyset(&stop);
        ::sigaddset(&stop, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
        leat::run([&]() -> leat::task<> {
            same = co_await leat::retry({.tries = 1000, .first = 1ms, .most = 10ms},
                                        [&] { return echoed(where, "mill"); });
        });
        ::kill(::getpid(), SIGTERM);
    });
    serve_on_all_processors(where);
    client.join();
    CHECK(same == "mill");
}

LEAT_TEST("a task receives what a thread without a scheduler sends", on(kernel)) {
    leat::thread_channel<reading> readings(1);
    std::thread sensor([&] { measure(readings); });
    const double sum = co_await total(readings);
    sensor.join();
    CHECK(sum == 1.5);
}

LEAT_TEST("an event of this run is set for another thread", on(kernel)) {
    leat::event changed;
    const leat::remote home = leat::current_scheduler().remote();
    bool told = false;
    std::thread other([&] { told = tell(home, changed); });
    co_await changed.wait();
    other.join();
    CHECK(told);
}

LEAT_TEST("a callback on another thread gives its value to the task that waits", on(kernel)) {
    sensor_driver driver;
    const double value = co_await read_sensor(driver);
    CHECK(value == 0.5);
}

LEAT_TEST("a question is answered by a task on another thread", on(kernel)) {
    leat::other_thread other;
    const std::string answer = co_await ask_there(other.remote(), "water");
    CHECK(answer == "about water");
}

LEAT_TEST("connections that one thread accepts are served by others", on(kernel)) {
    leat::other_thread first;
    leat::other_thread second;
    const std::vector<leat::remote> workers{first.remote(), second.remote()};
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto where = listener.local_endpoint();
    auto sharing = leat::spawn([&] { return share_out(listener, workers); });
    for (const std::string word : {"water", "wheel", "mill"}) {
        const std::string same = co_await echoed(where, word);
        CHECK(same == word);
    }
    sharing.cancel();
    co_await sharing.join();
}
