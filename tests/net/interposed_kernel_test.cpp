// SPDX-License-Identifier: MIT
// What a kernel may do and rarely does, on each backend that has to do with it: no byte and no connection is
// lost, nothing is told twice, and no timer is early.
#include "../runtime/backends/interposed_kernel.hpp"
#include "exchange.hpp"

#include <leat/backends/choose.hpp>
#include <leat/testing/backends.hpp>
#include <leat/testing/doctest.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>

#include <sys/time.h>

using namespace std::chrono_literals;
using namespace backend_tests;
using leat::testing::backend_set;
namespace backends = leat::testing;

namespace {

constexpr int clients = 6;
constexpr int numbers = 2'000;
constexpr int only_once = 1'000'000;

// Runs `body` on each of the backends, disturbed by a `Disturbance` made with `arguments`.
template <typename Disturbance, typename Body, typename... Arguments>
void disturbed(backend_set where, Body body, Arguments... arguments) {
    for (const auto& each : leat::testing::backends(where)) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        (void)leat::make_backend("auto");  // its self-test is not disturbed
        const std::size_t before = leat::testing::open_descriptors();
        {
            const Disturbance disturbing(arguments...);
            leat::run(body, {.backend = each.name});
            CHECK(strikes::count > 0);
        }
        CHECK(leat::testing::open_descriptors() == before);
    }
}

leat::task<> exchanged() {
    return net_tests::exchange(clients, numbers);
}

leat::task<> exchanged_little() {
    return net_tests::exchange(1, 100);  // io_uring sends by a call of its own while little else goes on
}

leat::task<> exchanged_little_in_pieces() {
    return net_tests::exchange(1, 100, 1);
}

// Once it is connected there is no timer, and the loop waits without a deadline.
leat::task<> exchanged_without_timers() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto server = leat::spawn([&]() -> leat::task<> {
        auto peer = co_await listener.accept();
        co_await net_tests::echo_chunks(std::move(peer));
    });
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    for (int i = 0; i < 50; ++i) {
        std::string reply(4, ' ');
        co_await client.send_all(std::to_string(1000 + i));
        co_await client.recv_exactly(reply);
        CHECK(reply == std::to_string(1000 + i));
    }
    client.close();
    co_await server;
}

leat::task<> datagrams_exchanged() {
    auto server = leat::udp_socket::bind({"127.0.0.1", 0});
    auto client = leat::udp_socket::bind({"127.0.0.1", 0});
    for (int i = 0; i < 50; ++i) {
        std::string heard(4, ' ');
        co_await client.send_to(std::to_string(1000 + i), server.local_endpoint());
        const leat::datagram got = co_await server.recv_from(heard);
        CHECK(heard == std::to_string(1000 + i));
        CHECK(got.from == client.local_endpoint());
    }
}

template <auto& Place, auto Instead>
struct instead : disturbance<std::remove_reference_t<decltype(Place)>> {
    explicit instead(std::size_t at_most = 0) noexcept
        : disturbance<std::remove_reference_t<decltype(Place)>>(Place, Instead) {
        strikes::every = 1;
        strikes::at_most = at_most;
    }
};

namespace call = leat::system_call;

leat::duration length_of(const timespec& limit) {
    return std::chrono::seconds(limit.tv_sec) + std::chrono::nanoseconds(limit.tv_nsec);
}

int interrupt_precise_wait(int epoll, epoll_event* events, int size, const timespec* limit,
                           const sigset_t* mask) {
    return limit == nullptr ? ::epoll_pwait2(epoll, events, size, limit, mask)
                            : interrupted_sleep::interrupt(length_of(*limit));
}

int interrupt_poll(pollfd* polled, nfds_t size, const timespec* limit, const sigset_t* mask) {
    return limit == nullptr || length_of(*limit) == 0s ? ::ppoll(polled, size, limit, mask)
                                                       : interrupted_sleep::interrupt(length_of(*limit));
}

// It counts whole milliseconds, and lasts up to one too long.
int interrupt_wait(int epoll, epoll_event* events, int size, int limit) {
    return limit <= 0 ? ::epoll_wait(epoll, events, size, limit)
                      : interrupted_sleep::interrupt(std::chrono::milliseconds(limit) - 1ms);
}

int no_precise_wait(int /*epoll*/, epoll_event* /*events*/, int /*size*/, const timespec* /*limit*/,
                    const sigset_t* /*mask*/) {
    errno = ENOSYS;
    return -1;
}

struct interrupted_on_an_old_kernel {
    instead<call::epoll_pwait2, no_precise_wait> precise;
    instead<call::epoll_wait, interrupt_wait> other;
};

