// SPDX-License-Identifier: MIT
// A server's context that is reloaded: who begins later sees the new settings, who has begun goes on.
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls.hpp>

#include "../../support/folder.hpp"

#include <atomic>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "endpoints.hpp"
#include "stream_pair.hpp"

namespace leat::tls {
namespace {

using testing::certificate;

server_options shown(const certificate& made) {
    return {.certificate = pem::text(made.chain), .key = pem::text(made.key)};
}

// A server and clients that accept whatever it shows.
struct reloaded {
    testing::certificate_authority authority;
    certificate before = authority.issue({"a.example"}, {.common_name = "before"});
    certificate after = authority.issue({"a.example"}, {.common_name = "after"});
    context client_side = client_context(authority);
    context server_side = context::server(shown(before));

    // Whether a new session of these is resumed; it is good in any case.
    bool resumes(const context& by) {
        tls::endpoint client(by, "a.example");
        tls::endpoint server(server_side);
        REQUIRE(shake_hands(client, server).done());
        REQUIRE(server.write(client, "hello").done());
        CHECK(client.read(server) == "hello");
        return client.tls.resumed();
    }
};

TEST_CASE("sessions that begin after a reload show the new certificate, and earlier ones go on") {
    reloaded with;
    tls::endpoint client(with.client_side, "a.example");
    tls::endpoint server(with.server_side);
    tls::endpoint late_client(with.client_side, "a.example");
    tls::endpoint begun(with.server_side);
    REQUIRE(shake_hands(client, server).done());

    with.server_side.reload(shown(with.after));
    CHECK(client.write(server, "still").done());
    CHECK(server.read(client) == "still");
    CHECK(shake_hands(late_client, begun).done());
    CHECK(late_client.tls.peer_subject() == "CN=before");

    const context fresh = client_context(with.authority);
    tls::endpoint next_client(fresh, "a.example");
    tls::endpoint next(with.server_side);
    REQUIRE(shake_hands(next_client, next).done());
    CHECK(next_client.tls.peer_subject() == "CN=after");
}

TEST_CASE("a reload that fails names the file and changes nothing") {
    const testing::folder files;
    reloaded with;
    const std::string chain = files.file("a.pem", with.after.chain);
    const std::string key = files.file("a.key", with.before.key);
    const auto complaint = [&](const server_options& options) -> std::string {
        try {
            with.server_side.reload(options);
        } catch (const error& refused) {
            return refused.what();
        }
        return "";
    };
    const server_options from_files{.certificate = pem::file(chain), .key = pem::file(key)};
    CHECK(complaint(from_files)
              .starts_with("the key in " + key + " does not belong to the certificate in " + chain + ": "));
    CHECK(complaint({.certificate = pem::file("/nowhere/a.pem"), .key = pem::file(key)}) ==
          "cannot read the certificate in /nowhere/a.pem: No such file or directory");
    CHECK(complaint({}) == "a TLS server needs a certificate and its key");
    tls::endpoint client(with.client_side, "a.example");
    tls::endpoint server(with.server_side);
    REQUIRE(shake_hands(client, server).done());
    CHECK(client.tls.peer_subject() == "CN=before");

    std::ofstream(key) << with.after.key;
    CHECK(complaint(from_files).empty());
    const context fresh = client_context(with.authority);
    tls::endpoint next_client(fresh, "a.example");
    tls::endpoint next(with.server_side);
    REQUIRE(shake_hands(next_client, next).done());
    CHECK(next_client.tls.peer_subject() == "CN=after");
}

TEST_CASE("tickets that were given before a reload are good after it") {
    reloaded with;
    CHECK_FALSE(with.resumes(with.client_side));
    CHECK(with.resumes(with.client_side));
    with.server_side.reload(shown(with.after));
    CHECK(with.resumes(with.client_side));
    with.server_side.reload(shown(with.before));
    CHECK(with.resumes(with.client_side));
}

TEST_CASE("tickets are not good any more once other clients are accepted") {
    reloaded with;
    const std::string ca = with.authority.certificate_text();
    const certificate of_client = with.authority.issue({"client.example"});
    const context client_side = context::client(
        {.ca = pem::text(ca), .certificate = pem::text(of_client.chain), .key = pem::text(of_client.key)});
    CHECK_FALSE(with.resumes(client_side));
    server_options demanding = shown(with.after);
    demanding.client_ca = pem::text(ca);
    demanding.require_client_certificate = false;
    with.server_side.reload(demanding);
    CHECK_FALSE(with.resumes(client_side));
    CHECK(with.resumes(client_side));
    demanding.require_client_certificate = true;
    with.server_side.reload(demanding);
    CHECK_FALSE(with.resumes(client_side));
    CHECK(with.resumes(client_side));

    const testing::certificate_authority other("another authority");
    const std::string other_ca = other.certificate_text();
    demanding.client_ca = pem::text(other_ca);
    with.server_side.reload(demanding);
    tls::endpoint client(client_side, "a.example");
    tls::endpoint server(with.server_side);
    CHECK(shake_hands(client, server).server.error == failure::certificate);
}

TEST_CASE("sessions of several threads begin while another one reloads") {
    reloaded with;
    std::atomic<bool> reloading = true;
    std::atomic<int> good = 0;
    std::vector<std::thread> others;
    for (int count = 0; count < 2; ++count) {
        others.emplace_back([&] {
            do {
                const context fresh = client_context(with.authority);
                tls::endpoint client(fresh, "a.example");
                tls::endpoint server(with.server_side);
                if (shake_hands(client, server).done()) {
                    ++good;
                }
            } while (reloading);
        });
    }
    for (int round = 0; round < 50; ++round) {
        with.server_side.reload(shown(round % 2 == 0 ? with.after : with.before));
    }
    reloading = false;
    for (std::thread& each : others) {
        each.join();
    }
    CHECK(good >= 2);
}

}  // namespace

LEAT_TEST("TLS: a server that is reloaded drops no connection and shows the new certificate to the next") {
    reloaded with;
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), with.server_side);
    const leat::endpoint where = secure.local_endpoint();
    const auto echo = [](stream<tcp_stream> peer) -> task<> {
        while (const chunk piece = co_await peer.recv_chunk()) {
            co_await peer.send_all(piece);
        }
        co_await peer.shutdown_send();
    };
    auto serving = spawn(serve(std::move(secure), echo, {.stop_on = {}}));
    const auto connected = [&]() -> task<stream<tcp_stream>> {
        const context fresh = client_context(with.authority);
        stream<tcp_stream> client(co_await tcp_stream::connect(where), fresh, "a.example");
        co_await client.handshake();
        co_return std::move(client);
    };
    auto early = co_await connected();
    with.server_side.reload(shown(with.after));
    auto late = co_await connected();
    CHECK(early.peer_subject() == "CN=before");
    CHECK(late.peer_subject() == "CN=after");
    for (stream<tcp_stream>* each : {&early, &late}) {
        std::string text(5, ' ');
        co_await each->send_all("hello");
        co_await each->recv_exactly(text);
        CHECK(text == "hello");
    }
    serving.cancel();
    co_await serving.join();
}

}  // namespace leat::tls
