// SPDX-License-Identifier: MIT
#include <leat/connect.hpp>

#include "../support/dns_server.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <array>
#include <optional>

#include <linux/filter.h>

namespace {

using leat::address;
using leat::connect_options;
using leat::tcp_listener;
using leat::tcp_stream;
using leat::testing::dns_reply;
using leat::testing::dns_server;
using leat::testing::dns_type;

const address near = address::parse("127.0.0.2");
const address far = address::parse("127.0.0.3");

// A delay that never passes: the next address is tried only when the one before has failed.
connect_options patient(const dns_server& server) {
    return {.timeout = leat::duration::max(),
            .attempt_delay = std::chrono::hours(1),
            .names = {.servers = server.location(), .timeout = std::chrono::hours(1), .tries = 1}};
}

// The next address is tried while the one before is silent.
connect_options hasty(const dns_server& server) {
    connect_options options = patient(server);
    options.attempt_delay = std::chrono::milliseconds(1);
    return options;
}

bool has_ipv6() {
    const leat::fd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const leat::endpoint loopback("::1", 0);
    return ::bind(probe.get(), loopback.data(), loopback.size()) == 0;
}

// Two listeners with one port.
struct listener_pair {
    listener_pair(const address& a, const address& b)
        : first(tcp_listener::bind({a, 0})), second(bind_same(a, b)) {}

    [[nodiscard]] int port() const { return first.local_endpoint().port(); }

    tcp_listener first;
    tcp_listener second;

private:
    // Looks on until a port is free at both.
    tcp_listener bind_same(const address& a, const address& b) {
        for (;;) {
            try {
                return tcp_listener::bind({b, port()});
            } catch (const std::system_error&) {
                first = tcp_listener::bind({a, 0});
            }
        }
    }
};

// From now on whatever is sent to `listener` is dropped on its way.
void make_silent(tcp_listener& listener) {
    sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{.len = 1, .filter = &drop_all};
    CHECK(::setsockopt(listener.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ==
          0);
}

struct failure {
    std::error_code code;
    std::string text;
};

leat::task<failure> failure_of(std::string host, int port, connect_options options) {
    try {
        (void)co_await leat::connect_to_host(host, port, options);
    } catch (const std::system_error& error) {
        co_return failure{error.code(), error.what()};
    }
    co_return failure{{}, "it was connected"};
}

}  // namespace

TEST_CASE("the families take turns, beginning with that of the best address") {
    const auto four = [](int i) {
        return address(address::ipv4_bytes{10, 0, 0, static_cast<std::uint8_t>(i)});
    };
    const auto six = [](int i) {
        return address(address::ipv6_bytes{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                           static_cast<std::uint8_t>(i)});
    };
    using list = std::vector<address>;
    using leat::detail::interleaved;
    CHECK(interleaved({}).empty());
    CHECK(interleaved({six(1), six(2), six(3), four(1), four(2)}) ==
          list{six(1), four(1), six(2), four(2), six(3)});
    CHECK(interleaved({four(1), four(2), four(3), six(1)}) == list{four(1), six(1), four(2), four(3)});
    CHECK(interleaved({four(2), four(1)}) == list{four(2), four(1)});
    CHECK(interleaved({six(1), four(1), four(2), six(2)}) == list{six(1), four(1), six(2), four(2)});
}

LEAT_TEST("a host is connected to by its name", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {near}});
    auto listener = tcp_listener::bind({near, 0});
    tcp_stream client =
        co_await leat::connect_to_host("www.test", listener.local_endpoint().port(), patient(server));
    CHECK(client.remote_endpoint() == listener.local_endpoint());
    tcp_stream peer = co_await listener.accept();
    co_await peer.send_all("hello");
    std::array<char, 5> text{};
    co_await client.recv_exactly(text);
    CHECK(std::string_view(text.data(), text.size()) == "hello");
}

LEAT_TEST("localhost and addresses as text need no server") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    for (const char* host : {"localhost", "127.0.0.1"}) {
        tcp_stream client = co_await tcp_stream::connect(host, port);
        CHECK(client.remote_endpoint() == listener.local_endpoint());
    }
    if (has_ipv6()) {
        auto listener6 = tcp_listener::bind({"::1", 0});
        for (const char* host : {"::1", "[::1]"}) {
            tcp_stream client = co_await tcp_stream::connect(host, listener6.local_endpoint().port());
            CHECK(client.remote_endpoint() == listener6.local_endpoint());
        }
    }
}

LEAT_TEST("a server with IPv4 only is reached through a name that has IPv6, too", on(kernel)) {
    if (!has_ipv6()) {
        MESSAGE("skipped: there is no IPv6 here");
        co_return;
    }
    dns_server server;
    server.set("both.test", {.addresses = {address::loopback_ipv6(), address::loopback_ipv4()}});
    std::optional<listener_pair> pair(std::in_place, address::loopback_ipv4(), address::loopback_ipv6());
    pair->second.close();
    tcp_stream client = co_await leat::connect_to_host("both.test", pair->port(), patient(server));
    CHECK(client.remote_endpoint().is_ipv4());
}

