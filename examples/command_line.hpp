// SPDX-License-Identifier: MIT
// What the command lines of the examples share: options of servers and clients, exit statuses and the
// line that says where a server listens.
#pragma once

#include <leat/net.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace examples {

// Parses the command line. Returns 0 to go on; otherwise sets `status` to what main returns: 0 after
// --help, 2 for bad arguments, which are explained in one line.
inline bool parse(CLI::App& app, int argc, char** argv, int& status) {
    try {
        app.parse(argc, argv);
        return true;
    } catch (const CLI::Success& shown) {
        status = app.exit(shown);
    } catch (const CLI::ParseError& error) {
        std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
        status = 2;
    }
    return false;
}

inline void add_backend(CLI::App& app, std::string& backend) {
    app.add_option("--backend", backend, "auto, uring or epoll")
        ->check(CLI::IsMember({"auto", "uring", "epoll"}));
}

struct server_options {
    std::string host;
    int port;
    std::string backend;

    void add_to(CLI::App& app) {
        app.add_option("--host", host, "address to listen on")->capture_default_str();
        app.add_option("--port", port, "port to listen on; 0 picks a free one")
            ->capture_default_str()
            ->check(CLI::Range(0, 65535));
        add_backend(app, backend);
    }
};

// A program with the usual options of a server: parses them and runs `body(options)`.
template <typename Body>
int run_server(const char* name, const char* purpose, server_options options, int argc, char** argv,
               Body body) {
    CLI::App app(purpose, name);
    options.add_to(app);
    int status = 0;
    if (!parse(app, argc, argv, status)) {
        return status;
    }
    return leat::run_main([&] { return body(options); }, {.backend = options.backend});
}

// "listening on HOST:PORT", at once, so that whoever started the server can read the port.
inline void announce(const leat::tcp_listener& listener) {
    std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
    std::fflush(stdout);
}

// HOST:PORT of a client's command line; HOST may be a name.
struct target {
    std::string host;
    int port = 0;
};

inline target parse_target(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    int port = 0;
    const bool number = colon != std::string::npos && CLI::detail::lexical_cast(text.substr(colon + 1), port);
    if (!number || host.empty() || port < 1 || port > 65535) {
        throw CLI::ValidationError("'" + text + "' is not HOST:PORT");
    }
    return {host, port};
}

inline std::vector<target> parse_targets(const std::vector<std::string>& texts) {
    std::vector<target> targets;
    for (const std::string& text : texts) {
        targets.push_back(parse_target(text));
    }
    return targets;
}

inline const CLI::Validator is_target(
    [](std::string& text) {
        try {
            (void)parse_target(text);
            return std::string();
        } catch (const CLI::ValidationError& error) {
            return std::string(error.what());
        }
    },
    "HOST:PORT");

}  // namespace examples
