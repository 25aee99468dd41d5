// SPDX-License-Identifier: MIT
// in_own_network: runs a function in a thread whose network is its own: a loopback interface, which takes
// IPv6 groups too, and settings of the system that a test may change. Needs the right to make one.
#pragma once

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace support {

namespace own_network {

// Sets net.`name` (sysctl(8)), as "ipv4/tcp_fastopen", of this thread's network.
inline bool set(const std::string& name, const std::string& value) {
    std::ofstream file("/proc/sys/net/" + name);
    return static_cast<bool>(file << value << std::flush);
}

inline void bring_up_loopback() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq interface{};
    std::strcpy(interface.ifr_name, "lo");
    interface.ifr_flags = IFF_UP | IFF_RUNNING;
    CHECK(::ioctl(fd, SIOCSIFFLAGS, &interface) == 0);
    ::close(fd);
}

// Larger packets go in pieces.
inline void limit_loopback_packets(int bytes) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq interface{};
    std::strcpy(interface.ifr_name, "lo");
    interface.ifr_mtu = bytes;
    CHECK(::ioctl(fd, SIOCSIFMTU, &interface) == 0);
    ::close(fd);
}

inline void route_ipv6_groups_to_loopback() {
    const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;  // there is no IPv6 here
    }
    constexpr std::uint32_t local = 0x80000000;  // RTF_LOCAL of the kernel's header
    in6_rtmsg route{};
    route.rtmsg_dst.s6_addr[0] = 0xff;
    route.rtmsg_dst_len = 8;
    route.rtmsg_metric = 256;
    route.rtmsg_flags = RTF_UP | local;
    route.rtmsg_ifindex = static_cast<int>(::if_nametoindex("lo"));
    CHECK(::ioctl(fd, SIOCADDRT, &route) == 0);
    ::close(fd);
}

}  // namespace own_network

// False when this process may not: then a message has said so.
template <typename Function>
bool in_own_network(Function run) {
    int refused = 0;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) {
            refused = errno;
            return;
        }
        own_network::bring_up_loopback();
        own_network::route_ipv6_groups_to_loopback();
        run();
    }).join();
    if (refused != 0) {
        MESSAGE("skipped: no network of its own: " << std::strerror(refused));
    }
    return refused == 0;
}

}  // namespace support
