// SPDX-License-Identifier: MIT
// Against the openssl program, as client and as server: names, OCSP, client certificates, early data.
#include <leat/net.hpp>
#include <leat/system/process.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls.hpp>

#include "../../support/folder.hpp"

#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream_pair.hpp"

namespace leat::tls {

using leat::testing::kernel;

namespace {

using testing::certificate;

// OpenSSL 3.0 writes "CN = a", later ones "CN=a".
bool contains(std::string text, std::string_view part) {
    for (std::size_t at = 0; (at = text.find(" = ", at)) != text.npos;) {
        text.replace(at, 3, "=");
    }
    const bool found = text.find(part) != std::string::npos;
    CHECK_MESSAGE(found, part << " in " << text);
    return found;
}

struct openssl_peers {
    testing::folder files;
    testing::certificate_authority authority;
    std::string ca_text = authority.certificate_text();
    std::string ca = files.file("ca.pem", ca_text);
    certificate first = authority.issue({"a.example", "127.0.0.1"}, {.common_name = "first"});
    certificate second = authority.issue({"*.b.example"}, {.common_name = "second"});
    certificate second_rsa =
        authority.issue({"*.b.example"}, {.key = testing::key_kind::rsa, .common_name = "second rsa"});
    std::string response = authority.ocsp_response(second);

    [[nodiscard]] server_options options() const {
        return {.certificate = pem::text(first.chain),
                .key = pem::text(first.key),
                .more = {{pem::text(second.chain), pem::text(second.key), der::bytes(response)},
                         {pem::text(second_rsa.chain), pem::text(second_rsa.key)}}};
    }
};

// What s_client says of a server with these options.
task<std::string> seen_by_s_client(const openssl_peers& with, server_options options,
                                   std::vector<std::string> arguments) {
    const context shown = context::server(options);
    listener secure(tcp_listener::bind({"127.0.0.1", 0}), shown);
    std::vector<std::string> command = {"openssl",
                                        "s_client",
                                        "-connect",
                                        secure.local_endpoint().to_string(),
                                        "-CAfile",
                                        with.ca,
                                        "-verify_return_error"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto wait_for_end = [](stream<tcp_stream> peer) -> task<> {
        while (const chunk piece = co_await peer.recv_chunk()) {
        }
        co_await peer.shutdown_send();
    };
    auto serving =
        spawn(serve(std::move(secure), wait_for_end,
                    {.stop_on = {}, .on_error = [](std::exception_ptr, std::optional<leat::endpoint>) {}}));
    process_result result = co_await run_process(command, {.errors = redirect::output});
    serving.cancel();
    co_await serving.join();
    co_return std::move(result.output);
}

}  // namespace

LEAT_TEST("TLS: s_client is shown the certificate of the name that it asks for, and its OCSP response",
          on(kernel)) {
    const openssl_peers with;
    const std::string by_name =
        co_await seen_by_s_client(with, with.options(), {"-servername", "x.b.example", "-status"});
    CHECK(contains(by_name, "subject=CN=second\n"));
    CHECK(contains(by_name, "Verify return code: 0 (ok)"));
    CHECK(contains(by_name, "OCSP Response Status: successful"));
    CHECK(contains(by_name, "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"));
    const std::string rsa =
        co_await seen_by_s_client(with, with.options(),
                                  {"-servername", "x.b.example", "-sigalgs", "RSA-PSS+SHA256:ECDSA+SHA256",
                                   "-client_sigalgs", "RSA-PSS+SHA256", "-tls1_2", "-cipher", "aRSA"});
    CHECK(contains(rsa, "subject=CN=second rsa\n"));
    const std::string nameless =
        co_await seen_by_s_client(with, with.options(), {"-noservername", "-status"});
    CHECK(contains(nameless, "subject=CN=first\n"));
    CHECK(contains(nameless, "OCSP response: no response sent"));
    server_options strict = with.options();
    strict.refuse_unknown_names = true;
    const std::string unknown = co_await seen_by_s_client(with, strict, {"-servername", "c.example"});
    CHECK(contains(unknown, "unrecognized name"));
}

LEAT_TEST("TLS: our client shows its certificate to s_server", on(kernel)) {
    const openssl_peers with;
    const std::string certificate_path = with.files.file("server.pem", with.first.chain);
    const std::string key_path = with.files.file("server.key", with.first.key);
    process server = process::spawn(
        {"openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev", "-cert", certificate_path,
         "-key", key_path, "-CAfile", with.ca, "-Verify", "1", "-verify_return_error"},
        {.output = redirect::pipe, .errors = redirect::output});
    std::string said;
    while (said.find("ACCEPT 127.0.0.1:") == std::string::npos || !said.ends_with('\n')) {
        const chunk piece = co_await server.output().recv_chunk();
        REQUIRE_FALSE(piece.empty());
        said += piece.text();
    }
    const int port = std::atoi(said.c_str() + said.find("127.0.0.1:") + 10);
    const certificate worker = with.authority.issue({"worker-7"});
    const context showing = context::client({.ca = pem::text(with.ca_text),
                                             .certificate = pem::text(worker.chain),
                                             .key = pem::text(worker.key)});
    auto client = co_await connect(showing, "127.0.0.1", port);
    std::string reply(6, ' ');
    co_await client.send_all("water\n");
    co_await client.recv_exactly(reply);
    CHECK(reply == "retaw\n");
    co_await client.shutdown_send();
    while (const chunk piece = co_await server.output().recv_chunk()) {
        said += piece.text();
    }
    CHECK(contains(said, "CN=worker-7"));
    const exit_status ended = co_await server.wait();
    CHECK(ended == exit_status::exited(0));
}

}  // namespace leat::tls
