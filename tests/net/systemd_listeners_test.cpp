// SPDX-License-Identifier: MIT
// systemd_listeners(): what a service manager has passed, as sd_listen_fds(3) says. Each case is a process of
// its own, in which the descriptors from 3 on are what it wants.
#include <leat/systemd_listeners.hpp>

#include "../crash/child_process.hpp"
#include "../support/folder.hpp"

#include <leat/net.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

using leat::testing::run_in_child;

namespace {

// What a manager has opened and what it says of it.
struct passing {
    std::vector<int> descriptors = {};
    std::string count = "";  // empty: as many as there are
    const char* names = nullptr;
    std::string process = "";  // empty: this one
};

void set_variables(const passing& what, const std::string& own) {
    ::setenv("LISTEN_PID", what.process.empty() ? own.c_str() : what.process.c_str(), 1);
    const std::string as_many = std::to_string(what.descriptors.size());
    ::setenv("LISTEN_FDS", what.count.empty() ? as_many.c_str() : what.count.c_str(), 1);
    if (what.names != nullptr) {
        ::setenv("LISTEN_FDNAMES", what.names, 1);
    }
}

// What `use` writes to standard error in a process that was started so.
std::string told(const passing& what, const std::function<std::string()>& use) {
    return run_in_child([&] {
               std::vector<int> high;
               for (const int each : what.descriptors) {
                   high.push_back(::fcntl(each, F_DUPFD, 100));
               }
               ::close_range(3, 99, 0);
               for (std::size_t i = 0; i < high.size(); ++i) {
                   ::dup2(high[i], 3 + static_cast<int>(i));
               }
               set_variables(what, std::to_string(::getpid()));
               std::string text;
               try {
                   text = use();
               } catch (const std::exception& error) {
                   text = error.what();
               }
               std::fputs(text.c_str(), stderr);
           })
        .errors;
}

std::string names_passed() {
    std::string all;
    for (const std::string& each : leat::systemd_listeners().names()) {
        all += each + ";";
    }
    return all;
}

std::string describe(leat::passed_listeners& passed) {
    std::string all;
    while (const auto listener = passed.take_tcp()) {
        all += "tcp " + listener->local_endpoint().address().to_string() + ";";
    }
    while (const auto listener = passed.take_unix()) {
        all += "unix " + std::string(listener->local_endpoint().name()) + ";";
    }
    while (const auto socket = passed.take_udp()) {
        all += "udp " + socket->local_endpoint().address().to_string() + ";";
    }
    return all + std::to_string(passed.size()) + " left";
}

}  // namespace

TEST_CASE("passed sockets are taken by their kind, and what is none of these stays") {
    const leat::testing::folder folder;
    const auto tcp = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto other_tcp = leat::tcp_listener::bind({"::1", 0});
    const auto local = leat::unix_listener::bind(folder.path() + "/socket");
    const auto udp = leat::udp_socket::bind({"127.0.0.1", 0});
    const std::string text = told({.descriptors = {udp.native_handle(), STDERR_FILENO, local.native_handle(),
                                                   tcp.native_handle(), other_tcp.native_handle()}},
                                  [] {
                                      leat::passed_listeners passed = leat::systemd_listeners();
                                      std::string all = describe(passed);
                                      return all + (passed.take_any() ? "" : " nothing");
                                  });
    CHECK(text == "tcp 127.0.0.1;tcp ::1;unix " + folder.path() + "/socket;udp 127.0.0.1;1 left");
}

TEST_CASE("passed sockets have names, and are taken by them") {
    const auto one = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto two = leat::tcp_listener::bind({"127.0.0.2", 0});
    const passing both{.descriptors = {one.native_handle(), two.native_handle()}, .names = "http:admin"};
    CHECK(told(both, names_passed) == "http;admin;");
    const std::string text = told(both, [] {
        leat::passed_listeners passed = leat::systemd_listeners();
        const bool none = passed.take_unix("admin").has_value() || passed.take_tcp("metrics").has_value();
        return passed.take_tcp("admin")->local_endpoint().address().to_string() + (none ? " and more" : "");
    });
    CHECK(text == "127.0.0.2");
    CHECK(told({.descriptors = {one.native_handle()}}, names_passed) == "unknown;");
    CHECK(told({.descriptors = {one.native_handle()}, .names = ""}, names_passed) == ";");
}

TEST_CASE("what was passed is closed in children, and a second call and children find nothing") {
    const auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string text = told({.descriptors = {listener.native_handle()}, .names = "a"}, [] {
        const auto taken = leat::systemd_listeners().take_tcp();
        std::string all = std::to_string(taken->native_handle());
        all += (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 ? " closed on exec" : "";
        all += (::fcntl(3, F_GETFL) & O_NONBLOCK) != 0 ? " non-blocking" : "";
        for (const char* each : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
            all += std::getenv(each) != nullptr ? each : "";
        }
        return all + (leat::systemd_listeners().empty() ? "" : " twice");
    });
    CHECK(text == "3 closed on exec non-blocking");
}

TEST_CASE("what nobody takes is closed with its owner") {
    const auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string text = told({.descriptors = {listener.native_handle()}}, [] {
        (void)leat::systemd_listeners();
        return std::string(::fcntl(3, F_GETFD) < 0 ? "closed" : "open");
    });
    CHECK(text == "closed");
}

TEST_CASE("variables for another process, or none, pass nothing, and leave descriptors alone") {
    const auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto nothing = [] {
        const bool empty = leat::systemd_listeners().empty();
        return std::string(empty && ::fcntl(3, F_GETFD) == 0 ? "nothing" : "something") +
               (std::getenv("LISTEN_FDS") != nullptr ? ", again" : "");
    };
    CHECK(told({.descriptors = {listener.native_handle()}, .process = "1"}, nothing) == "nothing");
    CHECK(told({.descriptors = {listener.native_handle()}, .count = "0"}, nothing) == "nothing");
    CHECK(leat::systemd_listeners().empty());
}

TEST_CASE("variables that contradict themselves or the descriptors are an error that names them") {
    const auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::vector<int> one{listener.native_handle()};
    CHECK(told({.descriptors = one, .count = "2"}, names_passed) ==
          "LISTEN_FDS is 2, but descriptor 4 is not open");
    CHECK(told({.descriptors = one, .count = "-1"}, names_passed) == "LISTEN_FDS is no number: \"-1\"");
    CHECK(told({.descriptors = one, .count = "1x"}, names_passed) == "LISTEN_FDS is no number: \"1x\"");
    CHECK(told({.descriptors = one, .count = "4294967295"}, names_passed) ==
          "LISTEN_FDS is too large: 4294967295");
    CHECK(told({.descriptors = one, .process = "me"}, names_passed) == "LISTEN_PID is no number: \"me\"");
    CHECK(told({.descriptors = one, .names = "a:b"}, names_passed) ==
          "LISTEN_FDNAMES has 2 names, but LISTEN_FDS is 1");
}
