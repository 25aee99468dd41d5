// SPDX-License-Identifier: MIT
// Listeners that are bound outside of a run: runs, and forked processes, use them afterwards.
#include "../crash/child_process.hpp"
#include "../support/folder.hpp"
#include "../support/on_each_backend.hpp"

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <system_error>

using leat::tcp_listener;
using leat::unix_listener;

namespace {

leat::task<> accept_one(tcp_listener& listener) {
    auto client = co_await leat::tcp_stream::connect(listener.local_endpoint());
    auto server = co_await listener.accept();
    co_await client.send_all("ping");
    char text[4] = {};
    co_await server.recv_exactly(text);
    CHECK(std::string_view(text, sizeof text) == "ping");
}

}  // namespace

TEST_CASE("a listener that is bound outside of a run accepts in one run after another") {
    support::on_each_backend([](const std::string& backend) {
        auto listener = tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint at = listener.local_endpoint();
        CHECK(at.port() != 0);
        for (int run = 0; run < 2; ++run) {
            leat::run([&] { return accept_one(listener); }, {.backend = backend});
            CHECK(listener.local_endpoint() == at);
        }
    });
}

TEST_CASE("binding outside of a run says what is wrong as inside") {
    const auto taken = tcp_listener::bind({"127.0.0.1", 0});
    try {
        (void)tcp_listener::bind(taken.local_endpoint());
        FAIL("the port is taken");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::address_in_use);
        CHECK(std::string(error.what()).starts_with("listen on " + taken.local_endpoint().to_string()));
    }
}

TEST_CASE("the file of a Unix socket goes with the listener that made it, not with a forked copy of it") {
    const leat::testing::folder folder;
    const std::string path = folder.path() + "/socket";
    {
        auto listener = unix_listener::bind(path);
        const auto child = leat::testing::run_in_child([&] { listener.close(); });
        CHECK(child.status == 0);
        CHECK(std::filesystem::exists(path));
        auto moved = std::move(listener);
        CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}
