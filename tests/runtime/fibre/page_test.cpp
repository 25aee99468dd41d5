// SPDX-License-Identifier: MIT
// The code of docs/blocking.md.
#include "blocking_calls.hpp"

#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Stands for a function of a library that knows nothing of coroutines.
std::string fetch_page(int connection) {
    std::string page;
    for (char each; (each = fibre_tests::blocking_get(connection)) != '.';) {
        page += each;
    }
    return page;
}

// BLOCKING: begin
leat::task<std::vector<std::string>> fetch_all(std::vector<int> connections) {
    co_return co_await leat::map_concurrently(
        connections, 20, [](int connection) { return leat::blocking(fetch_page, connection); });
}
// BLOCKING: end

// BLOCKING: begin
int count_to_three(leat::event& goes_on) {
    leat::await(goes_on.wait());  // a task, a handle, an awaitable: whatever co_await takes
    int count = 0;
    leat::await(leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (int i = 0; i < 3; ++i) {
            group.spawn([&]() -> leat::task<> {
                co_await leat::sleep(1ms);
                ++count;
            });
        }
        co_return;
    }));
    return count;
}
// BLOCKING: end

}  // namespace

LEAT_TEST("the page of blocking functions: several run at once", on(kernel)) {
    std::vector<fibre_tests::socket_pair> sockets(3);
    std::vector<int> connections;
    for (const auto& each : sockets) {
        connections.push_back(each.near.get());
    }
    auto fetched = leat::spawn(fetch_all(connections));
    co_await leat::testing::wait_until_idle();
    for (const auto& each : sockets) {
        fibre_tests::put(each.far.get(), "page");
        ::shutdown(each.far.get(), SHUT_WR);
    }
    const std::vector<std::string> pages = co_await fetched;
    CHECK(pages == std::vector<std::string>{"page", "page", "page"});
}

LEAT_TEST("the page of blocking functions: they wait for tasks") {
    leat::event goes_on;
    auto counts = leat::spawn(leat::blocking([&] { return count_to_three(goes_on); }));
    goes_on.set();
    const int count = co_await counts;
    CHECK(count == 3);
}
