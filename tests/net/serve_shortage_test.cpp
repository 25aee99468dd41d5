// SPDX-License-Identifier: MIT
// serve() while the process is out of descriptors: how often it tries, by a clock that the test moves, and
// that no client is lost, on the kernel.
#include <leat/fd.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../runtime/virtual_kernel.hpp"
#include "echo.hpp"

#include <array>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

using namespace std::chrono_literals;
using leat::testing::echo;
using leat::testing::expect_answer;
using leat::testing::remember;
using leat::testing::reported;

namespace {

// What is behind a listener that the test scripts.
struct door {
    bool short_of_descriptors = true;
    int waiting = 0;  // connections in the queue
    std::vector<leat::time_point> failures;
};

class scripted_listener {
public:
    explicit scripted_listener(door& behind) noexcept : door_(&behind) {}
    leat::task<int> accept() {
        if (door_->short_of_descriptors) {
            door_->failures.push_back(leat::now());
            throw std::system_error(EMFILE, std::system_category(), "accept");
        }
        while (door_->waiting == 0) {
            co_await leat::sleep(1s);
        }
        co_return door_->waiting--;
    }
    void close() noexcept {}

private:
    door* door_;
};

std::vector<leat::duration> pauses(const std::vector<leat::time_point>& times) {
    std::vector<leat::duration> between;
    for (std::size_t i = 1; i < times.size(); ++i) {
        between.push_back(times[i] - times[i - 1]);
    }
    return between;
}

}  // namespace

VIRTUAL_TEST("out of descriptors, serve tries less and less often, and then serves all who waited") {
    door behind{.waiting = 1000, .failures = {}};
    std::vector<int> served;
    const auto note = [&](int client) -> leat::task<> {
        served.push_back(client);
        co_return;
    };
    auto serving = leat::spawn(leat::serve(scripted_listener(behind), note, {.stop_on = {}}));
    const std::vector<leat::duration> growing{10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1s, 1s, 1s};
    for (std::size_t shortage = 1; shortage <= 2; ++shortage) {
        while (behind.failures.size() <= growing.size()) {
            co_await leat::sleep(1ms);
        }
        CHECK(pauses(behind.failures) == growing);
        CHECK(leat::reports ==
              std::vector<std::string>(shortage, "accept: Too many open files; trying again"));
        behind.short_of_descriptors = false;
        co_await leat::sleep(2s);
        CHECK(behind.waiting == 0);
        CHECK(served.size() == 1000 * shortage);
        behind = {.waiting = 1000, .failures = {}};
    }
    serving.cancel();
    co_await serving.join();
}

namespace {

// While it lives no descriptor can be opened.
class no_descriptors {
public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const leat::fd lowest_free(::dup(0));
        const rlimit none{.rlim_cur = static_cast<rlim_t>(lowest_free.get()), .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

leat::task<> wait_out_a_shortage() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::endpoint where = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), echo, {.stop_on = {}}));
    auto first = co_await leat::tcp_stream::connect(where);
    co_await expect_answer(first);
    std::array<leat::fd, 100> sockets;
    for (leat::fd& each : sockets) {
        each.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    std::vector<leat::tcp_stream> clients;
    {
        const no_descriptors shortage;
        for (leat::fd& each : sockets) {
            REQUIRE(::connect(each.get(), where.data(), where.size()) == 0);
            clients.push_back(leat::tcp_stream::from_fd(each.release()));
        }
        while (reported.empty()) {
            co_await leat::yield();
        }
        co_await expect_answer(first);
    }
    for (leat::tcp_stream& each : clients) {
        co_await expect_answer(each);
    }
    serving.cancel();
    co_await serving.join();
}

}  // namespace

TEST_CASE("running out of descriptors is reported once, waited out and recovered from, and loses no client") {
    for (const leat::testing::tried_backend& each : leat::testing::backends()) {
        if (!each.refused.empty()) {
            MESSAGE("skipped on " << each.name << ": " << each.refused);
            continue;
        }
        INFO("backend: ", each.name);
        reported.clear();
        const std::size_t before = leat::testing::open_descriptors();
        leat::run(wait_out_a_shortage, {.backend = each.name, .report = remember});
        CHECK(leat::testing::open_descriptors() == before);
        REQUIRE(reported.size() == 1);
        CHECK(reported[0] == "accept: Too many open files; trying again");
    }
}
