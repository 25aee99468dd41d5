// SPDX-License-Identifier: MIT
// Requests and answers over a network that loses datagrams, doubles them and lets one overtake another.
#include "whole_program.hpp"

#include <array>
#include <map>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint capitals_service{"10.0.0.1", 5300};

[[nodiscard]] task<udp_socket> bind_socket(endpoint where) {
    for (;;) {
        try {
            co_return udp_socket::bind(where);
        } catch (const std::system_error& error) {
            check_failure(error.code(), is_shortage(error.code()));
        }
        co_await sleep(10ms);
    }
}

// A request is "CLIENT NUMBER"; a client asks for the next number when it has its answer. How often each was
// carried out:
using ledger = std::map<std::string, int>;

// Carries out each request once, and answers as often as it is asked.
task<> serve_requests(ledger& carried_out) {
    udp_socket socket = co_await bind_socket(capitals_service);
    std::map<std::string, int> next;
    std::array<char, 64> buffer;
    for (;;) {
        const datagram got = co_await socket.recv_from(buffer);
        CHECK_FALSE(got.truncated);
        const std::string request(buffer.data(), got.size);
        const std::size_t blank = request.find(' ');
        CHECK(blank < request.size());
        int& expected = next[request.substr(0, blank)];
        const int number = std::stoi(request.substr(blank + 1));
        CHECK(number <= expected);
        if (number == expected) {
            ++expected;
            ++carried_out[request];
        }
        co_await socket.send_to(request, got.from);
    }
}

// Until the answer comes; those to earlier requests may come again.
task<> hear(udp_socket& socket, const std::string& answer) {
    for (std::string text; text != answer;) {
        text.assign(64, ' ');
        const datagram got = co_await socket.recv_from(text);
        CHECK(got.from == capitals_service);
        text.resize(got.size);
    }
}

// Gives how often it had to ask.
task<int> ask(std::string name, int requests) {
    udp_socket socket = co_await bind_socket({"0.0.0.0", 0});
    int asked = 0;
    for (int number = 0; number < requests; ++number) {
        const std::string request = name + " " + std::to_string(number);
        for (bool answered = false; !answered; ++asked) {
            co_await socket.send_to(request, capitals_service);
            answered = co_await move_on_after(300ms, hear(socket, request));
        }
    }
    co_return asked;
}

}  // namespace

LEAT_SIMULATE("each request is carried out once, whatever the network does to datagrams",
              {.seeds = 100, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    simulated_host& server = world.add_host("server", {"10.0.0.1"});
    ledger carried_out;
    std::array<int, 4> asked{};
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> { co_await on_host(server, serve_requests(carried_out)); });
        co_await with_task_group([&](task_group& clients) -> task<> {
            for (std::size_t number = 0; number < asked.size(); ++number) {
                const std::string name = "client" + std::to_string(number);
                simulated_host& made = world.add_host(name);
                world.set_link(server, made, {.latency = draw_time(20ms), .spread = 20ms, .loss = 0.3});
                clients.spawn([&made, &asked, name, number]() -> task<> {
                    asked[number] = co_await on_host(made, ask(name, 20));
                });
            }
            co_await clients.wait();
        });
        group.cancel();
    });
    CHECK(carried_out.size() == 20 * asked.size());
    for (const auto& [request, times] : carried_out) {
        CHECK(times == 1);
    }
    for (const int each : asked) {
        CHECK(each > 20);  // of three datagrams one was lost
    }
}

}  // namespace leat::testing
