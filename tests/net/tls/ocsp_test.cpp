// SPDX-License-Identifier: MIT
// The OCSP response that a server sends with its certificate, to clients that ask for it.
#include <leat/core/wall_clock.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls.hpp>

#include "../../support/folder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "endpoints.hpp"
#include "stream_pair.hpp"

namespace leat::tls {

using namespace std::chrono_literals;

namespace {

using testing::certificate;

struct stapled {
    testing::certificate_authority authority;
    certificate made = authority.issue({"a.example"});
    std::string ca = authority.certificate_text();
    context asking = context::client({.ca = pem::text(ca), .ask_ocsp = true, .resume = false});

    [[nodiscard]] server_options with(const der& response) const {
        return {.certificate = pem::text(made.chain), .key = pem::text(made.key), .ocsp = response};
    }
};

std::string answered(const context& client_side, const context& server_side, std::string_view host) {
    endpoint client(client_side, host);
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
    return std::string(client.tls.ocsp_response());
}

TEST_CASE("a client that asks sees the OCSP response of the certificate that it is shown") {
    const stapled to;
    const certificate further = to.authority.issue({"b.example"}, {.key = testing::key_kind::rsa});
    const certificate without = to.authority.issue({"c.example"});
    const std::string first_response = to.authority.ocsp_response(to.made);
    const std::string further_response = to.authority.ocsp_response(further, {.revoked = true});
    server_options options = to.with(der::bytes(first_response));
    options.more = {{pem::text(further.chain), pem::text(further.key), der::bytes(further_response)},
                    {pem::text(without.chain), pem::text(without.key)}};
    const context server_side = context::server(options);
    CHECK(answered(to.asking, server_side, "a.example") == first_response);
    CHECK(answered(to.asking, server_side, "b.example") == further_response);
    CHECK(answered(to.asking, server_side, "c.example") == "");
    CHECK(answered(client_context(to.authority), server_side, "a.example") == "");
    CHECK(answered(to.asking, context::server(to.with({})), "a.example") == "");
}

TEST_CASE("a response comes from a file, and a reload brings a newer one") {
    const stapled to;
    const testing::folder files;
    const std::string old = to.authority.ocsp_response(to.made, {.next_update = 1h});
    const std::string newer = to.authority.ocsp_response(to.made, {.next_update = 2h});
    const std::string path = files.file("a.ocsp", old);
    context server_side = context::server(to.with(der::file(path)));
    CHECK(answered(to.asking, server_side, "a.example") == old);
    CHECK(files.file("a.ocsp", newer) == path);
    CHECK(answered(to.asking, server_side, "a.example") == old);
    server_side.reload(to.with(der::file(path)));
    CHECK(answered(to.asking, server_side, "a.example") == newer);
}

TEST_CASE("what is no response about the certificate is refused, with the file") {
    const stapled to;
    const testing::folder files;
    const std::string about_other = to.authority.ocsp_response(to.authority.issue({"b.example"}));
    const std::string try_later("\x30\x03\x0a\x01\x03", 5);  // a whole response: tryLater
    const auto complaint = [&](const der& response) -> std::string {
        try {
            (void)context::server(to.with(response));
        } catch (const error& refused) {
            return refused.what();
        }
        return "";
    };
    CHECK(complaint(der::bytes("")) ==
          "the given OCSP response cannot be used: it is no OCSP response in DER form");
    CHECK(complaint(der::bytes(to.made.chain)) ==
          "the given OCSP response cannot be used: it is no OCSP response in DER form");
    CHECK(complaint(der::bytes(try_later)) == "the given OCSP response cannot be used: trylater");
    CHECK(complaint(der::bytes(about_other)) ==
          "the given OCSP response cannot be used: it is not about the certificate");
    const std::string path = files.file("other.ocsp", about_other);
    CHECK(complaint(der::file(path)) ==
          "the OCSP response in " + path + " cannot be used: it is not about the certificate");
    CHECK(complaint(der::file("/nowhere/a.ocsp")) ==
          "cannot read the OCSP response in /nowhere/a.ocsp: No such file or directory");
    CHECK(complaint(der::file(files.path())) ==
          "cannot read the OCSP response in " + files.path() + ": Is a directory");
}

TEST_CASE("a response is not sent once a newer one is to be had") {
    const stapled to;
    const std::string response = to.authority.ocsp_response(to.made, {.next_update = -1s});
    CHECK(answered(to.asking, context::server(to.with(der::bytes(response))), "a.example") == "");
}

}  // namespace

LEAT_TEST("TLS: a stream sees the OCSP response, until its time has passed", on(testing::simulated)) {
    const stapled to;
    const auto begun = leat::detail::wall_clock() - std::chrono::system_clock::now();
    const auto end = std::chrono::duration_cast<std::chrono::seconds>(begun) + 30min;
    const std::string response = to.authority.ocsp_response(to.made, {.next_update = end});
    const context server_side = context::server(to.with(der::bytes(response)));
    for (const bool is_current : {true, false}) {
        auto [near, far] = memory_stream::pair();
        stream<memory_stream> client(std::move(near), to.asking, "a.example");
        stream<memory_stream> server(std::move(far), server_side);
        if (!is_current) {
            co_await sleep(1h);
        }
        co_await gather(client.handshake(), server.handshake());
        CHECK(client.session().ocsp_response() == (is_current ? response : ""));
    }
}

}  // namespace leat::tls
