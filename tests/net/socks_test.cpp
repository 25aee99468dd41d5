// SPDX-License-Identifier: MIT
#include <leat/net.hpp>
#include <leat/runtime.hpp>
#include <leat/socks.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/testing/stream_pair.hpp>

#include "proxy_talk.hpp"

#include <stdexcept>
#include <string>
#include <utility>

using leat::tcp_stream;
using leat::testing::all_of;
using leat::testing::talk;
using namespace std::string_literals;

namespace {

leat::task<talk> connect_through(std::string answers, std::string host, std::string user = "") {
    const auto connect = [&](tcp_stream proxy) {
        return leat::connect_by_socks5(std::move(proxy), std::move(host), 258, std::move(user), "pass");
    };
    co_return co_await leat::testing::talk_through(std::move(answers), connect);
}

const std::string accepted = "\x05\0\x05\0\0\x01\x7f\0\0\x01\x04\x38"s;

}  // namespace

LEAT_TEST("a name is given to the proxy as it is, and what follows its reply is the connection's") {
    const talk name = co_await connect_through(accepted + "hello", "example.org");
    CHECK(name.heard ==
          "\x05\x01\0\x05\x01\0\x03\x0b"
          "example.org\x01\x02"s);
    CHECK(name.ended == "connected");
    CHECK(name.first == "hello");
    const talk ipv4 = co_await connect_through(accepted, "192.0.2.1");
    CHECK(ipv4.heard == "\x05\x01\0\x05\x01\0\x01\xc0\0\x02\x01\x01\x02"s);
    const talk ipv6 = co_await connect_through("\x05\0\x05\0\0\x04"s + std::string(18, 'x'), "2001:db8::1");
    CHECK(ipv6.heard == "\x05\x01\0\x05\x01\0\x04\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x01\x02");
    CHECK(ipv6.ended == "connected");
    const talk named = co_await connect_through("\x05\0\x05\0\0\x03\x02zz\0\0!"s, "a");
    CHECK(named.first == "!");
}

LEAT_TEST("a proxy may ask for the user and the password that are there, and for nothing else") {
    const talk asked = co_await connect_through("\x05\x02\x01\0"s + accepted.substr(2), "a", "me");
    CHECK(asked.heard ==
          "\x05\x02\0\x02\x01\x02me\x04pass\x05\x01\0\x03\x01"
          "a\x01\x02"s);
    CHECK(asked.ended == "connected");
    const talk not_asked = co_await connect_through(accepted, "a", "me");
    CHECK(not_asked.heard ==
          "\x05\x02\0\x02\x05\x01\0\x03\x01"
          "a\x01\x02"s);
    const talk wrong = co_await connect_through("\x05\x02\x01\x01"s, "a", "me");
    CHECK(wrong.ended ==
          "connect to a:258 by SOCKS5: the proxy refuses the user or the password: Permission denied");
    for (const char* choice : {"\x05\x02", "\x05\x01", "\x05\xff"}) {
        const talk none = co_await connect_through(choice, "a");
        CHECK(none.ended ==
              "connect to a:258 by SOCKS5: the proxy accepts no way to log in that is offered: Permission "
              "denied");
    }
}

LEAT_TEST("what the proxy refuses has the error that a connection of one's own would have had") {
    constexpr std::errc meanings[] = {std::errc::io_error,
                                      std::errc::permission_denied,
                                      std::errc::network_unreachable,
                                      std::errc::host_unreachable,
                                      std::errc::connection_refused,
                                      std::errc::timed_out,
                                      std::errc::operation_not_supported,
                                      std::errc::address_family_not_supported,
                                      std::errc::io_error};
    for (char reply = 1; reply <= 9; ++reply) {
        const talk refused = co_await connect_through("\x05\0\x05"s + reply + "\0\x01\0\0\0\0\0\0"s, "a");
        CHECK(refused.code == std::make_error_code(meanings[reply - 1]));
        CHECK(refused.ended.starts_with("connect to a:258 by SOCKS5: "));
    }
}

LEAT_TEST("a proxy that ends early, or speaks something else, is an error") {
    for (std::size_t size = 0; size < accepted.size(); ++size) {
        const talk cut = co_await connect_through(accepted.substr(0, size), "a");
        CHECK(cut.code == leat::stream_errc::end_of_stream);
    }
    const talk http = co_await connect_through("HTTP/1.1 400 Bad Request\r\n", "a");
    CHECK(http.code == std::errc::protocol_error);
    const talk odd = co_await connect_through("\x05\0\x05\0\0\x09zzzzzzzzz"s, "a");
    CHECK(odd.code == std::errc::protocol_error);
}

LEAT_TEST("a host that SOCKS5 cannot name is refused before anything is sent") {
    for (const std::string& host : {""s, std::string(256, 'a')}) {
        auto [near, far] = co_await leat::testing::stream_pair();
        bool refused = false;
        try {
            (void)co_await leat::connect_by_socks5(std::move(near), host, 80);
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        CHECK(refused);
    }
}

LEAT_TEST("cancelling closes the connection to the proxy") {
    auto [near, far] = co_await leat::testing::stream_pair();
    auto asking = leat::spawn(
        [](tcp_stream proxy) -> leat::task<> {
            (void)co_await leat::connect_by_socks5(std::move(proxy), "a", 80);
        },
        std::move(near));
    std::string greeting(3, ' ');
    co_await far.recv_exactly(greeting);
    asking.cancel();
    co_await asking.join();
    const std::string rest = co_await all_of(far);
    CHECK(rest.empty());
}
