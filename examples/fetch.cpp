// SPDX-License-Identifier: MIT
// Fetches many URLs at once, in one thread. One failure stops no other. What leat-fetch (fetch/) does with
// files and lists begins like this.
#include <leat/http.hpp>
#include <leat/runtime.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

// Whether it went well.
leat::task<bool> fetch(leat::http::client& client, std::string url) {
    const std::string shown = leat::http::printable_url(url);
    std::printf("GET: %s\n", shown.c_str());
    const auto page = co_await leat::as_result(client.get(url));
    if (!page.ok()) {
        std::fprintf(stderr, "error: %s\n", page.error_text().c_str());
    } else if (page->status >= 400) {
        std::fprintf(stderr, "error: %s: the server answered %d\n", shown.c_str(), page->status);
    } else {
        std::printf("%zu bytes received from %s.\n", page->body.size(), shown.c_str());
        co_return true;
    }
    co_return false;
}

leat::task<int> fetch_all(std::vector<std::string> urls) {
    leat::http::client client;
    const auto well = co_await leat::map_concurrently(
        urls, 50, [&](std::string url) { return fetch(client, std::move(url)); });
    co_return static_cast<int>(std::count(well.begin(), well.end(), false) > 0);
}

}  // namespace

int main(int argc, char** argv) {
    return leat::run_main([&] { return fetch_all({argv + 1, argv + argc}); });
}
