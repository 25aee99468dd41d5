// SPDX-License-Identifier: MIT
// Digest authentication: the answers of RFC 7616, and how the client comes to give them.
#include <leat/http.hpp>
#include <leat/http/core/digest_auth.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/http_origin.hpp"

#include <string>
#include <vector>

using leat::http::fetched;
using leat::http::request_body;
using leat::http::request_options;
using leat::http::detail::digest_session;
using leat::http::detail::find_digest_challenge;
using support::answer;
using support::direct;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::with_length;

namespace {

// RFC 7616 3.9.1.
constexpr const char* example =
    R"(Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=ALGORITHM, )"
    R"(nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", )"
    R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
constexpr const char* example_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

std::string with_algorithm(std::string text, std::string_view name) {
    const std::string_view place = "ALGORITHM";
    return text.replace(text.find(place), place.size(), name);
}

// The value of the parameter `name` of an Authorization field.
std::string parameter(const std::string& text, const std::string& name) {
    const std::size_t at = text.find(" " + name + "=");
    if (at == text.npos) {
        return "none";
    }
    const std::size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find_first_of(",\r", begin) - begin);
}

std::string authorization(const std::string& head) {
    const std::size_t at = head.find("\r\nAuthorization: ");
    return at == head.npos ? "none" : head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
}

constexpr request_options by_digest{.login = leat::http::login::digest};

answer challenge(std::string_view nonce, std::string_view more = "") {
    return {
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"b\", Digest realm=\"d\", qop=\"auth\", "
        "algorithm=MD5, nonce=\"" +
        std::string(nonce) + "\"" + std::string(more) + "\r\nContent-Length: 4\r\n\r\nwho?"};
}

std::string at(const http_origin& origin, std::string_view path) {
    return "http://Mufasa:Circle%20of%20Life@127.0.0.1:" + std::to_string(origin.port()) + std::string(path);
}

}  // namespace

TEST_CASE("the answers to the challenges of RFC 7616 and RFC 2069 are right") {
    const auto answer_to = [](const std::string& field, const std::string& credentials) {
        const auto found = find_digest_challenge({{"WWW-Authenticate", field}});
        REQUIRE(found.has_value());
        return digest_session(*found, example_nonce).authorize(credentials, "GET", "/dir/index.html");
    };
    const std::string md5 = answer_to(with_algorithm(example, "MD5"), "Mufasa:Circle of Life");
    CHECK(md5 ==
          R"(Digest username="Mufasa", realm="http-auth@example.org", )"
          R"(nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", algorithm=MD5, )"
          R"(response="8ca523f5e9506fed4657c9700eebdbec", )"
          R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, )"
          R"(cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")");
    const std::string sha = answer_to(with_algorithm(example, "SHA-256"), "Mufasa:Circle of Life");
    CHECK(parameter(sha, "response") ==
          "\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
    const std::string old = answer_to(
        R"(Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5c")",
        "Mufasa:CircleOfLife");
    CHECK(parameter(old, "response") == "\"1949323746fe6a43ef61f9606e7febea\"");
    CHECK(parameter(old, "qop") == "none");
    CHECK(parameter(old, "algorithm") == "none");
}

TEST_CASE("the strongest challenge that can be answered is taken, whatever stands around it") {
    const auto find = [](leat::http::headers fields) { return find_digest_challenge(fields); };
    const auto both =
        find({{"WWW-Authenticate", R"(Basic realm="a, Digest b", Digest nonce=one, realm=x)"},
              {"WWW-Authenticate", R"(Digest nonce="t\"wo", algorithm=SHA-256-sess, stale=TRUE)"},
              {"WWW-Authenticate", R"(Digest nonce=three, algorithm=MD5)"}});
    REQUIRE(both.has_value());
    CHECK(both->nonce == "t\"wo");
    CHECK(both->session);
    CHECK(both->stale);
    for (const char* none :
         {"", "Basic realm=\"x\"", "Digest", "Digest realm=\"x\"", "Digest nonce=\"unended", "nonce=\"x\"",
          "Digest nonce=x, algorithm=SHA-512-256", "Digest nonce=x, qop=auth-int",
          "Digest nonce=x, algorithm=", "Bearer nonce=x", "Digest =, nonce=x"}) {
        CAPTURE(none);
        CHECK_FALSE(find({{"WWW-Authenticate", none}}).has_value());
    }
}

