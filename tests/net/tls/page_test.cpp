// SPDX-License-Identifier: MIT
// The code of docs/tls.md, as it stands there.
#include "../../support/environment.hpp"
#include "../../support/folder.hpp"
#include "../../support/printed_by.hpp"

#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads.hpp>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include <unistd.h>
#include <csignal>

#define main main_of_the_page

// TLS: begin
#include <leat/net.hpp>
#include <leat/tls.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

// Prints the names in the certificate of a server.
leat::task<> print_names(std::string host, int port) {
    const auto trust = leat::tls::context::client();
    auto server = co_await leat::tls::connect(trust, host, port);
    std::printf("%s\n", server.session().peer_names().c_str());
    co_await server.shutdown_send();
}

int main(int argc, char** argv) {
    return argc == 3 ? leat::run_main(print_names(argv[1], std::atoi(argv[2]))) : 2;
}
// TLS: end

#undef main

using namespace std::chrono_literals;
using leat::testing::certificate_authority;

namespace {

// TLS: begin
leat::task<> echo(leat::tls::stream<leat::tcp_stream> client) {
    while (auto part = co_await client.recv_chunk()) {
        co_await client.send_all(part);
    }
    co_await client.shutdown_send();  // without it the client sees a truncated stream
}

leat::task<> serve_echo(leat::tcp_listener listener, std::string certificate_path, std::string key_path) {
    const auto shown = leat::tls::context::server(
        {.certificate = leat::tls::pem::file(certificate_path), .key = leat::tls::pem::file(key_path)});
    co_await leat::serve(leat::tls::listener(std::move(listener), shown), echo);
}
// TLS: end

// TLS: begin
leat::tls::context two_sites() {
    using leat::tls::pem;
    return leat::tls::context::server(
        {.certificate = pem::file("/etc/tls/first.example.pem"),
         .key = pem::file("/etc/tls/first.example.key"),
         .more = {{.certificate = pem::file("/etc/tls/second.example.pem"),
                   .key = pem::file("/etc/tls/second.example.key"),
                   .ocsp = leat::tls::der::file("/etc/tls/second.example.ocsp")},
                  {.certificate = pem::file("/etc/tls/second.example.rsa.pem"),
                   .key = pem::file("/etc/tls/second.example.rsa.key")}}});
}
// TLS: end

// TLS: begin
// Runs beside the server. What the options refer to lives as long.
leat::task<> reload_at_hangup(leat::tls::context& shown, leat::tls::server_options options) {
    leat::signal_set hangups{SIGHUP};
    for (;;) {
        co_await hangups.next();
        try {
            co_await leat::offload([&] { shown.reload(options); });  // reading files blocks
        } catch (const leat::tls::error& failed) {
            std::fprintf(stderr, "the old certificate stays: %s\n", failed.what());
        }
    }
}
// TLS: end

// TLS: begin
leat::tls::context logged_if_asked() {
    const char* log = std::getenv("SSLKEYLOGFILE");
    return leat::tls::context::client({.key_log_file = log != nullptr ? log : ""});
}
// TLS: end

// TLS: begin
leat::task<std::string> say(const leat::tls::context& trust, std::string host, int port, std::string text) {
    auto stream = co_await leat::tls::connect(trust, host, port);
    co_await stream.send_all(text);
    co_await stream.shutdown_send();
    std::string answer;
    while (auto part = co_await stream.recv_chunk()) {
        answer += part.text();
    }
    co_return answer;
}
// TLS: end

// TLS: begin
leat::task<leat::tls::stream<leat::tcp_stream>> start_tls(leat::tcp_stream plain,
                                                          const leat::tls::context& trust, std::string host) {
    co_await plain.send_all("STARTTLS\r\n");
    std::string answer(8, ' ');
    co_await plain.recv_exactly(answer);  // no more than the answer: the next bytes are TLS
    if (answer != "220 go\r\n") {
        throw std::runtime_error(host + " does not speak TLS");
    }
    leat::tls::stream secured(std::move(plain), trust, host);
    co_await secured.handshake(10s);
    co_return std::move(secured);
}
// TLS: end

// TLS: begin
leat::task<std::string> client_name(leat::tcp_stream below, const leat::tls::context& shown) {
    auto client = co_await leat::tls::accept(std::move(below), shown);
    const std::string name = client.peer_subject();  // "CN=worker-7": signed by an authority of client_ca
    co_await client.send_all("hello " + name);
    co_await client.shutdown_send();
    co_return name;
}
// TLS: end

// TLS: begin
leat::task<std::string> why_refused(const leat::tls::context& trust, std::string host, int port) {
    try {
        auto server = co_await leat::tls::connect(trust, host, port, {.timeout = 5s});
        co_await server.shutdown_send();
    } catch (const std::system_error& error) {
        if (error.code() == leat::tls::failure::certificate) {
            co_return error.what();
        }
        throw;
    }
    co_return "";
}
// TLS: end

// TLS: begin
LEAT_TEST("what is said over TLS comes back") {
    const certificate_authority authority;
    const auto issued = authority.issue({"127.0.0.1"});
    const auto shown = leat::tls::context::server(
        {.certificate = leat::tls::pem::text(issued.chain), .key = leat::tls::pem::text(issued.key)});
    const std::string trusted = authority.certificate_text();
    const auto trust = leat::tls::context::client({.ca = leat::tls::pem::text(trusted)});
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    auto server = leat::spawn([&]() -> leat::task<> {
        auto below = co_await listener.accept();
        auto client = co_await leat::tls::accept(std::move(below), shown);
        std::string word(5, ' ');
        co_await client.recv_exactly(word);
        co_await client.send_all(word);
        co_await client.shutdown_send();
    });
    const std::string answer = co_await say(trust, "127.0.0.1", port, "water");
    CHECK(answer == "water");
    co_await server;
}
// TLS: end

struct authority_and_files {
    certificate_authority authority;
    std::string trusted = authority.certificate_text();
    leat::testing::certificate issued = authority.issue({"127.0.0.1", "mail.example"});
    leat::testing::folder files;
    std::string certificate_path = files.file("server.pem", issued.chain);
    std::string key_path = files.file("server.key", issued.key);
    leat::tls::context trust = leat::tls::context::client({.ca = leat::tls::pem::text(trusted)});
    leat::tls::context shown = leat::tls::context::server(
        {.certificate = leat::tls::pem::file(certificate_path), .key = leat::tls::pem::file(key_path)});
};

}  // namespace

