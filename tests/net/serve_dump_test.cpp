// SPDX-License-Identifier: MIT
// What a dump shows of a server: the user's handler below each connection, and nothing of how serve() works.
#include <leat/net.hpp>
#include <leat/observe/dump.hpp>
#include <leat/testing/doctest.hpp>

#include <regex>
#include <string>

namespace {

constexpr int handled = __LINE__ + 3;

leat::task<> hold(leat::tcp_stream peer) {
    (void)co_await peer.recv_chunk();
}

// The lines without names of functions and folders, which compilers write each in its own way.
std::string plain(const std::string& dump) {
    const std::string named = std::regex_replace(dump, std::regex("in [^\n]* at "), "in ... at ");
    return std::regex_replace(named, std::regex("[^ ]*tests/net/"), "");
}

}  // namespace

LEAT_TEST("a dump of a server shows a line for its acceptor, and the handler below each connection",
          on(leat::testing::simulated)) {
    const leat::endpoint where("127.0.0.1", 8001);
    leat::event stop;
    const int served = __LINE__ + 2;
    auto server = leat::spawn([&]() -> leat::task<> {
        co_await leat::serve(leat::tcp_listener::bind(where), hold, {.stop = &stop});
    });
    co_await leat::yield();
    auto ann = co_await leat::tcp_stream::connect(where);
    auto bob = co_await leat::tcp_stream::connect(where);
    co_await leat::testing::wait_until_idle();
    const std::string file = "serve_dump_test.cpp:";
    const std::string own = " (spawned at " + file + std::to_string(served) + ") waits for ";
    const auto connection = [&](int id, int descriptor, const leat::tcp_stream& peer) {
        return "  task " + std::to_string(id) + own + "recv on descriptor " + std::to_string(descriptor) +
               ", local 127.0.0.1:8001, peer " + peer.local_endpoint().to_string() + ", for 0 us\n" +
               "      in ... at " + file + std::to_string(handled) + "\n";
    };
    const std::string text = plain(leat::dump_tasks());
    const std::string all = text.substr(text.find("task 2"));  // behind the test's own
    CHECK(all == "task 2 (spawned at " + file + std::to_string(served - 1) + ") waits for sleep, for 0 us\n" +
                     "    in ... at " + file + std::to_string(served) + "\n" + "  task 3" + own +
                     "an event, for 0 us\n" + "  task 4" + own +
                     "accept on descriptor 16777216, local 127.0.0.1:8001, for 0 us\n" +
                     connection(5, 16777218, ann) + connection(6, 16777220, bob));
    CHECK(leat::dump_tasks({.all_frames = true}).find("leat/serve.cpp:") != std::string::npos);
    server.cancel();
    co_await server.join();
}
