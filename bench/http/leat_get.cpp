// SPDX-License-Identifier: MIT
//
// leat as an HTTP client: the same URL so many times, by so many tasks. The bodies are thrown away.
//
//   leat_get --url URL --count N [--parallel N] [--cacert FILE] [--fresh yes] [--backend NAME]
//
// With --fresh each request has a connection of its own.
#include <leat/http.hpp>
#include <leat/run.hpp>
#include <leat/task_group.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../echo/listening.h"

namespace {

namespace http = leat::http;

struct settings {
    std::string url;
    std::string authorities;
    long count;
    int parallel;
    bool fresh;
};

leat::task<> get_all(settings chosen) {
    http::client_options options{.ca_file = chosen.authorities, .environment_proxies = false};
    if (chosen.fresh) {
        options.idle_connections = 0;
        options.versions = http::http_versions::only_1_1;
    }
    http::client client(options);
    long left = chosen.count;
    const auto get_some = [&]() -> leat::task<> {
        while (left-- > 0) {
            const http::fetched page = co_await client.get(chosen.url, [](std::string_view) {});
            if (page.status != 200) {
                throw std::runtime_error(chosen.url + ": status " + std::to_string(page.status));
            }
        }
    };
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (int i = 0; i < chosen.parallel; ++i) {
            group.spawn(get_some);
        }
        co_return;
    });
}

}  // namespace

int main(int argc, char** argv) {
    const settings chosen{
        .url = option(argc, argv, "--url", ""),
        .authorities = option(argc, argv, "--cacert", ""),
        .count = std::atol(option(argc, argv, "--count", "1")),
        .parallel = std::atoi(option(argc, argv, "--parallel", "50")),
        .fresh = std::string_view(option(argc, argv, "--fresh", "")) == "yes",
    };
    return leat::run_main([&] { return get_all(chosen); }, {.backend = option(argc, argv, "--backend", "")});
}
