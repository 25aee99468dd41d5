// SPDX-License-Identifier: MIT
#include "timings_order.hpp"

#include <leat/http.hpp>
#include <leat/http/serve_tls.hpp>
#include <leat/net.hpp>
#include <leat/testing/certificates.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/tls.hpp>

#include "../../support/folder.hpp"
#include "../../support/http_origin.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

using namespace std::chrono_literals;
using leat::http::fetched;
using leat::http::request;
using leat::http::response;
using support::answer;
using support::direct;
using support::error_of;
using support::http_origin;
using support::then;

namespace {

const leat::testing::certificate_authority& authority() {
    static const leat::testing::certificate_authority made;
    return made;
}

// The authority's certificate in a file, as --cacert takes it.
class authority_file {
public:
    authority_file() : path_("/tmp/leat-test-authority-" + std::to_string(::getpid()) + ".pem") {
        std::ofstream(path_) << authority().certificate_text();
    }
    authority_file(const authority_file&) = delete;
    authority_file& operator=(const authority_file&) = delete;
    ~authority_file() { std::remove(path_.c_str()); }
    [[nodiscard]] leat::http::client_options trusted() const {
        leat::http::client_options options = direct;
        options.ca_file = path_;
        return options;
    }

private:
    std::string path_;
};

leat::task<response> page(const request& asked) {
    response made;
    made.body = asked.target == "/big"    ? std::string(1'000'000, 's')
                : asked.target == "/echo" ? asked.body
                                          : "secret";
    if (asked.target == "/down") {
        made.status = 301;
        made.headers.add("Location", "http://localhost/");
    }
    co_return made;
}

// Runs an https server with `shown` while `body(its URL without a path)` runs.
template <typename Body>
leat::task<> during(const leat::testing::certificate& shown, Body body) {
    const auto context = leat::tls::context::server(
        {.certificate = leat::tls::pem::text(shown.chain), .key = leat::tls::pem::text(shown.key)});
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const std::string port = std::to_string(listener.local_endpoint().port());
        group.spawn(
            leat::http::serve(std::move(listener), context, page, {.http = {.grace = 0ms, .stop_on = {}}}));
        co_await body("https://127.0.0.1:" + port);
        group.cancel();
    });
}

}  // namespace

LEAT_TEST("https is fetched with a certificate that is checked, over one connection") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}), [&](std::string origin) -> leat::task<> {
        leat::http::client client(file.trusted());
        for (int i = 0; i < 3; ++i) {
            const fetched small = co_await client.get(origin + "/");
            CHECK(small.body == "secret");
            const fetched big = co_await client.get(origin + "/big");
            CHECK(big.body == std::string(1'000'000, 's'));
        }
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("an answer tells what TLS has agreed on, where that was asked for") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}, {.common_name = "a.example"}),
                    [&](std::string origin) -> leat::task<> {
                        leat::http::client client(file.trusted());
                        const fetched untold = co_await client.get(origin + "/");
                        CHECK_FALSE(untold.tls.has_value());
                        CHECK(untold.timings.secured.has_value());
                        CHECK(leat::testing::are_ordered(untold.timings));
                        const fetched told = co_await client.head(origin + "/", {.tell_tls = true});
                        CHECK_FALSE(told.timings.secured.has_value());
                        REQUIRE(told.tls.has_value());
                        CHECK(told.tls->version == "TLSv1.3");
                        CHECK(told.tls->cipher.starts_with("TLS_"));
                        CHECK(told.tls->alpn.empty());  // the server has none
                        CHECK(told.tls->subject == "CN=a.example");
                        CHECK(told.tls->issuer == "CN=leat test authority");
                        CHECK(told.tls->names == "127.0.0.1");
                        REQUIRE(told.tls->expires.has_value());
                        CHECK(*told.tls->expires > std::chrono::sys_days(std::chrono::year(2020) / 1 / 1));
                        CHECK_FALSE(told.tls->resumed);
                        client.close_idle_connections();
                        const fetched resumed = co_await client.get(origin + "/", {.tell_tls = true});
                        REQUIRE(resumed.tls.has_value());
                        CHECK(resumed.tls->resumed);
                        CHECK(resumed.tls->issuer == told.tls->issuer);
                        CHECK(resumed.timings.secured.has_value());
                    });
}

LEAT_TEST("bodies of memory and of pieces go over https, beside the wait for an answer") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}), [&](std::string origin) -> leat::task<> {
        leat::http::client client(file.trusted());
        const std::string large(900'000, 'l');
        const fetched of_memory = co_await client.post(origin + "/echo", large);
        const bool same = of_memory.body == large;
        CHECK(same);
        int left = 9;
        const auto pieces = [&]() -> leat::task<std::string> {
            co_await leat::yield();
            co_return std::string(left-- > 0 ? 100'000 : 0, 'l');
        };
        const fetched of_pieces =
            co_await client.put(origin + "/echo", leat::http::request_body::from(pieces));
        const bool again = of_pieces.body == large;
        CHECK(again);
        CHECK(client.idle_connections() == 1);
    });
}

