// SPDX-License-Identifier: MIT
// The code of docs/daemons.md, as it stands there.
#include "../crash/child_process.hpp"
#include "../support/environment.hpp"
#include "../support/folder.hpp"

#include <leat/net.hpp>
#include <leat/system/daemon.hpp>
#include <leat/system/notify.hpp>
#include <leat/system/prefork.hpp>
#include <leat/systemd_listeners.hpp>
#include <leat/testing/doctest.hpp>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace {

leat::task<> echo(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        co_await peer.send_all(chunk);
    }
}

// DAEMONS: begin
leat::task<> serve_as_a_service(leat::endpoint at) {
    auto passed = leat::systemd_listeners().take_tcp();
    auto listener = passed ? std::move(*passed) : leat::tcp_listener::bind(at);
    auto watchdog = leat::spawn(leat::keep_watchdog());
    co_await leat::serve(std::move(listener), echo,
                         {.on_listening = [](std::string_view) { leat::notify_ready(); }});
    watchdog.cancel();
}
// DAEMONS: end

leat::task<> serve_when_ready() {
    ::alarm(60);  // a daemon that the test has lost
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    co_await leat::serve(std::move(listener), echo, {.on_listening = [](std::string_view where) {
                             std::printf("listening on %s\n", std::string(where).c_str());
                             leat::notify_ready();
                         }});
}

// DAEMONS: begin
int control(const std::string& command, const leat::daemon_options& files) {
    leat::daemon service(files);
    if (command == "start") {
        std::printf("%s", service.start([] { return leat::run_main(serve_when_ready); }).c_str());
        return 0;
    }
    if (command == "stop") {
        service.stop();
        return 0;
    }
    return static_cast<int>(service.status());  // 0 runs, 1 dead with a pid file left, 3 does not run
}
// DAEMONS: end

void say_so() {
    std::printf("ready\n");
    (void)std::fflush(stdout);
    ::raise(SIGTERM);  // which stops the supervisor
}

// DAEMONS: begin
int serve_in_processes(leat::endpoint at) {
    auto listener = leat::tcp_listener::bind(at);
    leat::prefork(
        0,  // as many as there are processors
        [listener = std::move(listener)](unsigned) mutable { return leat::serve(std::move(listener), echo); },
        {.on_ready = say_so});
    return 0;
}
// DAEMONS: end

// A service manager that has bound a socket of the Unix domain to be told at.
leat::fd notify_socket_at(const std::string& name) {
    leat::fd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const auto at = leat::unix_endpoint::abstract(name);
    REQUIRE(::bind(made.get(), at.data(), at.size()) == 0);
    return made;
}

}  // namespace

LEAT_TEST("the service of the page is ready when it says so, and stops on SIGTERM", on(kernel)) {
    const std::string name = "leat-page-" + std::to_string(::getpid());
    const leat::fd systemd = notify_socket_at(name);
    const leat::testing::changed_variable where("NOTIFY_SOCKET", ("@" + name).c_str());
    leat::testing::nursery tasks;
    auto serving = tasks.spawn([&] { return serve_as_a_service({"127.0.0.1", 0}); });
    char heard[32] = {};
    co_await leat::readable(systemd.get());
    const ssize_t size = ::recv(systemd.get(), heard, sizeof heard, 0);
    CHECK(std::string_view(heard, static_cast<std::size_t>(size)) == "READY=1");
    ::kill(::getpid(), SIGTERM);
    co_await serving;
}

TEST_CASE("the daemon of the page is started, runs, and is stopped") {
    const leat::testing::folder folder;
    const std::string pid_file = folder.path() + "/pid";
    const auto child = leat::testing::run_in_child([&] {
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        for (const char* command : {"status", "start", "status", "stop", "status"}) {
            std::printf("%s %d\n", command, control(command, {.pid_file = pid_file}));
        }
        (void)std::fflush(stdout);
    });
    const std::string head = "status 3\nlistening on 127.0.0.1:";
    CHECK(child.errors.starts_with(head));
    CHECK(child.errors.ends_with("\nstart 0\nstatus 0\nstop 0\nstatus 3\n"));
}

TEST_CASE("the worker processes of the page are ready, and end on SIGTERM") {
    const auto child = leat::testing::run_in_child([] {
        std::signal(SIGTERM, SIG_DFL);  // doctest has one of its own
        ::dup2(STDERR_FILENO, STDOUT_FILENO);
        return serve_in_processes({"127.0.0.1", 0});
    });
    CHECK(child.errors == "ready\n");
    CHECK(child.status == 0);
}
