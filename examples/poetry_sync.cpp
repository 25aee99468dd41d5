// SPDX-License-Identifier: MIT
// Gets poems from slow servers one after another: the time is the sum of all.
#include "poetry.hpp"

namespace {

leat::task<std::string> get_poem(examples::target where) {
    auto server = co_await leat::tcp_stream::connect(where.host, where.port);
    std::string poem;
    while (auto chunk = co_await server.recv_chunk()) {
        poem += chunk.text();
    }
    co_return poem;
}

leat::task<> get_all(std::vector<examples::target> servers) {
    const leat::time_point start = leat::now();
    int number = 0;
    for (const examples::target& where : servers) {
        const std::string poem = co_await get_poem(where);
        std::printf("Task %d: %s\n", ++number, poem.c_str());
        std::fflush(stdout);
    }
    std::printf("Got poems in %s\n", examples::elapsed_since(start).c_str());
}

}  // namespace

int main(int argc, char** argv) {
    return examples::run_poetry_client("poetry_sync", "Gets poems one after another.", argc, argv, get_all);
}
