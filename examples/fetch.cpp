// SPDX-License-Identifier: MIT
// Fetches many URLs at once, in one thread. One failure stops no other.
#include "command_line.hpp"
#include "fetch_output.hpp"
#include "fetch_progress.hpp"

#include <leat/http.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace {

struct fetch_options {
    std::vector<std::string> urls;
    std::string input;
    int parallel = 50;
    std::string output_dir;
    bool discard = false;
    double timeout = 300;
    std::string ca_file;
    bool insecure = false;
    std::string backend;
};

// One URL a line; blank lines and lines that begin with # do not count.
void read_urls(std::istream& from, std::vector<std::string>& urls) {
    for (std::string line; std::getline(from, line);) {
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin != std::string::npos && line[begin] != '#') {
            urls.push_back(line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin));
        }
    }
}

// What a server says, in one line that leaves a terminal alone.
std::string plain(std::string_view text) {
    std::string line(text.substr(0, 100));
    std::replace_if(line.begin(), line.end(), [](char each) { return each < ' ' || each > '~'; }, '?');
    return line;
}

leat::task<> receive(leat::http::client& client, const fetch_options& options, fetch::transfer& transfer,
                     fetch::progress& progress) {
    leat::http::get_options limits;
    limits.total = leat::saturate(std::chrono::duration<double>(options.timeout));
    leat::http::response_stream reply = co_await client.open(transfer.url, limits);
    if (reply.status() >= 400) {
        const std::string status = std::to_string(reply.status()) + " " + plain(reply.head().reason);
        throw std::runtime_error(transfer.shown + ": the server answered " + status);
    }
    std::optional<fetch::output_file> file;
    if (!options.output_dir.empty() && !options.discard) {
        file.emplace(options.output_dir, fetch::file_name(leat::http::url::parse(transfer.url)));
    }
    transfer.size = reply.size();
    for (;;) {
        const std::string_view piece = co_await reply.read();
        if (piece.empty()) {
            break;
        }
        if (file.has_value()) {
            file->write(piece);
        }
        progress.receive(transfer, piece.size());
    }
    if (file.has_value()) {
        file->keep();
    }
}

leat::task<> fetch_one(leat::http::client& client, const fetch_options& options, fetch::progress& progress,
                       std::string url) {
    fetch::transfer& transfer = progress.start(url);
    std::string failure;
    try {
        co_await receive(client, options, transfer, progress);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (failure.empty()) {
        progress.end(transfer);
    } else {
        progress.fail(transfer, failure);
    }
}

leat::task<int> fetch_all(const fetch_options& options) {
    leat::http::client client({.ca_file = options.ca_file, .insecure = options.insecure});
    fetch::progress progress(options.urls.size());
    const leat::time_point start = leat::now();
    auto drawing = leat::spawn([&] { return progress.draw(); });
    co_await leat::for_each_concurrently(
        options.urls, static_cast<std::size_t>(options.parallel),
        [&](std::string url) { return fetch_one(client, options, progress, std::move(url)); });
    drawing.cancel();
    co_await drawing.join();
    progress.summarize(leat::now() - start);
    co_return progress.all_well() ? 0 : 1;
}

void add_options(examples::command_line& command, fetch_options& options) {
    using examples::kind;
    command.add("urls", options.urls, "what to fetch");
    command.add("-i,--input-file", options.input, "a file with one URL a line; - is standard input");
    command.add("--parallel", options.parallel, "at most so many at once", 1, 100'000);
    command.add("--output-dir", options.output_dir, "where to write; without it bytes are only counted",
                kind::existing_directory);
    command.add_flag("--discard", options.discard, "only count the bytes");
    command.add("--timeout", options.timeout, "seconds for each URL", 0.001, 1e9);
    command.add("--cacert", options.ca_file, "trust the authorities in this PEM file", kind::existing_file);
    command.add_flag("--insecure", options.insecure, "accept every certificate");
    command.add_backend(options.backend);
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("fetch", "Fetches many URLs at once.");
    fetch_options options;
    add_options(command, options);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    if (options.input == "-") {
        read_urls(std::cin, options.urls);
    } else if (!options.input.empty()) {
        std::ifstream file(options.input);
        if (!file) {
            std::fprintf(stderr, "fetch: cannot read %s\n", options.input.c_str());
            return 1;
        }
        read_urls(file, options.urls);
    }
    if (options.urls.empty()) {
        std::fputs("fetch: no URL is given\n", stderr);
        return 2;
    }
    return leat::run_main([&] { return fetch_all(options); }, {.backend = options.backend});
}
