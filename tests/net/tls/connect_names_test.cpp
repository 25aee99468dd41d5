// SPDX-License-Identifier: MIT
// How tls::connect looks up its host.
#include "../../support/dns_server.hpp"
#include "stream_pair.hpp"

#include <leat/testing/doctest.hpp>

namespace leat::tls {

LEAT_TEST("tls::connect asks the servers that it is told to, and connects from where it is told to",
          on(kernel)) {
    testing::dns_server names;
    names.set("a.example", {.addresses = {address::parse("127.0.0.1")}});
    tcp_listener listener = tcp_listener::bind({"127.0.0.1", 0});
    auto serving = spawn([&]() -> task<leat::endpoint> {
        tcp_stream peer = co_await listener.accept();
        const leat::endpoint from = peer.remote_endpoint();
        (void)co_await accept(std::move(peer), contexts::trusted().server);
        co_return from;
    });
    const std::string asked = names.location();
    const connect_options options{.names = {.families = address_families::ipv4, .servers = asked, .tries = 1},
                                  .local = leat::endpoint("127.0.0.2", 0)};
    auto client =
        co_await connect(contexts::trusted().client, "a.example", listener.local_endpoint().port(), options);
    const leat::endpoint from = co_await serving;
    CHECK(from.address() == address::parse("127.0.0.2"));
    CHECK(names.asked("a.example", testing::dns_type::a) == 1);
}

}  // namespace leat::tls