LEAT_TEST("a client shows its certificate to the https server that asks for one, and writes its secrets") {
    const leat::testing::folder files;
    const std::string ca = authority().certificate_text();
    const leat::testing::certificate shown = authority().issue({"127.0.0.1"});
    const leat::testing::certificate worker = authority().issue({"worker-7"});
    const auto context = leat::tls::context::server({.certificate = leat::tls::pem::text(shown.chain),
                                                     .key = leat::tls::pem::text(shown.key),
                                                     .client_ca = leat::tls::pem::text(ca)});
    const auto greet = [](const request& asked) -> leat::task<response> {
        response made;
        made.body = asked.connection->tls()->peer_subject();
        co_return made;
    };
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "https://" + listener.local_endpoint().to_string() + "/";
    auto serving =
        leat::spawn(leat::http::serve(std::move(listener), context, greet, {.http = {.stop_on = {}}}));
    const authority_file file;
    leat::http::client_options options = file.trusted();
    {
        leat::http::client nobody(options);
        const auto refused = co_await leat::as_result(nobody.get(url));
        CHECK_FALSE(refused.ok());
    }
    const std::string certificate = files.file("worker.pem", worker.chain);
    const std::string key = files.file("worker.key", worker.key);
    const std::string log = files.path() + "/keys";
    options.certificate_file = certificate;
    options.key_file = key;
    options.key_log_file = log;
    leat::http::client client(options);
    const fetched page = co_await client.get(url);
    CHECK(page.body == "CN=worker-7");
    CHECK(std::filesystem::file_size(log) > 0);
    serving.cancel();
    co_await serving.join();
}

LEAT_TEST("an unknown authority, another host's certificate and an expired one are refused, and named") {
    const authority_file file;
    const auto refusal = [&](const leat::testing::certificate& shown, leat::http::client_options options,
                             std::string& what) -> leat::task<> {
        co_await during(shown, [&](std::string origin) -> leat::task<> {
            leat::http::client client(options);
            what = co_await error_of(client.get(origin + "/x"));
            CHECK(what.starts_with(origin + "/x: "));
            CHECK(what.find('\n') == what.npos);
            CHECK(client.idle_connections() == 0);
        });
    };
    std::string what;
    co_await refusal(authority().issue({"127.0.0.1"}), direct, what);
    CHECK(what.find("certificate verify failed: ") != what.npos);
    co_await refusal(authority().issue({"elsewhere.example"}), file.trusted(), what);
    CHECK(what.find("certificate verify failed: ") != what.npos);
    const leat::testing::certificate_options expired{.not_before = -2h, .not_after = -1h};
    co_await refusal(authority().issue({"127.0.0.1"}, expired), file.trusted(), what);
    CHECK(what.find("certificate verify failed: certificate has expired") != what.npos);
}

LEAT_TEST("insecure accepts any certificate") {
    co_await during(leat::testing::self_signed({"elsewhere.example"}),
                    [](std::string origin) -> leat::task<> {
                        leat::http::client client({.insecure = true, .environment_proxies = false});
                        const fetched found = co_await client.get(origin + "/");
                        CHECK(found.body == "secret");
                    });
}

LEAT_TEST("a redirect from https to http is refused") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}), [&](std::string origin) -> leat::task<> {
        leat::http::client client(file.trusted());
        const std::string what = co_await error_of(client.get(origin + "/down"));
        CHECK(what == origin + "/down: refused to follow a redirect from https to http://localhost/");
    });
}

LEAT_TEST("a server that never shakes hands is given up") {
    auto silent = leat::tcp_listener::bind({"127.0.0.1", 0});
    const std::string url = "https://" + silent.local_endpoint().to_string() + "/";
    leat::http::client client(direct);
    const std::string what = co_await error_of(client.get(url, {.tls_handshake = 20ms}));
    CHECK(what.starts_with(url + ": TLS handshake with 127.0.0.1"));
    const std::string total = co_await error_of(client.get(url, {.total = 20ms}));
    CHECK(total == url + ": not done within 20 ms");
}

LEAT_TEST("https goes through a proxy's tunnel, and the proxy sees nothing of it") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}), [&](std::string origin) -> leat::task<> {
        auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
        const leat::endpoint where = listener.local_endpoint();
        const int port = leat::http::url::parse(origin).port();
        std::string head;
        auto proxy = leat::spawn([&]() -> leat::task<> {
            auto near = co_await listener.accept();
            while (head.find("\r\n\r\n") == head.npos) {
                const auto chunk = co_await near.recv_chunk();
                head += chunk.text();
            }
            auto far = co_await leat::tcp_stream::connect({"127.0.0.1", port});
            co_await near.send_all("HTTP/1.1 200 Connected\r\n\r\n");
            const auto copy = [](leat::tcp_stream& from, leat::tcp_stream& to) -> leat::task<> {
                while (auto chunk = co_await from.recv_chunk()) {
                    co_await to.send_all(chunk);
                }
            };
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                group.spawn([&] { return copy(far, near); });
                co_await copy(near, far);
                group.cancel();
                co_await group.wait();
            });
        });
        {
            leat::http::client client(file.trusted());
            leat::http::proxies some;
            some.set_https(where.to_string());
            client.use_proxies(some);
            const fetched found = co_await client.get(origin + "/");
            CHECK(found.body == "secret");
            CHECK(found.timings.tunnelled.has_value());
            CHECK(leat::testing::are_ordered(found.timings));
            CHECK(found.peer == where);
            CHECK(head == "CONNECT 127.0.0.1:" + std::to_string(port) +
                              " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n\r\n");
        }
        proxy.cancel();
        co_await proxy.join();
    });
}

LEAT_TEST("cancelling an https request at any of its waits leaves the client in order") {
    const authority_file file;
    co_await during(authority().issue({"127.0.0.1"}), [&](std::string origin) -> leat::task<> {
        leat::http::client_options options = file.trusted();
        options.connections_per_host = 1;
        leat::http::client client(options);
        bool completed = false;
        for (int turns = 0; !completed; ++turns) {
            client.close_idle_connections();
            auto asked = leat::spawn([&]() -> leat::task<> { (void)co_await client.get(origin + "/"); });
            for (int i = 0; i < turns && !asked.done(); ++i) {
                co_await leat::yield();
            }
            completed = asked.done();
            asked.cancel();
            co_await asked.join();
        }
        const fetched found = co_await client.get(origin + "/");
        CHECK(found.body == "secret");
    });
}
