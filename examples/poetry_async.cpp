// SPDX-License-Identifier: MIT
// Gets poems from slow servers all at once, in one thread: the time is that of the longest.
#include "poetry.hpp"

namespace {

leat::task<std::string> get_poem(int number, examples::target where) {
    auto server = co_await leat::tcp_stream::connect(where.host, where.port);
    std::string poem;
    while (auto chunk = co_await server.recv_chunk()) {
        poem += chunk.text();
        std::printf("Task %d: got %zu bytes of poetry from %s\n", number, chunk.size(),
                    server.remote_endpoint().to_string().c_str());
        std::fflush(stdout);
    }
    std::printf("Task %d finished\n", number);
    co_return poem;
}

leat::task<> get_all(std::vector<examples::target> servers) {
    const leat::time_point start = leat::now();
    std::vector<leat::task<std::string>> tasks;
    int number = 0;
    for (const examples::target& where : servers) {
        tasks.push_back(get_poem(++number, where));
    }
    const std::vector<std::string> poems = co_await leat::gather(std::move(tasks));
    for (const std::string& poem : poems) {
        std::printf("%s\n", poem.c_str());
    }
    std::printf("Got poems in %s\n", examples::elapsed_since(start).c_str());
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_poetry_client("poetry_async", "Gets poems all at once.", argc, argv, get_all);
}