LEAT_TEST("a challenge is answered once, and later requests count on with its nonce") {
    http_origin origin([](const std::string& head) {
        return authorization(head) == "none" ? challenge("first") : with_length("in");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched page = co_await client.get(at(origin, "/a b?c"), by_digest);
        CHECK(page.body == "in");
        CHECK(page.attempts == 2);
        CHECK(authorization(origin.heads.at(0)) == "none");
        const std::string first = authorization(origin.heads.at(1));
        CHECK(parameter(first, "username") == "\"Mufasa\"");
        CHECK(parameter(first, "uri") == "\"/a%20b?c\"");
        CHECK(parameter(first, "nc") == "00000001");
        const fetched again = co_await client.post(at(origin, "/x"), "text", by_digest);
        CHECK(again.attempts == 1);
        CHECK(parameter(authorization(origin.heads.at(2)), "nc") == "00000002");
        CHECK(origin.accepted == 1);
        const fetched anyone = co_await client.get(origin.url("/"), by_digest);
        CHECK(anyone.status == 401);
        const fetched own = co_await client.get(at(origin, "/"), by_digest, {{"Authorization", "Bearer x"}});
        CHECK(authorization(origin.heads.back()) == "Authorization: Bearer x");
    });
}

LEAT_TEST("a nonce that has become stale is replaced, a wrong password ends with the 401") {
    std::string nonce = "one";
    bool wrong = false;
    http_origin origin([&](const std::string& head) {
        const std::string given = parameter(authorization(head), "nonce");
        if (given == "\"" + nonce + "\"" && !wrong) {
            return with_length("in");
        }
        return challenge(nonce, given == "none" || wrong ? "" : ", stale=true");
    });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        (void)co_await client.get(at(origin, "/"), by_digest);
        nonce = "two";
        const fetched page = co_await client.put(at(origin, "/"), "text", by_digest);
        CHECK(page.body == "in");
        CHECK(page.attempts == 2);
        CHECK(origin.bodies == std::vector<std::string>{"text", "text"});
        wrong = true;
        const fetched refused = co_await client.get(at(origin, "/"), by_digest);
        CHECK(refused.status == 401);
        CHECK(refused.body == "who?");
        CHECK(refused.attempts == 2);
        CHECK(origin.accepted == 1);
    });
}

LEAT_TEST("a server that finds every nonce stale does not keep the client for ever") {
    http_origin origin([](const std::string&) { return challenge("always", ", stale=true"); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        const fetched refused = co_await client.get(at(origin, "/"), by_digest);
        CHECK(refused.status == 401);
        CHECK(origin.heads.size() == 4);
    });
}

LEAT_TEST("credentials for digest go to no other origin, and not with a body that can be sent once") {
    http_origin other([](const std::string&) { return challenge("other"); });
    http_origin origin([&](const std::string& head) -> answer {
        if (authorization(head) == "none") {
            return challenge("here");
        }
        return path_of(head) == "/away" ? redirect_to(other.url("/")) : with_length("in");
    });
    co_await other.during([&]() -> leat::task<> {
        co_await origin.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            const fetched away = co_await client.get(at(origin, "/away"), by_digest);
            CHECK(away.status == 401);
            CHECK(other.heads.size() == 1);
            CHECK(authorization(other.heads.at(0)) == "none");
            leat::http::client fresh(direct);
            bool given = false;
            const auto once = [&]() -> leat::task<std::string> {
                co_return std::exchange(given, true) ? "" : "text";
            };
            const fetched refused = co_await fresh.put(at(origin, "/"), request_body::from(once), by_digest);
            CHECK(refused.status == 401);
            CHECK(refused.attempts == 1);
        });
    });
}
