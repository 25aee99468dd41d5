// SPDX-License-Identifier: MIT
// Gives the files of a folder over HTTP: with types, ranges, and what browsers ask before they fetch a file
// again. With --log it says each request as Apache and nginx do. Behind a proxy that speaks the PROXY
// protocol (--proxy) clients are those that it tells of.
#include "command_line.hpp"

#include <leat/http.hpp>
#include <leat/proxied_listener.hpp>

#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

namespace {

struct static_options : examples::server_options {
    std::string folder = ".";
    std::string cache_control = "max-age=60";
    bool precompressed = false;
    bool log = false;
    std::vector<std::string> proxies = {};
};

void say(const leat::http::answered& done) {
    std::printf("%s\n", leat::http::access_line(done).c_str());
    std::fflush(stdout);
}

leat::task<> serve(const static_options& options) {
    auto listener = options.listen();
    const auto site = co_await leat::http::static_files::open(
        options.folder, {.cache_control = options.cache_control, .precompressed = options.precompressed});
    leat::proxied_options trusted{.direct = options.proxies.empty()};
    for (const std::string& each : options.proxies) {
        trusted.proxies.push_back(leat::network::parse(each));
    }
    co_await leat::http::serve(
        leat::proxied_listener(std::move(listener), std::move(trusted)), site,
        {.on_listening = examples::announce, .on_answer = options.log ? say : nullptr});
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
    command.add("--proxy", options.proxies, "takes connections only from this proxy, or network of proxies",
                examples::kind::network);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    options.folder = std::filesystem::absolute(options.folder).string();  // a daemon runs elsewhere
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options); }, {.backend = options.backend});
    });
}