TEST_CASE("the program of the page about TLS prints the names in a server's certificate") {
    const authority_and_files with;
    const std::string path = with.files.file("authorities.pem", with.trusted);
    const leat::testing::changed_variable trust("SSL_CERT_FILE", path.c_str());
    std::promise<int> bound;
    std::thread server([&] {
        leat::run([&]() -> leat::task<> {
            auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
            bound.set_value(listener.local_endpoint().port());
            auto below = co_await listener.accept();
            auto client = co_await leat::tls::accept(std::move(below), with.shown);
            (void)co_await client.recv_chunk();
        });
    });
    std::string port = std::to_string(bound.get_future().get());
    std::string name = "names";
    std::string host = "127.0.0.1";
    char* arguments[] = {name.data(), host.data(), port.data(), nullptr};
    const std::string printed = leat::testing::printed_by([&] { return main_of_the_page(3, arguments); });
    server.join();
    CHECK(printed == "127.0.0.1, mail.example\n");
}

LEAT_TEST("the TLS server of the page answers its client") {
    const authority_and_files with;
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    auto server = leat::spawn(serve_echo(std::move(listener), with.certificate_path, with.key_path));
    const std::string answer = co_await say(with.trust, "127.0.0.1", port, "mill");
    CHECK(answer == "mill");
    server.cancel();
    co_await server.join();
}

LEAT_TEST("a connection that begins in plain text goes on in TLS") {
    const authority_and_files with;
    auto [near, far] = co_await leat::testing::stream_pair();
    auto server = leat::spawn([&]() -> leat::task<std::string> {
        std::string asked(10, ' ');
        co_await far.recv_exactly(asked);
        co_await far.send_all("220 go\r\n");
        auto secured = co_await leat::tls::accept(std::move(far), with.shown);
        std::string word(5, ' ');
        co_await secured.recv_exactly(word);
        co_return word;
    });
    auto client = co_await start_tls(std::move(near), with.trust, "mail.example");
    co_await client.send_all("wheel");
    const std::string word = co_await server;
    CHECK(word == "wheel");
}

