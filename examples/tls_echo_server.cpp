// SPDX-License-Identifier: MIT
// Sends back whatever arrives, encrypted. A client that takes more than 10 s to shake hands, or that neither
// sends nor takes anything for a minute, is disconnected. When the server is stopped, each client gets the
// rest of its echo and a proper end.
#include "command_line.hpp"

#include <leat/tls.hpp>

#include <chrono>
#include <filesystem>

namespace {

struct tls_options : examples::server_options {
    std::string certificate;
    std::string key;
};

leat::task<> echo(leat::tls::stream<leat::tcp_stream> client) {
    while (const auto part = co_await leat::until_stop(client.recv_chunk())) {
        if (part->empty()) {
            break;
        }
        co_await client.send_all(*part);
    }
    co_await client.shutdown_send();  // without it a client cannot tell the end from a cut connection
}

leat::task<> serve(const tls_options& options) {
    const auto shown = leat::tls::context::server(
        {.certificate = leat::tls::pem::file(options.certificate), .key = leat::tls::pem::file(options.key)});
    leat::tls::listener listener(options.listen(), shown);
    co_await leat::serve(std::move(listener), echo,
                         {.idle = std::chrono::minutes(1), .on_listening = examples::announce});
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("tls_echo_server", "Sends back whatever arrives, encrypted.");
    tls_options options{{.host = "127.0.0.1", .port = 8443, .backend = ""}, {}, {}};
    options.add_to(command);
    command.add_required("--certificate", options.certificate, "PEM file with the certificate and its chain");
    command.add_required("--key", options.key, "PEM file with the private key");
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    for (std::string* const file : {&options.certificate, &options.key}) {
        *file = std::filesystem::absolute(*file).string();  // a daemon runs elsewhere
    }
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options); }, {.backend = options.backend});
    });
}
