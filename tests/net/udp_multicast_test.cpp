// SPDX-License-Identifier: MIT
// Groups, on the loopback interface of this machine or of a network of its own.
#include "../support/on_each_backend.hpp"
#include "../support/own_network.hpp"
#include "datagrams.hpp"

#include <leat/testing/doctest.hpp>

#include <span>
#include <string>
#include <system_error>

#include <unistd.h>

using namespace datagram_tests;
using leat::address;
using leat::udp_socket;

namespace {

const address group = address::parse("239.77.1.1");
const address other_group = address::parse("239.77.1.2");

int option(const udp_socket& socket, int level, int name) {
    int value = -1;
    auto& sockets = leat::current_scheduler().io().sockets();
    CHECK(sockets.option(socket.native_handle(), level, name, std::as_writable_bytes(std::span(&value, 1)))
              .ok());
    return value;
}

udp_socket sender_from(const char* from) {
    auto made = udp_socket::bind({from, 0});
    made.set_multicast_interface("lo");
    return made;
}

// What a change of groups throws.
template <typename Change>
std::string refusal(Change change) {
    try {
        change();
    } catch (const std::system_error& error) {
        return error.what();
    }
    return "nothing";
}

// Sends both to a group and to the socket itself: the second comes when the first does not.
leat::task<std::string> heard_of(udp_socket& listener, udp_socket& sender, address to,
                                 leat::endpoint itself) {
    co_await sender.send_to("to the group", {to, itself.port()});
    co_await sender.send_to("to itself", itself);
    std::string first = co_await received(listener);
    if (first == "to the group") {
        const std::string second = co_await received(listener);
        CHECK(second == "to itself");
    }
    co_return first;
}

leat::task<> joins_and_leaves(address joined, address unjoined, const char* any, const char* loopback) {
    auto listener = udp_socket::bind({any, 0});
    const leat::endpoint itself(loopback, listener.local_endpoint().port());
    auto sender = sender_from(loopback);
    std::string heard = co_await heard_of(listener, sender, joined, itself);
    CHECK(heard == "to itself");
    listener.join(joined, "lo");
    heard = co_await heard_of(listener, sender, joined, itself);
    CHECK(heard == "to the group");
    CHECK(refusal([&] { listener.join(joined, "lo"); }) ==
          "join " + joined.to_string() + " at lo: Address already in use");
    auto neighbour = udp_socket::bind({any, 0});
    neighbour.join(unjoined, "lo");
    heard = co_await heard_of(listener, sender, unjoined, itself);
    CHECK(heard == "to itself");
    listener.leave(joined, "lo");
    heard = co_await heard_of(listener, sender, joined, itself);
    CHECK(heard == "to itself");
    CHECK(refusal([&] { listener.leave(joined, "lo"); }) ==
          "leave " + joined.to_string() + " at lo: Cannot assign requested address");
}

}  // namespace

LEAT_TEST("a socket hears the groups that it has joined, until it leaves", on(kernel)) {
    return joins_and_leaves(group, other_group, "0.0.0.0", "127.0.0.1");
}

TEST_CASE("a socket hears the groups of IPv6 that it has joined, until it leaves") {
    support::in_own_network([] {
        if (::access("/proc/net/if_inet6", F_OK) != 0) {
            MESSAGE("skipped: there is no IPv6 here");
            return;
        }
        support::on_each_backend([](const auto& backend) {
            leat::run(
                [] {
                    return joins_and_leaves(address::parse("ff12::77:1"), address::parse("ff12::77:2"),
                                            "::", "::1");
                },
                {.backend = backend});
        });
    });
}

LEAT_TEST("of a group joined for one source others are not heard", on(kernel)) {
    auto listener = udp_socket::bind({"0.0.0.0", 0});
    const leat::endpoint itself("127.0.0.1", listener.local_endpoint().port());
    auto wanted = sender_from("127.0.0.1");
    auto unwanted = sender_from("127.0.0.2");
    listener.join_source(group, address::loopback_ipv4(), "lo");
    std::string heard = co_await heard_of(listener, unwanted, group, itself);
    CHECK(heard == "to itself");
    heard = co_await heard_of(listener, wanted, group, itself);
    CHECK(heard == "to the group");
    listener.join_source(group, address::parse("127.0.0.2"), "lo");
    heard = co_await heard_of(listener, unwanted, group, itself);
    CHECK(heard == "to the group");
    listener.leave_source(group, address::loopback_ipv4(), "lo");
    heard = co_await heard_of(listener, wanted, group, itself);
    CHECK(heard == "to itself");
    CHECK(refusal([&] { listener.leave_source(group, address::loopback_ipv4(), "lo"); }) ==
          "leave 239.77.1.1 at lo, of 127.0.0.1 only: Cannot assign requested address");
}

LEAT_TEST("several sockets at one port hear one group, each all of it", on(kernel)) {
    auto first = udp_socket::bind({group, 0}, {.reuse_address = true});
    const leat::endpoint shared = first.local_endpoint();
    auto second = udp_socket::bind(shared, {.reuse_address = true});
    first.join(group, "lo");
    second.join(group, "lo");
    auto sender = sender_from("127.0.0.1");
    co_await sender.send_to("for both", shared);
    const std::string by_first = co_await received(first);
    const std::string by_second = co_await received(second);
    CHECK(by_first == "for both");
    CHECK(by_second == "for both");
}

LEAT_TEST("how far datagrams to groups go is set for both families", on(kernel)) {
    auto four = udp_socket::bind({"127.0.0.1", 0});
    CHECK(option(four, IPPROTO_IP, IP_MULTICAST_LOOP) == 1);
    four.set_multicast_loop(false);
    CHECK(option(four, IPPROTO_IP, IP_MULTICAST_LOOP) == 0);
    CHECK(option(four, IPPROTO_IP, IP_MULTICAST_TTL) == 1);
    four.set_multicast_hops(9);
    CHECK(option(four, IPPROTO_IP, IP_MULTICAST_TTL) == 9);
    CHECK(refusal([&] { four.set_multicast_hops(256); }) == "set_multicast_hops to 256: Invalid argument");
    CHECK(refusal([&] { four.set_multicast_interface("nowhere"); }) ==
          "network interface nowhere: No such device");
    CHECK(refusal([&] { four.join(address::loopback_ipv4(), "lo"); }) ==
          "join 127.0.0.1 at lo: Invalid argument");
    if (::access("/proc/net/if_inet6", F_OK) != 0) {
        MESSAGE("skipped: there is no IPv6 here");
        co_return;
    }
    auto six = udp_socket::bind({"::1", 0});
    six.set_multicast_loop(false);
    six.set_multicast_hops(9);
    six.set_multicast_interface("lo");
    CHECK(option(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP) == 0);
    CHECK(option(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS) == 9);
    CHECK(option(six, IPPROTO_IPV6, IPV6_MULTICAST_IF) ==
          static_cast<int>(leat::interface_name("lo").index()));
    co_return;
}

LEAT_TEST("a simulation has no groups", on(simulated)) {
    auto socket = on_loopback();
    CHECK(refusal([&] { socket.join(group); }) == "join 239.77.1.1: Protocol not available");
    CHECK(refusal([&] { socket.set_multicast_hops(2); }) ==
          "set_multicast_hops to 2: Protocol not available");
    co_return;
}