LEAT_TEST("a TLS server learns which client it has by the certificate that it shows") {
    const authority_and_files with;
    const auto worker = with.authority.issue({"worker-7"});
    const auto shown = leat::tls::context::server({.certificate = leat::tls::pem::file(with.certificate_path),
                                                   .key = leat::tls::pem::file(with.key_path),
                                                   .client_ca = leat::tls::pem::text(with.trusted)});
    const auto showing = leat::tls::context::client({.ca = leat::tls::pem::text(with.trusted),
                                                     .certificate = leat::tls::pem::text(worker.chain),
                                                     .key = leat::tls::pem::text(worker.key)});
    auto [near, far] = co_await leat::testing::stream_pair();
    auto server = leat::spawn(client_name(std::move(far), shown));
    leat::tls::stream client(std::move(near), showing, "mail.example");
    std::string hello(17, ' ');
    co_await client.recv_exactly(hello);
    CHECK(hello == "hello CN=worker-7");
    co_await client.shutdown_send();
    const std::string name = co_await server;
    CHECK(name == "CN=worker-7");
}

LEAT_TEST("a server reads its certificate again at SIGHUP", on(leat::testing::kernel)) {
    authority_and_files with;
    leat::tls::listener secure(leat::tcp_listener::bind({"127.0.0.1", 0}), with.shown);
    const int port = secure.local_endpoint().port();
    auto serving = leat::spawn(leat::serve(std::move(secure), echo, {.stop_on = {}}));
    auto reloading =
        leat::spawn(reload_at_hangup(with.shown, {.certificate = leat::tls::pem::file(with.certificate_path),
                                                  .key = leat::tls::pem::file(with.key_path)}));
    const auto trust =
        leat::tls::context::client({.ca = leat::tls::pem::text(with.trusted), .resume = false});
    const auto names_now = [&]() -> leat::task<std::string> {
        auto client = co_await leat::tls::connect(trust, "127.0.0.1", port);
        co_await client.shutdown_send();
        const leat::chunk end = co_await client.recv_chunk();
        CHECK(end.empty());
        co_return client.session().peer_names();
    };
    std::string names = co_await names_now();
    CHECK(names == "127.0.0.1, mail.example");
    const auto renewed = with.authority.issue({"127.0.0.1", "renewed.example"});
    (void)with.files.file("server.pem", renewed.chain);
    (void)with.files.file("server.key", renewed.key);
    CHECK(::kill(::getpid(), SIGHUP) == 0);
    while (names == "127.0.0.1, mail.example") {
        names = co_await names_now();
    }
    CHECK(names == "127.0.0.1, renewed.example");
    for (auto* each : {&serving, &reloading}) {
        each->cancel();
        co_await each->join();
    }
}

TEST_CASE("the server with two sites names the first file that is not there") {
    try {
        (void)two_sites();
        FAIL("it found its files");
    } catch (const std::system_error& error) {
        CHECK(error.what() == std::string("cannot read the certificate in /etc/tls/first.example.pem: "
                                          "No such file or directory"));
    }
}

TEST_CASE("the client that writes its secrets where the environment says makes the file") {
    const leat::testing::folder files;
    const std::string path = files.path() + "/keys";
    const leat::testing::changed_variable log("SSLKEYLOGFILE", path.c_str());
    CHECK(logged_if_asked().side() == leat::tls::role::client);
    CHECK(std::filesystem::exists(path));
}

LEAT_TEST("why a certificate is refused is told in one line, and who is trusted is not refused") {
    const authority_and_files with;
    const certificate_authority unknown("another authority");
    const std::string other = unknown.certificate_text();
    const auto distrusting = leat::tls::context::client({.ca = leat::tls::pem::text(other)});
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const auto place = listener.local_endpoint();
    auto server = leat::spawn([&]() -> leat::task<std::error_code> {
        auto first = co_await listener.accept();
        const auto refused = co_await leat::as_result(leat::tls::accept(std::move(first), with.shown));
        auto second = co_await listener.accept();
        auto accepted = co_await leat::tls::accept(std::move(second), with.shown);
        co_return refused.error();
    });
    const std::string refused = co_await why_refused(distrusting, "127.0.0.1", place.port());
    CHECK(refused.starts_with("TLS handshake with " + place.to_string() + ": certificate verify failed: "));
    const std::string accepted = co_await why_refused(with.trust, "127.0.0.1", place.port());
    CHECK(accepted.empty());
    const std::error_code told = co_await server;
    CHECK(told == leat::tls::failure::alert);
}
