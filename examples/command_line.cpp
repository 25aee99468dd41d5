// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include <leat/network.hpp>
#include <leat/system/daemon.hpp>
#include <leat/system/notify.hpp>
#include <leat/systemd_listeners.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>

namespace examples {

namespace {

std::optional<target> read_target(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    target read{text.substr(0, colon), 0};
    if (read.host.size() > 2 && read.host.front() == '[' && read.host.back() == ']') {
        read.host = read.host.substr(1, read.host.size() - 2);
    }
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, read.port);
    if (error != std::errc() || stopped != end || read.host.empty() || read.port < 1 || read.port > 65535) {
        return std::nullopt;
    }
    return read;
}

void demand(CLI::Option& option, kind of) {
    switch (of) {
        case kind::text:
            return;
        case kind::address:
            option.check(
                [](const std::string& text) {
                    return leat::address::try_parse(text).ok() ? std::string()
                                                               : "'" + text + "' is not an IP address";
                },
                "ADDRESS");
            return;
        case kind::network:
            option.check(
                [](const std::string& text) {
                    return leat::network::try_parse(text).ok() ? std::string()
                                                               : "'" + text + "' is not a network";
                },
                "NETWORK");
            return;
        case kind::existing_file:
            option.check(CLI::ExistingFile);
            return;
        case kind::existing_directory:
            option.check(CLI::ExistingDirectory);
            return;
        case kind::target:
            option.check(
                [](const std::string& text) {
                    return read_target(text) ? std::string() : "'" + text + "' is not HOST:PORT";
                },
                "HOST:PORT");
            return;
    }
}

int print_status(const leat::daemon& service) {
    const leat::daemon_status status = service.status();
    switch (status) {
        case leat::daemon_status::running:
            std::printf("running, process id %d\n", static_cast<int>(service.process()));
            break;
        case leat::daemon_status::dead:
            std::printf("not running, but its pid file is there\n");
            break;
        case leat::daemon_status::stopped:
            std::printf("not running\n");
            break;
    }
    return static_cast<int>(status);
}

void print_end(leat::daemon_end end) {
    switch (end) {
        case leat::daemon_end::was_not_running:
            std::printf("was not running\n");
            break;
        case leat::daemon_end::ended:
            std::printf("stopped\n");
            break;
        case leat::daemon_end::killed:
            std::printf("did not stop, and was killed\n");
            break;
    }
}

// The server has made its own set before: both get the signal.
leat::task<> tell_when_stopping() {
    leat::signal_set stopping(leat::not_ignored({SIGINT, SIGTERM}));
    co_await stopping.next();
    leat::notify_stopping();
}

}  // namespace

command_line::command_line(const char* program, const char* purpose)
    : app_(std::make_unique<CLI::App>(purpose, program)) {}

command_line::~command_line() = default;

void command_line::add(const char* name, std::string& value, const char* help, kind of) {
    CLI::Option* const option = app_->add_option(name, value, help);
    demand(*option, of);
    if (!value.empty()) {
        option->capture_default_str();
    }
}

void command_line::add(const char* name, std::vector<std::string>& values, const char* help, kind of) {
    CLI::Option* const option = app_->add_option(name, values, help);
    demand(*option, of);
    if (!values.empty()) {
        option->capture_default_str();
    }
}

void command_line::add(const char* name, int& value, const char* help, int least, int most) {
    app_->add_option(name, value, help)->capture_default_str()->check(CLI::Range(least, most));
}

void command_line::add(const char* name, double& value, const char* help, double least, double most) {
    app_->add_option(name, value, help)->capture_default_str()->check(CLI::Range(least, most));
}

void command_line::add(const char* name, std::vector<int>& values, const char* help, int least, int most) {
    app_->add_option(name, values, help)
        ->delimiter(',')
        ->check(CLI::Range(least, most))
        ->capture_default_str();
}

void command_line::add_flag(const char* name, bool& value, const char* help) {
    app_->add_flag(name, value, help);
}

void command_line::add_required(const char* name, std::string& value, const char* help) {
    app_->add_option(name, value, help)->required();
}

void command_line::add(const char* name, std::string& value, const char* help,
                       std::vector<std::string> choices) {
    app_->add_option(name, value, help)->check(CLI::IsMember(std::move(choices)));
}

void command_line::add_backend(std::string& value) {
    add("--backend", value, "auto, uring, epoll or poll", {"auto", "uring", "epoll", "poll"});
}

std::string command_line::program() const {
    return app_->get_name();
}

bool command_line::parse(int argc, char** argv, int& status) {
    try {
        app_->parse(argc, argv);
        return true;
    } catch (const CLI::Success& shown) {
        status = app_->exit(shown);
        std::cout.flush();
        if (!std::cout || std::fflush(stdout) != 0) {
            std::fprintf(stderr, "%s: cannot write to standard output\n", app_->get_name().c_str());
            status = 1;
        }
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "%s: %s\n", app_->get_name().c_str(), error.what());
        status = 2;
    }
    return false;
}

void service_options::add_to(command_line& command_line) {
    if (pid_file.empty()) {
        pid_file = command_line.program() + ".pid";
    }
    command_line.add("--daemon", command, "in the background: start, stop, restart or status",
                     {"start", "stop", "restart", "status"});
    command_line.add("--pid-file", pid_file, "names the process in the background");
    command_line.add("--log-file", log_file, "where the one in the background writes");
}

int run_service(const service_options& options, const std::function<int()>& serve) {
    if (options.command.empty()) {
        return serve();
    }
    try {
        leat::daemon service({.pid_file = options.pid_file, .log_file = options.log_file});
        if (options.command == "status") {
            return print_status(service);
        }
        if (options.command != "start") {
            print_end(service.stop());
        }
        if (options.command != "stop") {
            std::printf("%s", service.start(serve).c_str());
        }
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return options.command == "status" ? 4 : 1;
    }
}

void server_options::add_to(command_line& command) {
    command.add("--host", host, "address to listen on", kind::address);
    command.add("--port", port, "port to listen on; 0 picks a free one", 0, 65535);
    command.add_backend(backend);
    service.add_to(command);
}

leat::tcp_listener server_options::listen(leat::tcp_listen_options how) const {
    return passed_or_bound({host, port}, how);
}

leat::tcp_listener passed_or_bound(const leat::endpoint& at, leat::tcp_listen_options how) {
    static leat::passed_listeners passed = leat::systemd_listeners();
    if (auto next = passed.take_tcp()) {
        return std::move(*next);
    }
    if (!passed.empty()) {
        throw std::runtime_error("systemd has passed a socket that is no TCP listener");
    }
    return leat::tcp_listener::bind(at, how);
}

void announce(std::string_view where) {
    announce(std::vector<std::string>{std::string(where)});
}

void announce(const std::vector<std::string>& places) {
    for (const std::string& where : places) {
        std::printf("listening on %s\n", where.c_str());
    }
    std::fflush(stdout);
    if (leat::notify_ready()) {
        leat::spawn(leat::keep_watchdog());
        leat::spawn(tell_when_stopping);
    }
}

target parse_target(const std::string& text) {
    return read_target(text).value();
}

std::vector<target> parse_targets(const std::vector<std::string>& texts) {
    std::vector<target> targets;
    for (const std::string& text : texts) {
        targets.push_back(parse_target(text));
    }
    return targets;
}

}  // namespace examples
