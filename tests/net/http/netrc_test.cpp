// SPDX-License-Identifier: MIT
// netrc: what is read of a file, and to whom the client sends it.
#include <leat/http.hpp>
#include <leat/net.hpp>
#include <leat/testing/doctest.hpp>

#include "../../support/folder.hpp"
#include "../../support/http_origin.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

using leat::http::fetched;
using leat::http::netrc;
using leat::http::netrc_login;
using support::answer;
using support::direct;
using support::http_origin;
using support::path_of;
using support::redirect_to;
using support::with_length;

namespace {

// "user password" of this host in that text; "none".
std::string login_in(std::string_view text, std::string_view host, std::string_view user = {}) {
    const netrc all = netrc::parse(text);
    const netrc_login* found = all.find(host, user);
    return found != nullptr ? found->user + " " + found->password : "none";
}

std::string why_no_netrc(std::string_view text) {
    try {
        (void)netrc::parse(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing";
}

std::string authorization_in(const std::string& head) {
    constexpr std::string_view name = "\r\nAuthorization: ";
    const std::size_t at = head.find(name);
    return at == head.npos ? "none"
                           : head.substr(at + name.size(), head.find("\r\n", at + 2) - at - name.size());
}

constexpr const char* of_ann = "Basic YW5uOnNlY3JldA==";  // ann:secret
constexpr const char* of_bob = "Basic Ym9iOm90aGVy";      // bob:other
constexpr const char* of_all = "Basic YWxsOmV2ZXJ5b25l";  // all:everyone

}  // namespace

TEST_CASE("logins are found by the machine that they are for") {
    constexpr std::string_view text =
        "# of all hosts\n"
        "machine a.test login ann password secret\n"
        "machine B.test\n\tlogin bob # with another one\n\tpassword other\r\n"
        "machine a.test login carl password third account x\n"
        "default login all password everyone\n";
    CHECK(login_in(text, "a.test") == "ann secret");
    CHECK(login_in(text, "A.TEST") == "ann secret");
    CHECK(login_in(text, "b.test") == "bob other");
    CHECK(login_in(text, "a.test", "carl") == "carl third");
    CHECK(login_in(text, "a.test", "dan") == "none");
    CHECK(login_in(text, "c.test") == "none");
    CHECK(login_in(text, "x.a.test") == "none");
    const netrc all = netrc::parse(text);
    REQUIRE(all.find_default() != nullptr);
    CHECK(*all.find_default() == netrc_login{"all", "everyone"});
    CHECK(all.find_default("bob") == nullptr);
    CHECK(netrc::parse("").find_default() == nullptr);
}

TEST_CASE("values may be quoted, hold a #, or be missing") {
    CHECK(login_in(R"(machine a login "a b" password "\"\\\n\r\t\x")", "a") == "a b \"\\\n\r\tx");
    CHECK(login_in("machine a login b password #c", "a") == "b #c");
    CHECK(login_in("machine a login b password c\"d", "a") == "b c\"d");
    CHECK(login_in("machine a login \"\" password c", "a") == " c");
    CHECK(login_in("machine a password c", "a") == " c");
    CHECK(login_in("machine a", "a") == " ");
    CHECK(login_in("machine a user b password machine", "a") == "b machine");
}

TEST_CASE("macros are passed over up to an empty line") {
    constexpr std::string_view text =
        "machine a login b password c\nmacdef init\nmachine x login y\n\nmachine d login e password f\n"
        "macdef last\nquit";
    CHECK(login_in(text, "a") == "b c");
    CHECK(login_in(text, "x") == "none");
    CHECK(login_in(text, "d") == "e f");
    CHECK(login_in("macdef m\r\nmachine x\r\n\r\nmachine y", "y") == " ");
}

TEST_CASE("what is no netrc is told with its line, and no secret is shown") {
    for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
             {"machine", "netrc line 1: a machine has no name"},
             {"machine a\nlogin b password\n", "netrc line 3: a password has no value"},
             {"\nlogin b", "netrc line 2: a login before the first machine"},
             {"machine a login b password \"c\nd\"", "netrc line 1: a quote has no end"},
             {"machine a login b password \"c\\", "netrc line 1: a quote has no end"},
             {"machine a login b:c", "netrc line 1: a login has no colon in it"},
             {"machine a\nlogin b password c d",
              "netrc line 2: a word that is none of machine, default, login, password, account and macdef"},
         }) {
        CAPTURE(text);
        CHECK(why_no_netrc(text) == why);
    }
    netrc made;
    CHECK_THROWS_AS(made.add("a", {"b:c", "d"}), std::invalid_argument);
}

