// SPDX-License-Identifier: MIT
// What a program or a library built with _FORTIFY_SOURCE calls instead of read, recv, recvfrom, poll, ppoll:
// the same, behind a check of the room that the compiler knows of.
#include <leat/fibre/hooks/core/hooks.hpp>

extern "C" [[noreturn]] void
__chk_fail() noexcept;  // of the C library: ends the program as its own check does

namespace leat::detail {

namespace {

void check_room(std::size_t wanted, std::size_t room) noexcept {
    if (wanted > room) {
        __chk_fail();
    }
}

}  // namespace

extern "C" {

ssize_t leat_read_checked(int fd, void* buffer, std::size_t size, std::size_t room) {
    check_room(size, room);
    return leat_read(fd, buffer, size);
}

ssize_t leat_recv_checked(int fd, void* buffer, std::size_t size, std::size_t room, int flags) {
    check_room(size, room);
    return leat_recv(fd, buffer, size, flags);
}

ssize_t leat_recvfrom_checked(int fd, void* buffer, std::size_t size, std::size_t room, int flags,
                              sockaddr* from, socklen_t* from_size) {
    check_room(size, room);
    return leat_recvfrom(fd, buffer, size, flags, from, from_size);
}

int leat_poll_checked(pollfd* asked, nfds_t count, int timeout, std::size_t room) {
    check_room(count, room / sizeof *asked);
    return leat_poll(asked, count, timeout);
}

int leat_ppoll_checked(pollfd* asked, nfds_t count, const timespec* timeout, const sigset_t* mask,
                       std::size_t room) {
    check_room(count, room / sizeof *asked);
    return leat_ppoll(asked, count, timeout, mask);
}

decltype(leat_poll_checked) interposed_poll_chk __asm__("__poll_chk")
    __attribute__((alias("leat_poll_checked")));
decltype(leat_ppoll_checked) interposed_ppoll_chk __asm__("__ppoll_chk")
    __attribute__((alias("leat_ppoll_checked")));
decltype(leat_read_checked) interposed_read_chk __asm__("__read_chk")
    __attribute__((alias("leat_read_checked")));
decltype(leat_recv_checked) interposed_recv_chk __asm__("__recv_chk")
    __attribute__((alias("leat_recv_checked")));
decltype(leat_recvfrom_checked) interposed_recvfrom_chk __asm__("__recvfrom_chk")
    __attribute__((alias("leat_recvfrom_checked")));
}

}  // namespace leat::detail
