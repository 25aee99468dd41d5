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

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace http = leat::http;

struct settings {
    int port = 8080;
    std::string backend;
    std::string role = "hello";
    std::string files = ".";
    std::string certificate;
    std::string key;
};

void announce(std::string_view where) {
    std::printf("listening on %.*s\n", static_cast<int>(where.size()), where.data());
    std::fflush(stdout);
}

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
    settings chosen;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--port") {
            chosen.port = std::atoi(value.c_str());
        } else if (name == "--backend") {
            chosen.backend = value;
        } else if (name == "--role") {
            chosen.role = value;
        } else if (name == "--files") {
            chosen.files = value;
        } else if (name == "--certificate") {
            chosen.certificate = value;
        } else if (name == "--key") {
            chosen.key = value;
        }
    }
    return leat::run_main([&] { return serve(chosen); }, {.backend = chosen.backend});
}
