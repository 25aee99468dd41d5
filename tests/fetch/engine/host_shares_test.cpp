// SPDX-License-Identifier: MIT
#include <fetch/engine/host_shares.hpp>

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

using fetch::host_share, fetch::host_shares, fetch::share_limits;

constexpr std::size_t unlimited = SIZE_MAX;

constexpr share_limits four_in_all{.transfers = 4, .per_host = unlimited, .open = 100, .ahead = 100};

// Transfers that ask for a share, and hold it until they are told to end.
class made_transfers {
public:
    explicit made_transfers(host_shares& shares) : shares_(shares) {}

    void begin(leat::task_group& group, const std::string& host, std::uint64_t number) {
        auto one = std::make_unique<transfer>();
        transfer& made = *one;
        made.host = host;
        transfers_.emplace(number, std::move(one));
        group.spawn([this, &made, number] { return hold(made, number); });
    }
    void end(std::uint64_t number) { transfers_.at(number)->over.set(); }
    [[nodiscard]] host_share& share(std::uint64_t number) { return *transfers_.at(number)->share; }

    std::vector<std::uint64_t> begun;

private:
    struct transfer {
        std::string host;
        leat::event over;
        std::optional<host_share> share;
    };
    leat::task<> hold(transfer& one, std::uint64_t number) {
        one.share.emplace(co_await shares_.acquire(one.host, number));
        begun.push_back(number);
        co_await one.over.wait();
        one.share.reset();
    }

    host_shares& shares_;
    std::map<std::uint64_t, std::unique_ptr<transfer>> transfers_;
};

using numbers = std::vector<std::uint64_t>;

}  // namespace

LEAT_TEST("as many transfers begin as are allowed, the first jobs first", on(simulated)) {
    host_shares shares(four_in_all);
    made_transfers made(shares);
    leat::testing::nursery group;
    for (std::uint64_t number = 1; number <= 6; ++number) {
        made.begin(group, number % 2 == 0 ? "a:80" : "b:80", number);
    }
    co_await leat::sleep(1ms);
    CHECK(made.begun == numbers{1, 2, 3, 4});
    CHECK(shares.waiting() == 2);
    made.end(3);
    co_await leat::sleep(1ms);
    CHECK(made.begun == numbers{1, 2, 3, 4, 5});
    made.end(1);
    co_await leat::sleep(1ms);
    CHECK(made.begun == numbers{1, 2, 3, 4, 5, 6});
    for (const std::uint64_t number : {2U, 4U, 5U, 6U}) {
        made.end(number);
    }
    co_await group.wait();
    CHECK(shares.under_way() == 0);
}

LEAT_TEST("a host that has its share lets the jobs of others pass", on(simulated)) {
    host_shares shares({.transfers = 4, .per_host = 1, .open = 100, .ahead = 3});
    made_transfers made(shares);
    leat::testing::nursery group;
    made.begin(group, "a:80", 1);
    made.begin(group, "a:80", 2);
    made.begin(group, "a:80", 3);
    made.begin(group, "b:80", 4);
    co_await leat::sleep(1ms);
    CHECK(made.begun == numbers{1, 4});
    co_await shares.wait_for_room();  // two wait for a
    made.begin(group, "a:80", 5);
    co_await leat::sleep(1ms);
    CHECK_FALSE(co_await leat::move_on_after(1s, shares.wait_for_room()));
    made.end(1);
    co_await leat::sleep(1ms);
    CHECK(made.begun == numbers{1, 4, 2});
    co_await shares.wait_for_room();
    for (const std::uint64_t number : {2U, 3U, 4U, 5U}) {
        made.end(number);
    }
    co_await group.wait();
}

LEAT_TEST("trouble lowers the share of its host once for all that were under way, success raises it",
          on(simulated)) {
    host_shares shares({.transfers = 100, .per_host = 8, .open = 100, .ahead = 3});
    made_transfers made(shares);
    leat::testing::nursery group;
    for (std::uint64_t number = 1; number <= 8; ++number) {
        made.begin(group, "a:80", number);
    }
    made.begin(group, "b:80", 9);
    co_await leat::sleep(1ms);
    for (std::uint64_t number = 1; number <= 8; ++number) {
        made.share(number).troubled();
    }
    CHECK(shares.limit_of("a:80") == 4);
    CHECK(shares.limit_of("b:80") == 8);
    for (int count = 0; count < 4; ++count) {
        made.share(1).succeeded();
    }
    CHECK(shares.limit_of("a:80") == 5);
    for (std::uint64_t number = 1; number <= 9; ++number) {
        made.end(number);
    }
    co_await leat::sleep(1ms);
    CHECK(shares.limit_of("a:80") == 5);
    co_await group.wait();
}

LEAT_TEST("a host that asks for a pause has one", on(simulated)) {
    host_shares shares(four_in_all);
    made_transfers made(shares);
    leat::testing::nursery group;
    auto timer = group.spawn([&] { return shares.keep_time(); });
    made.begin(group, "a:80", 1);
    co_await leat::sleep(1ms);
    const leat::time_point begin = leat::now();
    made.share(1).troubled(30s);
    made.end(1);
    made.begin(group, "a:80", 2);
    made.begin(group, "b:80", 3);
    co_await leat::sleep(29s);
    CHECK(made.begun == numbers{1, 3});
    while (made.begun.size() < 3) {
        co_await leat::sleep(10ms);
    }
    CHECK(leat::now() - begin >= 30s);
    CHECK(leat::now() - begin < 31s);
    made.end(2);
    made.end(3);
    timer.cancel();
    co_await group.wait();
}

LEAT_TEST("transfers to which nothing comes hold up no other host", on(simulated)) {
    host_shares shares(four_in_all);
    made_transfers made(shares);
    leat::testing::nursery group;
    auto timer = group.spawn([&] { return shares.keep_time(); });
    for (std::uint64_t number = 1; number <= 5; ++number) {
        made.begin(group, "silent:80", number);
    }
    made.begin(group, "b:80", 6);
    co_await leat::sleep(1s);
    CHECK(made.begun == numbers{1, 2, 3, 4});
    co_await leat::sleep(8s);
    CHECK(made.begun == numbers{1, 2, 3, 4, 6});
    made.share(1).moved();
    for (std::uint64_t number = 1; number <= 6; ++number) {
        made.end(number);
    }
    co_await leat::sleep(1s);
    CHECK(made.begun.size() == 6);
    timer.cancel();
    co_await group.wait();
}

LEAT_TEST("a share that was asked for in vain is left to others", on(simulated)) {
    host_shares shares({.transfers = 1, .per_host = 1, .open = 1, .ahead = 3});
    {
        const host_share held = co_await shares.acquire("a:80", 1);
        CHECK_FALSE((co_await leat::move_on_after(1s, shares.acquire("a:80", 2))).has_value());
        CHECK(shares.waiting() == 0);
    }
    const host_share next = co_await shares.acquire("a:80", 3);
    CHECK(shares.under_way() == 1);
}

LEAT_TEST("of very many hosts that were in trouble not all are remembered", on(simulated)) {
    host_shares shares(four_in_all);
    for (std::uint64_t number = 1; number <= 3 * host_shares::remembered_max; ++number) {
        host_share one = co_await shares.acquire(std::to_string(number) + ".example:80", number);
        one.troubled(number % 2 == 0 ? std::optional<leat::duration>(1h) : std::nullopt);
    }
    CHECK(shares.remembered() == host_shares::remembered_max);
    // One that is paused has its pause as long as somebody waits for it.
    CHECK_FALSE((co_await leat::move_on_after(1min, shares.acquire("2.example:80", 1))).has_value());
}
