// SPDX-License-Identifier: MIT
// command_line: what a program takes from its command line, and what those of the examples share: options
// of servers and clients, exit statuses, and the line that says where a server listens. CLI11 does the
// work; it is included by command_line.cpp only, because it takes longer to compile than an example.
#pragma once

#include <leat/net.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace examples {

// What an argument must be.
enum class kind { text, address, network, existing_file, existing_directory, target };

// Options are named "--port", "-i,--input-file"; arguments that go by their place have no dashes. A value is
// its own default, and must live until parse() has returned.
class command_line {
public:
    command_line(const char* program, const char* purpose);
    ~command_line();

    void add(const char* name, std::string& value, const char* help, kind of = kind::text);
    void add(const char* name, std::vector<std::string>& values, const char* help, kind of = kind::text);
    void add(const char* name, int& value, const char* help, int least, int most);
    void add(const char* name, double& value, const char* help, double least, double most);
    // Separated by commas.
    void add(const char* name, std::vector<int>& values, const char* help, int least, int most);
    void add_flag(const char* name, bool& value, const char* help);
    void add_required(const char* name, std::string& value, const char* help);
    // One of `choices`.
    void add(const char* name, std::string& value, const char* help, std::vector<std::string> choices);
    // --backend
    void add_backend(std::string& value);
    [[nodiscard]] std::string program() const;

    // True: go on. Otherwise `status` is what main returns: 0 after --help, 1 when that could not be written,
    // 2 for bad arguments, which are explained in one line.
    [[nodiscard]] bool parse(int argc, char** argv, int& status);

private:
    std::unique_ptr<CLI::App> app_;
};

// A server in the background, or, without a command, in the foreground.
struct service_options {
    std::string command = {};  // start, stop, restart, status
    std::string pid_file = {};
    std::string log_file = {};

    // --daemon, --pid-file, --log-file. Unless set, the pid file is PROGRAM.pid in the current directory.
    void add_to(command_line& command_line);
};

// What main() of a server does once its command line is parsed: calls `serve`, here or as a daemon, or does
// what else --daemon says. Gives the exit status; those of `status` are 0 if it runs, 1 if it is dead and has
// left a pid file, 3 if it does not run, and 4 if that cannot be told.
int run_service(const service_options& options, const std::function<int()>& serve);

struct server_options {
    std::string host;
    int port;
    std::string backend;
    service_options service = {};

    // --host, --port, --backend, and those of service_options
    void add_to(command_line& command);
    // The listener that systemd has passed, when there is one, else one at host and port.
    [[nodiscard]] leat::tcp_listener listen(leat::tcp_listen_options how = {}) const;
};

// The next listener that systemd has passed to this program (socket activation), or one that is bound.
[[nodiscard]] leat::tcp_listener passed_or_bound(const leat::endpoint& at, leat::tcp_listen_options how = {});

// A program with the usual options of a server: parses them and runs `body(options)`.
template <typename Body>
int run_server(const char* program, const char* purpose, server_options options, int argc, char** argv,
               Body body) {
    command_line command(program, purpose);
    options.add_to(command);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return run_service(options.service, [&] {
        return leat::run_main([&] { return body(options); }, {.backend = options.backend});
    });
}

// A program with --backend alone: runs `body()`.
template <typename Body>
int run_program(const char* program, const char* purpose, int argc, char** argv, Body body) {
    command_line command(program, purpose);
    std::string backend;
    command.add_backend(backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return leat::run_main(std::move(body), {.backend = backend});
}

// "listening on HOST:PORT", at once, so that whoever started the server can read the port. Said once the
// server can be stopped: by serve_options::on_listening, or after a signal_set was made. Whoever
// started the server is told as well: `--daemon start`, or a service manager (sd_notify(3)), which is also
// told when it stops, and whose watchdog is kept content.
void announce(std::string_view where);
void announce(const std::vector<std::string>& places);  // of a server with several listeners

// HOST:PORT of a client's command line; HOST may be a name.
struct target {
    std::string host;
    int port = 0;
};

// Of an argument that was added as kind::target.
[[nodiscard]] target parse_target(const std::string& text);
[[nodiscard]] std::vector<target> parse_targets(const std::vector<std::string>& texts);

}  // namespace examples
