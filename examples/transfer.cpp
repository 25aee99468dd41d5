// SPDX-License-Identifier: MIT
// Large messages that end with a terminator, over several connections at once. The client notices every way
// in which a server can vanish, says which connection is dead and why, and goes on with the others.
//
//   transfer serve                               sends 3 messages of 3 MiB to whoever says "start"
//   transfer connect 127.0.0.1:9000 --messages 3
#include "transfer.hpp"

#include <chrono>
#include <string_view>
#include <vector>

#include <netinet/tcp.h>

using transfer::print_line;

namespace {

struct client_options {
    std::string server = "127.0.0.1:9000";
    int connections = 3;
    int messages = 3;
    int bind_port = 0;
    double idle = 5;
    std::string backend;
};

// The kernel of a host that is gone answers neither probes nor data: an error after 4 s, which tells it from
// a hung process.
void probe_when_idle(leat::tcp_stream& connection) {
    connection.set_keep_alive(true);
    connection.set_option(IPPROTO_TCP, TCP_KEEPIDLE, 1);
    connection.set_option(IPPROTO_TCP, TCP_KEEPINTVL, 1);
    connection.set_option(IPPROTO_TCP, TCP_KEEPCNT, 3);
    connection.set_option(IPPROTO_TCP, TCP_USER_TIMEOUT, 4000);
}

leat::task<leat::tcp_stream> connect(const client_options& options, int number, leat::duration limit) {
    const examples::target where = examples::parse_target(options.server);
    leat::tcp_connect_options how{.timeout = limit};
    if (options.bind_port != 0) {
        const bool ipv6 = where.host.find(':') != where.host.npos;
        how.local = leat::endpoint(ipv6 ? "::" : "0.0.0.0", options.bind_port + number - 1);
    }
    auto connection = co_await leat::tcp_stream::connect(where.host, where.port, how);
    probe_when_idle(connection);
    co_return connection;
}

// Whether all messages came over connection `number`.
leat::task<bool> receive_messages(const client_options& options, int number) {
    const std::string name = "connection " + std::to_string(number);
    const leat::duration idle = leat::saturate(std::chrono::duration<double>(options.idle));
    std::string reason = "the server has closed it";
    int received = 0;
    try {
        auto connection = co_await connect(options, number, idle);
        print_line(name + ": " + connection.local_endpoint().to_string() + " to " +
                   connection.remote_endpoint().to_string());
        leat::message_stream server(std::move(connection), transfer::with_terminator());
        server.reader().set_idle(idle);
        co_await server.send("start");
        while (received < options.messages) {
            const auto message = co_await server.recv();
            if (!message.has_value()) {
                break;
            }
            print_line(name + ": message " + std::to_string(++received) + " has " +
                       std::to_string(message->size()) + " bytes");
            co_await leat::timeout(idle, server.send(transfer::receipt_of(received)));
        }
        if (received == options.messages) {
            server.stream().shutdown_send();
            print_line(name + " is done");
            co_return true;
        }
    } catch (const std::system_error& error) {
        reason = error.what();
    }
    std::fprintf(stderr, "%s is dead after %d of %d messages: %s\n", name.c_str(), received, options.messages,
                 reason.c_str());
    co_return false;
}

leat::task<int> receive_all(const client_options& options) {
    std::vector<leat::handle<bool>> connections;
    for (int number = 1; number <= options.connections; ++number) {
        connections.push_back(leat::spawn(receive_messages, std::cref(options), number));
    }
    int status = 0;
    for (auto& each : connections) {
        const bool whole = co_await each;
        status = whole ? status : 1;
    }
    co_return status;
}

int connect_main(int argc, char** argv) {
    examples::command_line command("transfer connect", "Receives large messages over several connections.");
    client_options options;
    command.add("server", options.server, "where the server is", examples::kind::target);
    command.add("--connections", options.connections, "how many at once", 1, 10'000);
    command.add("--messages", options.messages, "messages from each", 1, 1'000'000);
    command.add("--bind-port", options.bind_port, "local port of the first; the others have the next ones", 0,
                65535);
    command.add("--idle", options.idle, "seconds without a byte until a connection is dead", 0.001, 86400);
    command.add_backend(options.backend);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    if (options.bind_port != 0 && options.bind_port + options.connections - 1 > 65535) {
        std::fprintf(stderr, "error: --bind-port: there are no %d ports from %d on\n", options.connections,
                     options.bind_port);
        return 2;
    }
    return leat::run_main([&] { return receive_all(options); }, {.backend = options.backend});
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "serve") {
        return transfer::serve_main(argc - 1, argv + 1);
    }
    if (mode == "connect") {
        return connect_main(argc - 1, argv + 1);
    }
    const bool help = mode == "--help" || mode == "-h";
    std::fprintf(help ? stdout : stderr,
                 "transfer: usage: transfer serve|connect [OPTIONS]; each has --help\n");
    return help ? 0 : 2;
}
