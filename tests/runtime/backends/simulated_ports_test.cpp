// SPDX-License-Identifier: MIT
// The ports of a simulated host, all of them.
#include <leat/net.hpp>
#include <leat/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <system_error>
#include <vector>

TEST_CASE("when no port is left to bind that is an error, until one is given back") {
    leat::testing::run_simulated([]() -> leat::task<> {
        std::vector<leat::tcp_listener> all;
        std::error_code error;
        while (!error) {
            try {
                all.push_back(leat::tcp_listener::bind({"127.0.0.1", 0}));
            } catch (const std::system_error& none_left) {
                error = none_left.code();
            }
        }
        CHECK(error == std::errc::address_in_use);
        CHECK(all.size() == 60999 - 32768 + 1);
        const leat::endpoint given_back = all[1000].local_endpoint();
        all.erase(all.begin() + 1000);
        const auto again = leat::tcp_listener::bind({"127.0.0.1", 0});
        CHECK(again.local_endpoint() == given_back);
        co_return;
    });
}