LEAT_TEST("a netrc file is read, and what is wrong with it names it", on(leat::testing::kernel)) {
    const leat::testing::folder where;
    const netrc read = co_await netrc::load(where.file("netrc", "machine a login b password c"));
    REQUIRE(read.find("a") != nullptr);
    CHECK(read.find("a")->password == "c");
    const std::string bad = where.file("bad", "\n\nnonsense");
    const std::string what = co_await support::error_of(netrc::load(bad));
    CHECK(what.starts_with(bad + ": netrc line 3: "));
    const std::string none = co_await support::error_of(netrc::load(where.path() + "/none"));
    CHECK(none.find(where.path() + "/none") != none.npos);
}

LEAT_TEST("the client sends the login of a host to it, unless it was given another one") {
    http_origin origin([](const std::string& head) { return with_length(authorization_in(head)); });
    co_await origin.during([&]() -> leat::task<> {
        leat::http::client client(direct);
        client.use_netrc(
            netrc::parse("machine 127.0.0.1 login ann password secret\n"
                         "machine 127.0.0.1 login bob password other"));
        const std::string rest = "127.0.0.1:" + std::to_string(origin.port()) + "/";
        const fetched plain = co_await client.get("http://" + rest);
        CHECK(plain.body == of_ann);
        const fetched user = co_await client.get("http://bob@" + rest);
        CHECK(user.body == of_bob);
        const fetched whole = co_await client.get("http://all:everyone@" + rest);
        CHECK(whole.body == of_all);
        const fetched unknown = co_await client.get("http://dan@" + rest);
        CHECK(unknown.body == "Basic ZGFuOg==");
        const fetched field = co_await client.get("http://" + rest, {}, {{"Authorization", "Bearer t"}});
        CHECK(field.body == "Bearer t");
    });
}

LEAT_TEST("a redirect gets each host its own login, and no other host the default") {
    http_origin other([](const std::string& head) { return with_length(authorization_in(head)); });
    http_origin origin([&](const std::string& head) -> answer {
        const std::string to = path_of(head).substr(1) + ":" + std::to_string(other.port());
        return path_of(head) == "/" ? with_length(authorization_in(head)) : redirect_to("http://" + to + "/");
    });
    co_await origin.during([&]() -> leat::task<> {
        co_await other.during([&]() -> leat::task<> {
            leat::http::client client(direct);
            for (const char* host : {"ann.test", "bob.test", "else.test"}) {
                client.use_addresses(host, other.port(), {leat::address::loopback_ipv4()});
                client.use_addresses(host, origin.port(), {leat::address::loopback_ipv4()});
            }
            client.use_netrc(
                netrc::parse("machine ann.test login ann password secret\n"
                             "machine bob.test login bob password other\n"
                             "default login all password everyone"));
            const auto body_from = [&](std::string host, std::string path) -> leat::task<std::string> {
                const fetched page =
                    co_await client.get("http://" + host + ":" + std::to_string(origin.port()) + path);
                co_return page.body;
            };
            const std::string there = co_await body_from("ann.test", "/bob.test");
            CHECK(there == of_bob);
            const std::string nobody = co_await body_from("ann.test", "/else.test");
            CHECK(nobody == "none");
            const std::string same = co_await body_from("ann.test", "/ann.test");  // on another port
            CHECK(same == of_ann);
            const std::string first = co_await body_from("else.test", "/");
            CHECK(first == of_all);
            const std::string next = co_await body_from("else.test", "/else.test");
            CHECK(next == "none");
            CHECK(authorization_in(origin.heads.back()) == of_all);
        });
    });
}
