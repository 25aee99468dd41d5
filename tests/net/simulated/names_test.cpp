// SPDX-License-Identifier: MIT
// Connecting to a name whose look-ups fail and some of whose addresses lead nowhere.
#include <leat/connect.hpp>
#include <leat/dns/error.hpp>

#include "whole_program.hpp"

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

task<> converse() {
    tcp_stream peer = co_await connect_to_host("service.example", 80);
    const std::string text = draw_text();
    co_await exchange_text(peer, text);
}

bool is_name_failure(std::error_code error) {
    return error == dns_errc::no_such_host || error == dns_errc::temporary_failure ||
           error == dns_errc::timed_out;
}

}  // namespace

LEAT_SIMULATE("a name leads to a host that answers, whenever its look-up does not fail",
              {.seeds = 200, .network = {.failures = true}}) {
    simulation& world = current_simulation();
    simulated_host& crashed = world.add_host("crashed", {"10.0.0.1", "fd00::1"});
    simulated_host& silent = world.add_host("silent", {"10.0.0.2"});
    simulated_host& refusing = world.add_host("refusing", {"10.0.0.3"});
    simulated_host& there = world.add_host("server", {"10.0.0.4", "fd00::4"});
    simulated_host& here = world.add_host("client");
    const bool by_ipv6 = draw(2) == 0;
    world.add_name("service.example", {"fd00::1", "10.0.0.1", refusing.addresses().front(), "10.0.0.2",
                                       by_ipv6 ? "fd00::4" : "10.0.0.4"});
    world.set_link(there, here, {.latency = draw_time(100ms)});
    world.crash(crashed);
    const endpoint service(by_ipv6 ? "fd00::4" : "10.0.0.4", 80);
    tcp_listener listener = co_await on_host(there, bind_in_the_end(service));
    co_await with_task_group([&](task_group& group) -> task<> {
        group.spawn([&] { return serve(std::move(listener), echo_until_failure, {.stop_on = {}}); });
        world.cut(silent, here);
        for (int count = 0; count < 5; ++count) {
            const auto done = co_await as_result(on_host(here, converse()));
            if (!done.ok()) {
                check_failure(done.error(),
                              is_network_failure(done.error()) || is_name_failure(done.error()));
            }
        }
        world.heal();
        world.cut(silent, here);
        co_await on_host(here, converse());
        group.cancel();
    });
}

}  // namespace leat::testing