// While this lives a signal comes again and again, and interrupts what the thread waits for in the kernel.
class signal_storm {
public:
    signal_storm() {
        count_ = 0;
        struct sigaction counting{};
        counting.sa_handler = [](int /*number*/) { count_.fetch_add(1); };
        ::sigaction(SIGALRM, &counting, &before_);
        const itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 500},
                              .it_value = {.tv_sec = 0, .tv_usec = 500}};
        ::setitimer(ITIMER_REAL, &often, nullptr);
    }
    ~signal_storm() {
        const itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }
    signal_storm(const signal_storm&) = delete;
    signal_storm& operator=(const signal_storm&) = delete;
    [[nodiscard]] static int count() noexcept { return count_.load(); }

private:
    static inline std::atomic<int> count_ = 0;
    struct sigaction before_{};
};

}  // namespace

TEST_CASE("a recv that is interrupted is tried again") {
    disturbed<fails<call::recv>>(backends::kernel, exchanged, EINTR);
}

TEST_CASE("a send that is interrupted is tried again") {
    disturbed<fails<call::send>>(backends::epoll | backends::poll, exchanged, EINTR);
    disturbed<fails<call::send>>(backends::kernel, exchanged_little, EINTR);
}

TEST_CASE("a send of several pieces that is interrupted is tried again") {
    disturbed<fails<call::sendmsg>>(backends::epoll | backends::poll, exchanged, EINTR);
    disturbed<fails<call::sendmsg>>(backends::kernel, exchanged_little_in_pieces, EINTR);
}

TEST_CASE("receiving and sending a datagram that are interrupted are tried again") {
    disturbed<fails<call::recvmsg>>(backends::kernel, datagrams_exchanged, EINTR);
    disturbed<fails<call::sendmsg>>(backends::kernel, datagrams_exchanged, EINTR);
}

TEST_CASE("receives that take a few bytes at a time take them in order") {
    disturbed<instead<call::recv, recv_little>>(backends::kernel, exchanged_little, std::size_t{7});
}

TEST_CASE("sends that take a few bytes at a time send them in order") {
    disturbed<instead<call::send, send_little>>(backends::kernel, exchanged_little, std::size_t{5});
}

TEST_CASE("sends that take a part of the first piece go on with the rest of it") {
    disturbed<instead<call::sendmsg, sendmsg_little>>(backends::kernel, exchanged_little_in_pieces,
                                                      std::size_t{3});
}

TEST_CASE("an accept that is interrupted is tried again") {
    disturbed<fails<call::accept4>>(backends::kernel, exchanged, EINTR);
}

TEST_CASE("an accept of a connection that was reset meanwhile goes on with the next one") {
    disturbed<fails<call::accept4>>(backends::epoll | backends::poll, exchanged, ECONNABORTED);
}

TEST_CASE("a connect that is interrupted goes on by itself") {
    disturbed<instead<call::connect, connect_interrupted>>(backends::epoll | backends::poll, exchanged);
}

TEST_CASE("an accept without a free descriptor is an error, and leaves the connection in the queue") {
    const auto body = []() -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        auto client = leat::spawn(leat::tcp_stream::connect(listener.local_endpoint()));
        std::error_code error;
        try {
            (void)co_await listener.accept();
        } catch (const std::system_error& failed) {
            error = failed.code();
        }
        CHECK(error == std::errc::too_many_files_open);
        auto peer = co_await listener.accept();
        const auto connected = co_await client;
        CHECK(peer.remote_endpoint() == connected.local_endpoint());
    };
    disturbed<fails<call::accept4>>(backends::epoll | backends::poll, body, EMFILE, only_once);
}

TEST_CASE("a wait that a signal interrupts goes on, and no timer is early") {
    disturbed<fails<call::epoll_wait>>(backends::epoll, exchanged_without_timers, EINTR);
    disturbed<fails<call::epoll_pwait2>>(backends::epoll, exchanged, EINTR);
    disturbed<fails<call::ppoll>>(backends::poll, exchanged, EINTR);
    disturbed<fails<call::ppoll>>(backends::poll, exchanged_without_timers, EINTR);
}

TEST_CASE(
    "a sleep all of whose waits are interrupted is not early, and each wait is for what is left of it") {
    disturbed<instead<call::epoll_pwait2, interrupt_precise_wait>>(backends::epoll, sleep_though_interrupted);
    disturbed<interrupted_on_an_old_kernel>(backends::epoll, sleep_though_interrupted);
    disturbed<instead<call::ppoll, interrupt_poll>>(backends::poll, sleep_though_interrupted);
}

LEAT_TEST("signals that come all the time disturb nothing", backends::kernel) {
    const signal_storm storm;
    while (storm.count() < 20) {
        co_await net_tests::exchange(3, 500);
    }
}

TEST_CASE("a poll without memory for its list goes on") {
    disturbed<fails<call::ppoll>>(backends::poll, exchanged, ENOMEM);
}

TEST_CASE("where there is no epoll_pwait2 timers are kept by whole milliseconds, and never early") {
    for (const int refused : {ENOSYS, EPERM}) {
        disturbed<fails<call::epoll_pwait2>>(backends::epoll, exchanged, refused, 1);
    }
}
