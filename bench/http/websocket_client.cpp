// SPDX-License-Identifier: MIT
//
// The load of WebSocket servers: N connections, each with one message under way at a time, every reply
// checked. It is told what to do as bench/echo/client.c is, and prints the same.
//
//   websocket_client --port PORT --connections N --server-pid PID [--message-size BYTES]
#include <leat/join.hpp>
#include <leat/run.hpp>
#include <leat/system/pipe.hpp>
#include <leat/websocket.hpp>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../echo/listening.h"

namespace {

namespace websocket = leat::websocket;

struct load {
    int port;
    int connections;
    std::size_t message_size;
    int server;  // its process
};

std::uint64_t nanoseconds(clockid_t clock) {
    timespec time{};
    if (clock_gettime(clock, &time) != 0) {
        throw std::system_error(errno, std::system_category(), "clock_gettime");
    }
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

class generator {
public:
    explicit generator(load wanted) : wanted_(wanted), message_(wanted.message_size, 'x') {
        if (clock_getcpuclockid(wanted.server, &server_clock_) != 0) {
            throw std::runtime_error("there is no process of the server");
        }
    }

    leat::task<> connect() {
        const std::string url = "ws://127.0.0.1:" + std::to_string(wanted_.port) + "/echo";
        for (int count = 0; count < wanted_.connections; ++count) {
            peers_.push_back(std::make_unique<websocket::socket>(co_await websocket::connect(url)));
        }
        co_await exchange(peers_.size());
    }

    // Prints what it took, as one line of JSON.
    leat::task<> run(std::uint64_t warm_up, std::uint64_t messages) {
        co_await exchange(warm_up);
        const std::uint64_t cpu = nanoseconds(server_clock_);
        const std::uint64_t began = nanoseconds(CLOCK_MONOTONIC);
        co_await exchange(messages);
        std::printf("{\"round_trips\": %" PRIu64 ", \"server_cpu_ns\": %" PRIu64 ", \"elapsed_ns\": %" PRIu64
                    "}\n",
                    messages, nanoseconds(server_clock_) - cpu, nanoseconds(CLOCK_MONOTONIC) - began);
        std::fflush(stdout);
    }

    leat::task<> close() {
        for (auto& peer : peers_) {
            co_await peer->close();
        }
    }

private:
    leat::task<> exchange(std::uint64_t messages) {
        left_ = messages;
        std::vector<leat::task<>> talking;
        for (auto& peer : peers_) {
            talking.push_back(talk(*peer));
        }
        co_await leat::gather(std::move(talking));
    }

    leat::task<> talk(websocket::socket& peer) {
        while (left_ > 0) {
            --left_;
            co_await peer.send(message_);
            const auto reply = co_await peer.receive();
            if (!reply || reply->data != message_) {
                throw std::runtime_error("a reply differs");
            }
        }
    }

    load wanted_;
    std::string message_;
    clockid_t server_clock_{};
    std::vector<std::unique_ptr<websocket::socket>> peers_;
    std::uint64_t left_ = 0;
};

leat::task<> obey(load wanted) {
    generator made(wanted);
    co_await made.connect();
    std::puts("connected");
    std::fflush(stdout);
    auto input = leat::pipe_reader::standard_input();
    while (const auto line = co_await input.recv_chunk()) {  // its writer waits for each answer
        char* rest = nullptr;
        const std::string text(line.text());
        const std::uint64_t warm_up = std::strtoull(text.c_str(), &rest, 10);
        co_await made.run(warm_up, std::strtoull(rest, nullptr, 10));
    }
    co_await made.close();
}

}  // namespace

int main(int argc, char** argv) {
    const load wanted{
        .port = std::atoi(option(argc, argv, "--port", "8080")),
        .connections = std::atoi(option(argc, argv, "--connections", "1")),
        .message_size = std::strtoul(option(argc, argv, "--message-size", "64"), nullptr, 10),
        .server = std::atoi(option(argc, argv, "--server-pid", "0")),
    };
    return leat::run_main([wanted] { return obey(wanted); });
}
