// SPDX-License-Identifier: MIT
// The secrets that a context writes to a file when it is told to, and not otherwise.
#include <leat/tls/session.hpp>

#include "../../support/environment.hpp"
#include "../../support/folder.hpp"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "endpoints.hpp"

namespace leat::tls {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The labels of the lines, each of which must be of the format.
std::set<std::string> labels_in(const std::string& path) {
    std::set<std::string> labels;
    std::istringstream lines(text_of(path));
    for (std::string label, random, secret; lines >> label >> random >> secret;) {
        CHECK(random.size() == 64);
        CHECK(secret.size() >= 64);
        labels.insert(label);
    }
    return labels;
}

struct logging {
    testing::folder files;
    testing::certificate_authority authority;
    testing::certificate made = authority.issue({"a.example"});
    std::string ca = authority.certificate_text();

    [[nodiscard]] context client(const std::string& path) const {
        return context::client({.ca = pem::text(ca), .key_log_file = path});
    }
    [[nodiscard]] context server(const std::string& path) const {
        return context::server(
            {.certificate = pem::text(made.chain), .key = pem::text(made.key), .key_log_file = path});
    }
};

void connect(const context& client_side, const context& server_side) {
    endpoint client(client_side, "a.example");
    endpoint server(server_side);
    REQUIRE(shake_hands(client, server).done());
}

TEST_CASE("both sides write the same secrets, after what the file had, for its owner alone") {
    const logging with;
    const std::string mine = with.files.file("client.keys", "# mine\n");
    const std::string theirs = with.files.path() + "/server.keys";
    const context client_side = with.client(mine);
    const context server_side = with.server(theirs);
    connect(client_side, server_side);
    const std::set<std::string> expected = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                            "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                                            "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"};
    CHECK(labels_in(theirs) == expected);
    CHECK(text_of(mine).starts_with("# mine\n"));
    const auto sorted = [](std::istringstream lines) {
        std::set<std::string> all;
        for (std::string line; std::getline(lines, line);) {
            all.insert(line);
        }
        return all;
    };
    std::set<std::string> of_client = sorted(std::istringstream(text_of(mine)));
    CHECK(of_client.erase("# mine") == 1);
    CHECK(of_client == sorted(std::istringstream(text_of(theirs))));
    using std::filesystem::perms;
    CHECK(std::filesystem::status(theirs).permissions() == (perms::owner_read | perms::owner_write));

    REQUIRE(SSL_CTX_set_max_proto_version(client_side.native(), TLS1_2_VERSION) == 1);
    connect(client_side, server_side);
    CHECK(labels_in(theirs).contains("CLIENT_RANDOM"));
}

TEST_CASE("a key log that cannot be written is an error that names it") {
    const logging with;
    try {
        (void)with.server("/nowhere/keys");
        FAIL("it was accepted");
    } catch (const error& refused) {
        CHECK(refused.what() ==
              std::string("cannot write the key log in /nowhere/keys: No such file or directory"));
        CHECK(refused.code() == std::errc::no_such_file_or_directory);
    }
}

TEST_CASE("the environment alone makes nobody write secrets") {
    const logging with;
    const std::string path = with.files.path() + "/keys";
    const testing::changed_variable named("SSLKEYLOGFILE", path.c_str());
    connect(with.client(""), with.server(""));
    CHECK_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace leat::tls
