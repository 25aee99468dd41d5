// SPDX-License-Identifier: MIT
// The ways to do many things at once, on a server that answers each word with its capitals.
#include <leat/net.hpp>

#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

leat::endpoint server;

leat::task<> capitals(leat::tcp_stream peer) {
    while (auto chunk = co_await peer.recv_chunk()) {
        std::string reply(chunk.text());
        for (char& letter : reply) {
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
        }
        co_await peer.send_all(reply);
    }
}

leat::task<std::string> get(std::string word) {
    auto peer = co_await leat::tcp_stream::connect(server);
    co_await peer.send_all(word);
    peer.shutdown_send();
    std::string reply;
    while (auto chunk = co_await peer.recv_chunk()) {
        reply += chunk.text();
    }
    co_return reply;
}

leat::task<> many_at_once(std::vector<std::string> words, leat::tcp_stream& silent, std::string buffer) {
    // README: begin
    auto a = leat::spawn(get("leat")), b = leat::spawn(get, "mill");
    co_await leat::join_all(a, b);                                        // waits until both have ended
    auto [x, y] = co_await leat::gather(get("water"), get("wheel"));      // results, or the first error
    auto timely = co_await leat::timeout(5s, get("stone"));               // or throws timed_out
    auto maybe = co_await leat::move_on_after(5ms, silent.recv(buffer));  // empty: the time is over
    auto all = co_await leat::map_concurrently(words, 50, get);           // in order, at most 50 at once
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (auto& word : words) {
            group.spawn(get, word);  // the group ends after all of them; an error cancels the others
        }
        co_return;
    });
    // README: end
    std::printf("%s %s %s %s %s %s", a.value().c_str(), b.value().c_str(), x.c_str(), y.c_str(),
                timely.c_str(), maybe ? "something" : "nothing");
    for (const std::string& each : all) {
        std::printf(" %s", each.c_str());
    }
    std::printf("\n");
}

leat::task<> run_all() {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    auto quiet = leat::tcp_listener::bind({"127.0.0.1", 0});
    server = listener.local_endpoint();
    auto serving = leat::spawn(leat::serve(std::move(listener), capitals));
    auto silent = co_await leat::tcp_stream::connect(quiet.local_endpoint());
    std::vector<std::string> words = {"one", "two", "three"};
    co_await many_at_once(words, silent, std::string(100, ' '));
    serving.cancel();
    co_await serving.join();
}

}  // namespace

int main() {
    return leat::run_main(run_all);
}
