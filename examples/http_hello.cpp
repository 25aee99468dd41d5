// SPDX-License-Identifier: MIT
// Answers every HTTP request with "hello".
#include "command_line.hpp"

#include <leat/http.hpp>

namespace {

leat::task<leat::http::response> hello(const leat::http::request&) {
    leat::http::response page;
    page.headers.add("Content-Type", "text/plain");
    page.body = "hello\n";
    co_return page;
}

leat::task<> serve(examples::server_options options) {
    auto listener = options.listen();
    co_await leat::http::serve(std::move(listener), hello, {.on_listening = examples::announce});
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_server("http_hello", "Answers every HTTP request with hello.",
                                {.host = "0.0.0.0", .port = 8080, .backend = ""}, argc, argv, serve);
}