LEAT_TEST("from a local address only those of its family are tried", on(kernel)) {
    if (!has_ipv6()) {
        MESSAGE("skipped: there is no IPv6 here");
        co_return;
    }
    dns_server server;
    server.set("both.test", {.addresses = {address::loopback_ipv6(), address::loopback_ipv4()}});
    server.set("six.test", dns_type::aaaa, {.addresses = {address::loopback_ipv6()}});
    listener_pair pair(address::loopback_ipv4(), address::loopback_ipv6());
    connect_options options = patient(server);
    options.local = leat::endpoint(near, 0);
    tcp_stream client = co_await leat::connect_to_host("both.test", pair.port(), options);
    CHECK(client.local_endpoint().address() == near);
    CHECK(client.remote_endpoint().address() == address::loopback_ipv4());
    const auto none = co_await failure_of("six.test", pair.port(), options);
    CHECK(none.code == leat::dns_errc::no_address);
    CHECK(none.text == "connect to six.test:" + std::to_string(pair.port()) +
                           " from 127.0.0.2:0: the host has no such address");
}

LEAT_TEST("a local address is for hosts that are addresses, too, and one of the other family is an error") {
    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    const int port = listener.local_endpoint().port();
    connect_options options;
    options.local = leat::endpoint(near, 0);
    for (const char* host : {"localhost", "127.0.0.1"}) {
        tcp_stream client = co_await leat::connect_to_host(host, port, options);
        CHECK(client.local_endpoint().address() == near);
    }
    const leat::tcp_connect_options same{.local = options.local};
    tcp_stream client = co_await tcp_stream::connect("localhost", port, same);
    CHECK(client.local_endpoint().address() == near);
    const auto other = co_await failure_of("::1", port, options);
    CHECK(other.code == leat::dns_errc::no_address);
    CHECK(other.text ==
          "connect to [::1]:" + std::to_string(port) + " from 127.0.0.2:0: the host has no such address");
    options.names.families = leat::address_families::ipv6;
    const auto contrary = co_await failure_of("localhost", port, options);
    CHECK(contrary.code == std::errc::address_family_not_supported);
}

LEAT_TEST("an address that refuses is followed by the next one at once", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(far, near);
    pair.second.close();
    tcp_stream client = co_await leat::connect_to_host("www.test", pair.port(), patient(server));
    CHECK(client.remote_endpoint().address() == far);
}

LEAT_TEST("an address that is silent does not keep the next one from being tried", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(near, far);
    make_silent(pair.first);
    tcp_stream client = co_await leat::connect_to_host("www.test", pair.port(), hasty(server));
    CHECK(client.remote_endpoint().address() == far);
}

LEAT_TEST("when several addresses answer one connection is kept and the others are closed", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(near, far);
    connect_options options = patient(server);
    options.attempt_delay = leat::duration::zero();
    const std::size_t before = leat::testing::open_descriptors();
    tcp_stream client = co_await leat::connect_to_host("www.test", pair.port(), options);
    CHECK(client.is_open());
    while (leat::testing::open_descriptors() != before + 1) {
        co_await leat::yield();
    }
}

LEAT_TEST("a thousand addresses that refuse do not hide the one that answers", on(kernel)) {
    dns_server server;
    dns_reply many{.how = dns_reply::manner::truncated};
    for (unsigned i = 0; i < 1000; ++i) {
        const auto low = static_cast<std::uint8_t>(i % 250 + 1);
        many.addresses.emplace_back(address::ipv4_bytes{127, 1, static_cast<std::uint8_t>(i / 250), low});
    }
    many.addresses.push_back(near);
    server.set("many.test", dns_type::a, many);
    auto listener = tcp_listener::bind({near, 0});
    tcp_stream client =
        co_await leat::connect_to_host("many.test", listener.local_endpoint().port(), patient(server));
    CHECK(client.remote_endpoint() == listener.local_endpoint());
}

LEAT_TEST("when all addresses fail the last reason is told, with host and port", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(near, far);
    const int port = pair.port();
    pair.first.close();
    pair.second.close();
    const auto failed = co_await failure_of("www.test", port, patient(server));
    CHECK(failed.code == std::errc::connection_refused);
    CHECK(failed.text == "connect to www.test:" + std::to_string(port) + ": Connection refused");
}

LEAT_TEST("a name that cannot be looked up is told, with host and port", on(kernel)) {
    dns_server server;
    const auto unknown = co_await failure_of("no-such-host.invalid", 81, patient(server));
    CHECK(unknown.code == leat::dns_errc::no_such_host);
    CHECK(unknown.text == "connect to no-such-host.invalid:81: no such host");
    const auto wrong = co_await failure_of(std::string("a\0b", 3), 81, patient(server));
    CHECK(wrong.text == "connect to a\\x00b:81: not a host name");
}

