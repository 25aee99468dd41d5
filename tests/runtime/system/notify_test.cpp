// SPDX-License-Identifier: MIT
// notify_ready() and its like: the datagrams that a service manager gets. The manager is a socket of the
// test.
#include <leat/system/notify.hpp>

#include "../../support/environment.hpp"
#include "../../support/folder.hpp"
#include "notify_socket.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>

#include <unistd.h>

using namespace std::chrono_literals;
using leat::testing::changed_variable;
using leat::testing::notify_socket;

TEST_CASE("each of the notify functions sends its datagram, to a path and to an abstract name") {
    const leat::testing::folder folder;
    for (const std::string& path : {std::string(), folder.path() + "/notify"}) {
        const notify_socket systemd(path);
        const changed_variable where("NOTIFY_SOCKET", systemd.where());
        CHECK(leat::notify_ready());
        CHECK(systemd.heard() == "READY=1");
        CHECK(leat::notify_stopping());
        CHECK(systemd.heard() == "STOPPING=1");
        CHECK(leat::notify_status("2 clients"));
        CHECK(systemd.heard() == "STATUS=2 clients");
        CHECK(leat::notify_main_pid(77));
        CHECK(systemd.heard() == "MAINPID=77");
        CHECK(leat::notify_reloading());
        CHECK(std::regex_match(systemd.heard(), std::regex("RELOADING=1\nMONOTONIC_USEC=[0-9]+")));
        CHECK(leat::notify("EXTEND_TIMEOUT_USEC=5000000\nX_WHEEL=1"));
        CHECK(systemd.heard() == "EXTEND_TIMEOUT_USEC=5000000\nX_WHEEL=1");
        CHECK(systemd.heard() == "");
    }
}

TEST_CASE("without a service manager nothing is told, and that is no error") {
    for (const char* none : {static_cast<const char*>(nullptr), ""}) {
        const changed_variable where("NOTIFY_SOCKET", none);
        CHECK_FALSE(leat::notify_ready());
        CHECK_FALSE(leat::notify_status("idle"));
    }
}

TEST_CASE("a status of several lines is refused: it would be assignments of its own") {
    const notify_socket systemd;
    const changed_variable where("NOTIFY_SOCKET", systemd.where());
    CHECK_THROWS_AS(leat::notify_status("well\nMAINPID=1"), std::invalid_argument);
    CHECK(systemd.heard() == "");
}

TEST_CASE("a socket of a service manager that is not there is an error that names it") {
    const leat::testing::folder folder;
    const std::string gone = folder.path() + "/gone";
    const std::string long_path = "/" + std::string(108, 'x');
    const auto error_of = [](const std::string& where) {
        const changed_variable variable("NOTIFY_SOCKET", where.c_str());
        try {
            leat::notify_ready();
        } catch (const std::system_error& error) {
            CHECK(std::string(error.what()).starts_with("notify the service manager at " + where + ": "));
            return error.code();
        }
        return std::error_code();
    };
    CHECK(error_of(gone) == std::errc::no_such_file_or_directory);
    CHECK(error_of("@leat nobody has this name") == std::errc::connection_refused);
    CHECK(error_of("relative") == std::errc::address_family_not_supported);
    CHECK(error_of("vsock:2:1234") == std::errc::address_family_not_supported);
    CHECK(error_of("/") == std::errc::invalid_argument);
    CHECK(error_of(long_path) == std::errc::invalid_argument);
    CHECK(error_of("/" + std::string(106, 'x')) == std::errc::no_such_file_or_directory);
}

TEST_CASE("the watchdog's interval is there for this process only") {
    const std::string own = std::to_string(::getpid());
    const changed_variable microseconds("WATCHDOG_USEC", "3000000");
    {
        const changed_variable process("WATCHDOG_PID", nullptr);
        CHECK(leat::watchdog_interval() == leat::duration(3s));
    }
    {
        const changed_variable process("WATCHDOG_PID", own.c_str());
        CHECK(leat::watchdog_interval() == leat::duration(3s));
    }
    const changed_variable process("WATCHDOG_PID", "1");
    CHECK(leat::watchdog_interval() == std::nullopt);
}

TEST_CASE("a watchdog that is off has no interval, and one that is no number is an error") {
    const changed_variable process("WATCHDOG_PID", nullptr);
    for (const char* off : {static_cast<const char*>(nullptr), "0"}) {
        const changed_variable microseconds("WATCHDOG_USEC", off);
        CHECK(leat::watchdog_interval() == std::nullopt);
    }
    for (const char* wrong : {"", "3s", "-1", "18446744073709551616"}) {
        const changed_variable microseconds("WATCHDOG_USEC", wrong);
        CHECK_THROWS_AS((void)leat::watchdog_interval(), std::runtime_error);
    }
    const changed_variable microseconds("WATCHDOG_USEC", "18446744073709551615");
    CHECK(leat::watchdog_interval() == leat::duration::max());
}

LEAT_TEST("keep_watchdog pings at half the interval, as long as the loop runs", on(simulated)) {
    const notify_socket systemd;
    const changed_variable where("NOTIFY_SOCKET", systemd.where());
    const changed_variable process("WATCHDOG_PID", nullptr);
    const changed_variable microseconds("WATCHDOG_USEC", "2000000");
    const bool ended = co_await leat::move_on_after(3500ms, leat::keep_watchdog());
    CHECK_FALSE(ended);
    for (int ping = 0; ping < 4; ++ping) {  // after 0, 1, 2 and 3 s
        CHECK(systemd.heard() == "WATCHDOG=1");
    }
    CHECK(systemd.heard() == "");
}

LEAT_TEST("keep_watchdog ends at once where no watchdog is wanted", on(simulated)) {
    const changed_variable microseconds("WATCHDOG_USEC", nullptr);
    const auto before = leat::now();
    co_await leat::keep_watchdog();
    CHECK(leat::now() == before);
}
