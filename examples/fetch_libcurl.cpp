// SPDX-License-Identifier: MIT
// Fetches URLs at once by the blocking interface of libcurl, which knows nothing of leat: N of them in the
// time of the slowest one.
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <curl/curl.h>

namespace {

std::size_t count(char* /*data*/, std::size_t size, std::size_t number, void* total) {
    *static_cast<std::size_t*>(total) += size * number;
    return size * number;
}

void fetch(const char* url) {  // as it would be written without leat
    std::size_t total = 0;
    CURL* const curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (const char* const trusted = std::getenv("CURL_CA_BUNDLE")) {  // as the curl program has it
        curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &total);
    const CURLcode end = curl_easy_perform(curl);
    std::printf("%s: %zu bytes, %s\n", url, total, curl_easy_strerror(end));
    curl_easy_cleanup(curl);
}

leat::task<> fetch_all(std::vector<const char*> urls) {
    std::vector<leat::handle<>> jobs;
    for (const char* url : urls) {
        jobs.push_back(leat::spawn(leat::blocking(fetch, url)));
    }
    co_await leat::join_all(jobs);
}

}  // namespace

int main(int argc, char** argv) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return leat::run_main([&] { return fetch_all({argv + 1, argv + argc}); });
}
