// SPDX-License-Identifier: MIT
// A proxy that is not ours: tinyproxy, started here, which asks for a password and allows one port.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/system/process.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/folder.hpp"
#include "../echo.hpp"

#include <optional>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using leat::tcp_stream;
using leat::http::connect_by_proxy;
using leat::testing::kernel;

namespace {

struct tinyproxy {
    leat::process server;
    leat::endpoint place;

    [[nodiscard]] leat::task<tcp_stream> dial() const { return tcp_stream::connect(place); }
};

// Nothing where it is not installed. It cannot be given a port that is free: another one may take it before.
leat::task<std::optional<tinyproxy>> start_tinyproxy(const leat::testing::folder& files, int allowed) {
    auto taken = leat::tcp_listener::bind({"127.0.0.1", 0});
    tinyproxy made{.server = {}, .place = taken.local_endpoint()};
    const std::string settings = files.file(
        "settings", "Listen 127.0.0.1\nPort " + std::to_string(made.place.port()) +
                        "\nBasicAuth miller secret\nConnectPort " + std::to_string(allowed) + "\n");
    taken.close();
    try {
        made.server = leat::process::spawn({"tinyproxy", "-d", "-c", settings},
                                           {.output = leat::redirect::null, .errors = leat::redirect::null});
    } catch (const std::system_error& failure) {
        REQUIRE(failure.code() == std::errc::no_such_file_or_directory);
        co_return std::nullopt;
    }
    for (int tries = 0; tries < 1000; ++tries) {  // until it listens
        const auto tried = co_await leat::as_result(made.dial());
        if (tried.ok()) {
            co_return made;
        }
        REQUIRE(tried.error() == std::errc::connection_refused);
        co_await leat::sleep(10ms);
    }
    FAIL("tinyproxy does not begin to listen");
    co_return std::nullopt;
}

// What a connection to this port comes to, with this password.
leat::task<std::string> talk_by(const tinyproxy& by, int port, std::string password) {
    try {
        tcp_stream below = co_await by.dial();
        tcp_stream made =
            co_await connect_by_proxy(std::move(below), "127.0.0.1", port, "miller", std::move(password));
        co_await made.send_all("through");
        std::string back(7, ' ');
        co_await made.recv_exactly(back);
        co_return back;
    } catch (const std::system_error& failure) {
        const std::string what = failure.what();
        co_return what.substr(what.find("it answered"));
    }
}

}  // namespace

LEAT_TEST("a connection goes through tinyproxy, and what that refuses is an error", on(kernel)) {
    const leat::testing::folder files;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto closed = leat::tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    const auto by = co_await start_tinyproxy(files, port);
    if (!by) {
        MESSAGE("skipped: tinyproxy is not installed");
        co_return;
    }
    auto server = leat::spawn(leat::serve(std::move(listener), leat::testing::echo, {.stop_on = {}}));
    const std::string echoed = co_await talk_by(*by, port, "secret");
    CHECK(echoed == "through");
    const std::string wrong = co_await talk_by(*by, port, "wrong");
    CHECK(wrong == "it answered 401 Unauthorized");
    const std::string forbidden = co_await talk_by(*by, closed.local_endpoint().port(), "secret");
    CHECK(forbidden == "it answered 403 Forbidden");
    server.cancel();
    co_await server.join();
    const std::string unreachable = co_await talk_by(*by, port, "secret");
    CHECK(unreachable == "it answered 500 Internal Server Error");
}
