// SPDX-License-Identifier: MIT
// Recites slowly: on each of its ports, to whoever connects, a poem of one word (or a file, of one line) at
// a time, with a pause after each, and then closes.
#include "command_line.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <list>

namespace {

struct poetry_options {
    std::string host = "127.0.0.1";
    std::vector<int> ports = {10000, 10001, 10002};
    double pause = 1;
    std::vector<std::string> files;
    std::string backend;
    examples::service_options service;
};

using poem = std::vector<std::string>;

poem read_poem(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        throw std::system_error(errno, std::system_category(), path);
    }
    poem lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line + "\n");
    }
    return lines;
}

leat::task<> recite(leat::tcp_stream reader, const poem& words, leat::duration pause) {
    for (const std::string& word : words) {
        co_await reader.send_all(word);
        co_await leat::sleep(pause);
    }
}

leat::task<> serve(const poetry_options& options) {
    std::vector<poem> poems;
    for (const std::string& file : options.files) {
        poems.push_back(read_poem(file));
    }
    if (poems.empty()) {
        poems.push_back({"1111", "2222", "3333", "4444"});
    }
    const leat::duration pause = leat::saturate(std::chrono::duration<double>(options.pause));
    leat::signal_set signals(leat::not_ignored({SIGINT, SIGTERM}));
    std::list<leat::tcp_listener> listeners;
    std::vector<std::string> places;
    for (const int port : options.ports) {
        listeners.push_back(examples::passed_or_bound({options.host, port}));
        places.push_back(listeners.back().local_endpoint().to_string());
    }
    examples::announce(places);
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        std::size_t next = 0;
        for (leat::tcp_listener& listener : listeners) {
            const poem& words = poems[next++ % poems.size()];
            auto recital = [&words, pause](leat::tcp_stream reader) {
                return recite(std::move(reader), words, pause);
            };
            group.spawn([&listener, recital] {
                return leat::serve<leat::tcp_listener&>(listener, recital, {.stop_on = {}});
            });
        }
        co_await signals.next();
        for (leat::tcp_listener& listener : listeners) {
            listener.close();
        }
        co_await group.wait();
    });
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("poetry_server", "Recites poems slowly, on several ports.");
    poetry_options options;
    command.add("--host", options.host, "address to listen on", examples::kind::address);
    command.add("--ports", options.ports, "ports to listen on, separated by commas; 0 picks a free one", 0,
                65535);
    command.add("--pause", options.pause, "seconds after each word", 0, 3600);
    command.add("files", options.files, "poems to recite, one a port, instead of 1111 2222 3333 4444");
    command.add_backend(options.backend);
    options.service.add_to(command);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    for (std::string& file : options.files) {
        file = std::filesystem::absolute(file).string();  // a daemon runs elsewhere
    }
    return examples::run_service(options.service, [&] {
        return leat::run_main([&] { return serve(options); }, {.backend = options.backend});
    });
}
