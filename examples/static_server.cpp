// SPDX-License-Identifier: MIT
// Gives the files of a folder over HTTP: with types, ranges, and what browsers ask before they fetch a file
// again. With --log it says each request and its status.
#include "command_line.hpp"

#include <leat/http.hpp>

#include <cstdio>
#include <filesystem>
#include <utility>

namespace {

struct static_options : examples::server_options {
    std::string folder = ".";
    std::string cache_control = "max-age=60";
    bool precompressed = false;
    bool log = false;
};

// A function around a handler, which is a handler, too.
template <typename Handler>
auto logged(Handler handler) {
    return [handler = std::move(handler)](const leat::http::request& asked,
                                          leat::http::response_writer& writer) -> leat::task<> {
        co_await handler(asked, writer);
        std::printf("%s %s %d\n", asked.method.c_str(), asked.target.c_str(), writer.head().status);
        std::fflush(stdout);
    };
}

leat::task<> serve(const static_options& options) {
    auto listener = options.listen();
    const auto site = co_await leat::http::static_files::open(
        options.folder, {.cache_control = options.cache_control, .precompressed = options.precompressed});
    const leat::http::serve_options how{.on_listening = examples::announce};
    if (options.log) {
        co_await leat::http::serve(std::move(listener), logged(site), how);
    } else {
        co_await leat::http::serve(std::move(listener), site, how);
    }
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("static_server", "Gives the files of a folder over HTTP.");
    static_options options{{.host = "127.0.0.1", .port = 8006, .backend = ""}};
    options.add_to(command);
    command.add("--folder", options.folder, "whose files are given", examples::kind::existing_directory);
    command.add("--cache-control", options.cache_control, "how long browsers keep a file");
    command.add_flag("--precompressed", options.precompressed, "send FILE.br, .zst or .gz to who takes it");
    command.add_flag("--log", options.log, "say each request");
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    options.folder = std::filesystem::absolute(options.folder).string();  // a daemon runs elsewhere
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options); }, {.backend = options.backend});
    });
}
