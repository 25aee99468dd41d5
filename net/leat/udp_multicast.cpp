// SPDX-License-Identifier: MIT
// Groups of a udp_socket. The calls are those of RFC 3678 that take a family and an interface's number, so
// that IPv4 and IPv6 differ in their level only.
#include <leat/udp.hpp>

#include <leat/core/socket_opening.hpp>

#include <cstring>
#include <span>
#include <string>

namespace leat {

namespace {

using detail::current_sockets;

template <typename Request>
result<void> ask(int fd, const address& group, int name, const Request& asked) {
    const int level = group.is_ipv4() ? IPPROTO_IP : IPPROTO_IPV6;
    return current_sockets().set_option(fd, level, name, std::as_bytes(std::span(&asked, 1)));
}

void write(const address& from, sockaddr_storage& into) noexcept {
    const endpoint name(from, 0);
    std::memcpy(&into, name.data(), name.size());
}

// "join 239.1.2.3 at eth0"
std::string described(const char* what, const address& group, const interface_name& at) {
    return what + group.to_string() + (at.empty() ? "" : " at " + std::string(at.text()));
}

// Linux gives a socket what goes to the groups of all sockets, and not to its own only, if it is not told.
void hear_own_groups_only(int fd, const address& group) {
    constexpr int ipv6_multicast_all = 29;  // since Linux 4.20; not in every C library
    const int off = 0;
    (void)ask(fd, group, group.is_ipv4() ? IP_MULTICAST_ALL : ipv6_multicast_all, off);
}

void change_group(int fd, int name, const char* what, const address& group, const interface_name& at) {
    group_req asked{};
    asked.gr_interface = at.index();
    write(group, asked.gr_group);
    ask(fd, group, name, asked).value(described(what, group, at).c_str());
}

void change_source(int fd, int name, const char* what, const address& group, const address& source,
                   const interface_name& at) {
    group_source_req asked{};
    asked.gsr_interface = at.index();
    write(group, asked.gsr_group);
    write(source, asked.gsr_source);
    ask(fd, group, name, asked)
        .value((described(what, group, at) + ", of " + source.to_string() + " only").c_str());
}

}  // namespace

void udp_socket::join(const address& group, const interface_name& at) {
    hear_own_groups_only(native_handle(), group);
    change_group(native_handle(), MCAST_JOIN_GROUP, "join ", group, at);
}

void udp_socket::leave(const address& group, const interface_name& at) {
    change_group(native_handle(), MCAST_LEAVE_GROUP, "leave ", group, at);
}

void udp_socket::join_source(const address& group, const address& source, const interface_name& at) {
    hear_own_groups_only(native_handle(), group);
    change_source(native_handle(), MCAST_JOIN_SOURCE_GROUP, "join ", group, source, at);
}

void udp_socket::leave_source(const address& group, const address& source, const interface_name& at) {
    change_source(native_handle(), MCAST_LEAVE_SOURCE_GROUP, "leave ", group, source, at);
}

// An IPv6 socket may send over IPv4, too.
void udp_socket::set_for_groups(int ipv4_name, int ipv6_name, int value, const char* what) {
    detail::set_int_option(native_handle(), IPPROTO_IP, ipv4_name, value, what);
    if (local_endpoint().is_ipv6()) {
        detail::set_int_option(native_handle(), IPPROTO_IPV6, ipv6_name, value, what);
    }
}

void udp_socket::set_multicast_loop(bool on) {
    set_for_groups(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on ? 1 : 0, "set_multicast_loop");
}

void udp_socket::set_multicast_hops(int most) {
    set_for_groups(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, most,
                   ("set_multicast_hops to " + std::to_string(most)).c_str());
}

void udp_socket::set_multicast_interface(const interface_name& at) {
    const std::string what = "set_multicast_interface to " + std::string(at.text());
    ip_mreqn chosen{};
    chosen.imr_ifindex = static_cast<int>(at.index());
    current_sockets()
        .set_option(native_handle(), IPPROTO_IP, IP_MULTICAST_IF, std::as_bytes(std::span(&chosen, 1)))
        .value(what.c_str());
    if (local_endpoint().is_ipv6()) {
        detail::set_int_option(native_handle(), IPPROTO_IPV6, IPV6_MULTICAST_IF, chosen.imr_ifindex,
                               what.c_str());
    }
}

}  // namespace leat
