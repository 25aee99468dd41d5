// SPDX-License-Identifier: MIT
// An echo server and its clients on hosts of their own, whose network fails, is cut, and heals.
#include "whole_program.hpp"

#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

const endpoint service{"10.0.0.1", 80};

// The server's host, and those of its clients behind links of their own.
struct hosts {
    explicit hosts(simulation& world) : server(world.add_host("server", {"10.0.0.1"})) {
        for (int number = 0; number < 4; ++number) {
            simulated_host& made = world.add_host("client" + std::to_string(number));
            world.set_link(server, made,
                           {.latency = draw_time(20ms), .spread = draw_time(5ms), .bandwidth = 1'000'000});
            clients.push_back(&made);
        }
    }
    [[nodiscard]] simulated_host& any_client() const { return *clients[draw(clients.size())]; }

    simulated_host& server;
    std::vector<simulated_host*> clients;
};

task<> serve_echo() {
    tcp_listener listener = co_await bind_in_the_end(service);
    co_await serve(std::move(listener), echo_until_failure, {.stop_on = {}});
}

task<> converse(duration connecting) {
    tcp_stream peer = co_await tcp_stream::connect(service, {.timeout = connecting});
    co_await exchange_text(peer, draw_text());
}

// Runs `client()`, which gives a task, so many times at once on the hosts of clients.
template <typename Client>
task<> run_clients(const hosts& all, int count, Client client) {
    co_await with_task_group([&](task_group& group) -> task<> {
        for (int number = 0; number < count; ++number) {
            simulated_host& where = all.any_client();
            group.spawn([&]() -> task<> { co_await on_host(where, client()); });
        }
        co_await group.wait();
    });
}

// Runs `body()`, which gives a task, while `server()` runs on its host.
template <typename Server, typename Body>
task<> with_server(const hosts& all, Server server, Body body) {
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&]() -> task<> { co_await on_host(all.server, server()); });
        co_await body();
        group.cancel();
    });
}

// Cuts, clogs and mends links; mended in the end.
task<> disturb(simulation& world, const hosts& all) {
    for (int count = 0; count < 12; ++count) {
        co_await sleep(draw_time(2s));
        simulated_host& one = all.any_client();
        const std::uint64_t what = draw(6);
        if (what == 0) {
            world.cut(one, all.server);
        } else if (what == 1) {
            world.cut_one_way(one, all.server);
        } else if (what == 2) {
            world.cut_one_way(all.server, one);
        } else if (what == 3) {
            world.clog(all.server, one, draw_time(3s));
        } else if (what == 4) {
            world.partition({all.server, *all.clients[0]}, {*all.clients[1], *all.clients[2]});
        } else {
            world.mend(one, all.server);
        }
    }
    world.heal();
}

// The server's program on its machine, started anew whenever that is up again.
task<> serve_echo_across_crashes(simulated_host& host) {
    for (;;) {
        const auto ended = co_await as_result(on_host(host, serve_echo()));
        // Its accept may have failed before it heard of its end.
        check_failure(ended.error(), ended.error() == std::errc::operation_canceled ||
                                         ended.error() == errno_code(ESHUTDOWN));
        while (!host.is_up()) {
            co_await sleep(10ms);
        }
    }
}

task<> crash_now_and_then(simulation& world, simulated_host& host) {
    for (int count = 0; count < 3; ++count) {
        co_await sleep(draw_time(2s));
        world.crash(host);
        co_await sleep(draw_time(5s));
        world.restart(host);
    }
}

}  // namespace

LEAT_SIMULATE("clients of an echo server get through all faults, and none fails after them",
              {.seeds = 100, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    const hosts all(world);
    co_await with_server(all, serve_echo, [&]() -> task<> {
        co_await run_clients(all, 20, [] { return persist([] { return converse(5s); }); });
        world.heal();
        co_await run_clients(all, 20, [] { return converse(60s); });
    });
}

LEAT_SIMULATE("transfers get through links that are cut, clogged and mended", seeds(100)) {
    simulation& world = current_simulation();
    const hosts all(world);
    co_await with_server(all, serve_echo, [&]() -> task<> {
        co_await run_clients(all, 1, [] { return persist([] { return converse(60s); }); });  // it is bound
        co_await gather(disturb(world, all), run_clients(all, 8, []() -> task<> {
                            for (int count = 0; count < 3; ++count) {
                                co_await sleep(draw_time(3s));
                                co_await converse(10min);
                            }
                        }));
    });
}

LEAT_SIMULATE("a cut is overcome within a quarter of an hour, and a failure after that", seeds(100)) {
    simulation& world = current_simulation();
    const hosts all(world);
    const duration length = draw_time(30min);
    co_await with_server(all, serve_echo, [&]() -> task<> {
        co_await run_clients(all, 1, [] { return persist([] { return converse(60s); }); });
        auto client = [&]() -> task<> {
            auto peer = co_await as_result(tcp_stream::connect(service, {.timeout = 10min}));
            CHECK((peer.ok() || peer.error() == std::errc::timed_out));
            for (int count = 0; count < 3 && peer.ok(); ++count) {
                const std::string text = draw_text();
                const auto done = co_await as_result(timeout(2h, exchange_text(*peer, text)));
                if (!done.ok()) {
                    check_failure(done.error(), is_network_failure(done.error()) && length > 15min);
                    co_return;
                }
                co_await sleep(draw_time(1s));
            }
        };
        auto cut = [&]() -> task<> {
            co_await sleep(draw_time(2s));
            for (simulated_host* each : all.clients) {
                world.cut(all.server, *each);
            }
            co_await sleep(length);
            world.heal();
        };
        co_await gather(run_clients(all, 8, client), cut);
        co_await run_clients(all, 8, [] { return converse(60s); });
    });
}

LEAT_SIMULATE("clients finish with a server whose machine crashes and starts again", seeds(50)) {
    simulation& world = current_simulation();
    const hosts all(world);
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return serve_echo_across_crashes(all.server); });
        co_await gather(crash_now_and_then(world, all.server), run_clients(all, 8, []() -> task<> {
                            for (int count = 0; count < 4; ++count) {
                                co_await sleep(draw_time(3s));
                                co_await persist([]() -> task<> { co_await timeout(20s, converse(5s)); });
                            }
                        }));
        world.heal();
        co_await run_clients(all, 8, [] { return converse(60s); });
        group.cancel();
    });
}

}  // namespace leat::testing
