// SPDX-License-Identifier: MIT
#include <leat/sync/latest.hpp>

#include "../virtual_kernel.hpp"
#include "drawn_tasks.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <memory>
#include <vector>

using namespace drawn_tasks;
using namespace std::chrono_literals;

namespace {

leat::task<> see_all(leat::latest<int>& value, std::vector<int>& into) {
    auto watched = value.observe();
    while (const int* newest = co_await watched.next()) {
        into.push_back(*newest);
    }
}

}  // namespace

VIRTUAL_TEST("an observer sees the present value, then each that is there when it looks, then the end") {
    leat::latest<int> value(1);
    std::vector<int> seen;
    auto watching = leat::spawn(see_all, std::ref(value), std::ref(seen));
    co_await leat::sleep(1s);
    CHECK(seen == std::vector{1});
    value.set(2);
    value.set(3);
    CHECK(value.get() == 3);
    co_await leat::sleep(1s);
    CHECK(seen == std::vector{1, 3});
    value.set(4);
    value.close();
    value.close();
    CHECK(value.is_closed());
    co_await watching;
    CHECK(seen == std::vector{1, 3, 4});
}

LEAT_TEST("observers see changes each for itself, also of what cannot be copied") {
    leat::latest<std::unique_ptr<int>> value(std::make_unique<int>(1));
    auto a = value.observe();
    auto b = value.observe();
    const auto* first = co_await a.next();
    CHECK(**first == 1);
    CHECK(!a.changed());
    CHECK(b.changed());
    value.set(std::make_unique<int>(2));
    CHECK(a.changed());
    const auto* second = co_await a.next();
    const auto* other = co_await b.next();
    CHECK(**second == 2);
    CHECK(second == other);
}

VIRTUAL_TEST("a cancelled wait for a newer value has seen nothing") {
    leat::latest<int> value(1);
    auto watched = value.observe();
    (void)co_await watched.next();
    const auto nothing = co_await leat::move_on_after(1s, watched.next());
    CHECK(!nothing.has_value());
    value.set(2);
    auto late = leat::spawn([&]() -> leat::task<> { (void)co_await watched.next(); });
    late.cancel();
    co_await late.join();
    CHECK(watched.changed());
    const int* newest = co_await watched.next();
    CHECK(*newest == 2);
}

LEAT_SIMULATE("observers in any order see newer values only, none twice, and the last of all",
              {.seeds = 200, .random_order = true}) {
    constexpr int values = 30;
    leat::latest<int> value(0);
    int last_seen = 0;
    auto observers = spawn_several(4, [&](int) -> leat::task<> {
        auto watched = value.observe();
        int seen = -1;
        for (;;) {
            const auto next = co_await leat::move_on_after(draw_moment(), watched.next());
            if (next.has_value() && *next == nullptr) {
                break;
            }
            if (next.has_value()) {
                CHECK(**next > seen);
                seen = **next;
                co_await leat::sleep(draw_moment());
            }
        }
        CHECK(seen == values);
        ++last_seen;
    });
    auto setter = leat::spawn([&]() -> leat::task<> {
        for (int next = 1; next <= values; ++next) {
            co_await leat::sleep(draw_moment());
            value.set(next);
        }
        value.close();
    });
    co_await cancel_some(observers);
    co_await setter;
    co_await leat::join_all(observers);
    const auto ended = std::ranges::count_if(observers, [](const auto& each) { return each.ok(); });
    CHECK(last_seen == ended);
}
