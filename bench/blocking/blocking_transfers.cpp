// SPDX-License-Identifier: MIT
// blocking_transfers URL COUNT: transfers at once by the blocking interface of libcurl.
#include "touched.hpp"

#include <leat/runtime.hpp>

#include <cstdlib>

#include <curl/curl.h>

static std::size_t drop(char* /*data*/, std::size_t size, std::size_t number, void* /*to*/) {
    return size * number;
}

static void transfer(const char* url) {
    CURL* const curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    if (curl_easy_perform(curl) != CURLE_OK) {
        std::exit(1);
    }
    curl_easy_cleanup(curl);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return leat::run_main(
        [=] { return bench::at_once(std::atoi(argv[2]), [url = argv[1]] { transfer(url); }); });
}
