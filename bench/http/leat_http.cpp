// SPDX-License-Identifier: MIT
//
// leat: an HTTP server that does one thing: the answer is a short text, a file of a folder, or a WebSocket
// that echoes.
//
//   leat_http --port PORT [--backend NAME] [--role hello|files|echo] [--files FOLDER]
//             [--certificate FILE --key FILE]
#include <leat/http.hpp>
#include <leat/http/serve_tls.hpp>
#include <leat/run.hpp>
#include <leat/websocket.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "../echo/leat_server.hpp"
#include "../echo/listening.h"

namespace {

namespace http = leat::http;

struct settings {
    int port;
    std::string role;
    std::string files;
    std::string certificate;
    std::string key;
};

leat::task<> echo(leat::websocket::socket& peer) {
    while (const auto said = co_await peer.receive()) {
        co_await peer.send(*said);
    }
}

leat::task<http::response> hello(const http::request&) {
    http::response page;
    page.headers.add("Content-Type", "text/plain");
    page.body = "hello\n";
    co_return page;
}

leat::task<http::response> open_echo(const http::request& asked) {
    co_return leat::websocket::accept(asked, echo);
}

leat::task<> serve(settings chosen) {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", chosen.port});
    const http::serve_options how{.on_listening = announce};
    if (!chosen.certificate.empty()) {
        const auto shown =
            leat::tls::context::server({.certificate = leat::tls::pem::file(chosen.certificate),
                                        .key = leat::tls::pem::file(chosen.key)});
        co_await http::serve(std::move(listener), shown, hello, {.http = how});
    } else if (chosen.role == "files") {
        co_await http::serve(std::move(listener), co_await http::static_files::open(chosen.files), how);
    } else if (chosen.role == "echo") {
        co_await http::serve(std::move(listener), open_echo, how);
    } else {
        co_await http::serve(std::move(listener), hello, how);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const settings chosen{
        .port = std::atoi(option(argc, argv, "--port", "8080")),
        .role = option(argc, argv, "--role", "hello"),
        .files = option(argc, argv, "--files", "."),
        .certificate = option(argc, argv, "--certificate", ""),
        .key = option(argc, argv, "--key", ""),
    };
    return leat::run_main([&] { return serve(chosen); }, {.backend = option(argc, argv, "--backend", "")});
}