LEAT_TEST("an address as text is told as an endpoint") {
    listener_pair pair(near, far);
    const int port = pair.port();
    pair.first.close();
    const auto failed = co_await failure_of("127.0.0.2", port, {});
    CHECK(failed.text == "connect to 127.0.0.2:" + std::to_string(port) + ": Connection refused");
    if (has_ipv6()) {
        const auto v6 = co_await failure_of("[::1]", port, {});
        CHECK(v6.text == "connect to [::1]:" + std::to_string(port) + ": Connection refused");
    }
}

LEAT_TEST("the timeout is for all addresses together", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(near, far);
    make_silent(pair.first);
    make_silent(pair.second);
    connect_options options = hasty(server);
    options.timeout = std::chrono::milliseconds(20);
    const auto failed = co_await failure_of("www.test", pair.port(), options);
    CHECK(failed.code == std::errc::timed_out);
    CHECK(failed.text == "connect to www.test:" + std::to_string(pair.port()) + ": Connection timed out");
}

LEAT_TEST("the timeout is for the look-up, too", on(kernel)) {
    dns_server server;
    server.set("www.test", {.how = dns_reply::manner::silent});
    connect_options options = hasty(server);
    options.timeout = std::chrono::milliseconds(20);
    const auto failed = co_await failure_of("www.test", 81, options);
    CHECK(failed.text == "connect to www.test:81: Connection timed out");
}

LEAT_TEST("a timeout that is over before it begins connects to nobody", on(kernel)) {
    dns_server server;
    server.set("www.test", {.addresses = {near}});
    for (const auto timeout : {leat::duration::zero(), leat::duration(-1), leat::duration::min()}) {
        connect_options options = patient(server);
        options.timeout = timeout;
        const auto failed = co_await failure_of("www.test", 81, options);
        CHECK(failed.code == std::errc::timed_out);
    }
    CHECK(server.asked() == 0);
}

LEAT_TEST("a port that is none is an error that names it") {
    for (const int port : {70'000, -1}) {
        std::string what;
        try {
            (void)co_await tcp_stream::connect("localhost", port);
        } catch (const std::invalid_argument& error) {
            what = error.what();
        }
        CHECK(what == "port " + std::to_string(port) + " is not between 0 and 65535");
    }
}

LEAT_TEST("cancelled while it looks up or connects, it closes what it has opened", on(kernel)) {
    dns_server server;
    server.set("held.test", {.addresses = {near}, .how = dns_reply::manner::held});
    server.set("silent.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(near, far);
    make_silent(pair.first);
    make_silent(pair.second);
    connect_options options = hasty(server);
    options.names.families = leat::address_families::ipv4;
    const std::size_t before = leat::testing::open_descriptors();
    auto connecting = leat::spawn(leat::connect_to_host("silent.test", pair.port(), options));
    while (leat::testing::open_descriptors() != before + 2) {  // both attempts are under way
        co_await leat::yield();
    }
    connecting.cancel();
    const auto& ended = co_await connecting.join();
    CHECK(ended.how() == leat::ending::cancelled);
    while (leat::testing::open_descriptors() != before) {
        co_await leat::yield();
    }
    auto looking_up = leat::spawn(leat::connect_to_host("held.test", pair.port(), options));
    co_await server.has_been_asked(2);
    looking_up.cancel();
    const auto& cancelled = co_await looking_up.join();
    CHECK(cancelled.how() == leat::ending::cancelled);
}

LEAT_TEST("cancelled after any number of turns, a connect leaves nothing open", on(kernel)) {
    dns_server server;
    server.set("www.test", dns_type::a, {.addresses = {near, far}});
    listener_pair pair(far, near);
    pair.second.close();
    bool finished = false;
    for (int turns = 0; !finished; ++turns) {
        auto connecting = leat::spawn(leat::connect_to_host("www.test", pair.port(), hasty(server)));
        for (int i = 0; i < turns; ++i) {
            co_await leat::yield();
        }
        finished = connecting.done();
        connecting.cancel();
        co_await leat::join_all(connecting);
    }
}

LEAT_TEST("IPv4 addresses are used when the server is silent about IPv6", on(kernel)) {
    dns_server server;
    server.set("half.test", dns_type::a, {.addresses = {near}});
    server.set("half.test", dns_type::aaaa, {.how = dns_reply::manner::silent});
    auto listener = tcp_listener::bind({near, 0});
    tcp_stream client =
        co_await leat::connect_to_host("half.test", listener.local_endpoint().port(), hasty(server));
    CHECK(client.remote_endpoint() == listener.local_endpoint());
}

LEAT_TEST("a socket that is connected to itself is recognised", on(kernel)) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    leat::endpoint self("127.0.0.1", 0);
    CHECK(::bind(fd, self.data(), self.size()) == 0);
    tcp_stream stream = tcp_stream::from_fd(fd);
    self = stream.local_endpoint();
    CHECK(::connect(fd, self.data(), self.size()) == -1);
    co_await leat::writable(fd);
    auto connected = tcp_stream::from_fd(::dup(fd));
    CHECK(leat::detail::connected_to_itself(connected));

    auto listener = tcp_listener::bind({"127.0.0.1", 0});
    tcp_stream other = co_await tcp_stream::connect(listener.local_endpoint());
    CHECK(!leat::detail::connected_to_itself(other));
}
