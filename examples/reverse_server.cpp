// SPDX-License-Identifier: MIT
// Requests and replies that begin with their length in digits: "00005abcde" is answered by "00005edcba". The
// only thing of this server's own is what it does with the text of a request.
#include "command_line.hpp"

#include <leat/framing.hpp>
#include <leat/serve_messages.hpp>

namespace {

struct reverse_options : examples::server_options {
    int digits = 5;
    int limit = 1 << 20;
    int connections = 10'000;
    int backlog = SOMAXCONN;
};

std::string reversed(std::string_view text) {
    return {text.rbegin(), text.rend()};
}

// Why a connection was ended, also by its client.
void log_reason(std::exception_ptr error, std::optional<leat::endpoint> peer) {
    const std::string name = peer.has_value() ? peer->to_string() : "a client";
    try {
        std::rethrow_exception(std::move(error));
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "%s: %s\n", name.c_str(), thrown.what());
    } catch (...) {
        std::fprintf(stderr, "%s: the handler failed\n", name.c_str());
    }
}

leat::task<> serve(const reverse_options& options) {
    auto listener = options.listen({.backlog = options.backlog});
    const auto format = leat::message_format::with_digits(
        options.digits, {.limit = static_cast<std::size_t>(options.limit), .empty = false});
    co_await leat::serve_messages(std::move(listener), format, reversed,
                                  {.connections = static_cast<std::size_t>(options.connections),
                                   .on_listening = examples::announce,
                                   .on_error = log_reason});
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("reverse_server", "Reverses texts that begin with their length.");
    reverse_options options{{.host = "0.0.0.0", .port = 9090, .backend = ""}};
    options.add_to(command);
    command.add("--digits", options.digits, "digits of a length", 1, 19);
    command.add("--limit", options.limit, "bytes of the longest text", 1, 1 << 30);
    command.add("--connections", options.connections, "connections at once; further clients wait", 1,
                1'000'000);
    command.add("--backlog", options.backlog, "clients that may wait to be accepted", 1, 1'000'000);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options); }, {.backend = options.backend});
    });
}
