// SPDX-License-Identifier: MIT
// TLS over simulated TCP: bytes are exact, whatever is short, late or cancelled, and a seed gives one course.
#include <leat/testing/certificates.hpp>
#include <leat/tls.hpp>

#include "whole_program.hpp"

#include <set>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;
using tls_stream = tls::stream<tcp_stream>;

// Certificates that are made from the seed, as all else.
struct secure_contexts {
    secure_contexts()
        : authority("an authority", key_kind::ed25519),
          shown(authority.issue({"10.0.0.1"}, {.key = key_kind::ed25519})),
          client(tls::context::client({.ca = tls::pem::text(authority.certificate_text())})),
          server(tls::context::server(
              {.certificate = tls::pem::text(shown.chain), .key = tls::pem::text(shown.key)})) {}

    certificate_authority authority;
    certificate shown;
    tls::context client;
    tls::context server;
};

bool is_tls_failure(std::error_code error) {
    return is_network_failure(error) || error == tls::failure::truncated;
}

const endpoint service{"10.0.0.1", 443};

// Shakes hands and echoes.
task<> echo_securely(tcp_stream below, const tls::context& shared) {
    auto work = [&]() -> task<> {
        tls_stream peer = co_await tls::accept(std::move(below), shared, {.timeout = 1h});
        while (auto piece = co_await peer.recv_chunk()) {
            co_await peer.send_all(piece);
        }
        co_await peer.shutdown_send();
    };
    const auto ended = co_await as_result(work());
    if (!ended.ok()) {
        check_failure(ended.error(), is_tls_failure(ended.error()));
    }
}

// Runs `client()`, which gives a task, while a secure echo is served on a host of its own.
template <typename Client>
task<> with_secure_echo(const secure_contexts& secure, Client client) {
    simulation& world = current_simulation();
    simulated_host& there = world.add_host("server", {"10.0.0.1"});
    simulated_host& here = world.add_host("client");
    world.set_link(there, here, {.latency = draw_time(10ms), .spread = draw_time(1ms)});
    tcp_listener listener = co_await on_host(there, bind_in_the_end(service));
    co_await with_task_group([&](task_group& group) -> task<> {
        auto handler = [&](tcp_stream peer) { return echo_securely(std::move(peer), secure.server); };
        group.spawn([&] { return serve(std::move(listener), handler, {.stop_on = {}}); });
        co_await on_host(here, client());
        group.cancel();
    });
}

// The end that says that all has been said is part of the conversation.
task<> converse(const secure_contexts& secure) {
    tls_stream peer = co_await tls::connect(secure.client, "10.0.0.1", 443);
    for (int count = 0; count < 2; ++count) {
        const std::string text = draw_text();
        co_await exchange_text(peer, text);
    }
    co_await peer.shutdown_send();
    const chunk end = co_await peer.recv_chunk();
    CHECK(end.empty());
}

task<> converse_with_two() {
    const secure_contexts secure;
    co_await with_secure_echo(secure,
                              [&]() -> task<> { co_await gather(converse(secure), converse(secure)); });
}

// Begins a handshake that is cancelled at some moment, and tries again with the same stream until it is done.
task<> interrupt_handshake(const secure_contexts& secure) {
    tcp_stream below = co_await tcp_stream::connect(service);
    tls_stream peer(std::move(below), secure.client, "10.0.0.1");
    for (;;) {
        const bool done = co_await move_on_after(draw_time(30ms), peer.handshake());
        if (done) {
            break;
        }
        if (draw(4) == 0) {
            co_return;  // gives up
        }
    }
    const std::string text = draw_text();
    co_await exchange_text(peer, text);
}

}  // namespace

LEAT_SIMULATE("TLS carries every byte, however short and late its transfers are", seeds(60)) {
    co_await converse_with_two();
}

LEAT_SIMULATE("a TLS handshake that is cancelled at any moment goes on, or leaves nothing behind",
              seeds(60)) {
    const secure_contexts secure;
    co_await with_secure_echo(secure, [&]() -> task<> {
        for (int count = 0; count < 5; ++count) {
            co_await interrupt_handshake(secure);
            (void)co_await move_on_after(draw_time(60ms), converse(secure));
        }
    });
}

LEAT_SIMULATE("TLS over a failing network is told as that, and works again after it",
              {.seeds = 60, .network = {.failures = true}}) {
    const secure_contexts secure;
    co_await with_secure_echo(secure, [&]() -> task<> {
        for (int count = 0; count < 5; ++count) {
            const auto done = co_await as_result(converse(secure));
            if (!done.ok()) {
                check_failure(done.error(), is_tls_failure(done.error()));
            }
        }
        current_simulation().heal();
        co_await converse(secure);
    });
}

LEAT_SIMULATE("a certificate that is renewed while clients come costs none of them its connection",
              seeds(60)) {
    secure_contexts secure;
    const certificate renewed = secure.authority.issue({"10.0.0.1"}, {.key = key_kind::ed25519});
    co_await with_secure_echo(secure, [&]() -> task<> {
        auto renewing = spawn([&]() -> task<> {
            for (int count = 0;; ++count) {
                co_await sleep(draw_time(20ms));
                const certificate& next = count % 2 == 0 ? renewed : secure.shown;
                secure.server.reload(
                    {.certificate = tls::pem::text(next.chain), .key = tls::pem::text(next.key)});
            }
        });
        for (int count = 0; count < 3; ++count) {
            co_await gather(converse(secure), converse(secure));
        }
        renewing.cancel();
        co_await renewing.join();
    });
}

TEST_CASE("a seed gives the same course with TLS") {
    simulation_options options{.chaos = true};
    std::set<std::uint64_t> courses;
    for (options.seed = 1; options.seed <= 10; ++options.seed) {
        std::uint64_t course[2] = {};
        for (std::uint64_t& each : course) {
            simulation world(options);
            run_simulated(world, converse_with_two);
            each = world.event_hash();
        }
        CHECK(course[0] == course[1]);
        courses.insert(course[0]);
    }
    CHECK(courses.size() == 10);
}

}  // namespace leat::testing
