// SPDX-License-Identifier: MIT
// system_call: the system calls of the backends, as variables, so that a test can replace them and simulate
// rare results: an interrupted call, a short one, a lack of some resource. The call costs the same as one
// into a shared library.
//
// A test replaces them before it makes a backend and restores them afterwards; no other code writes them.
#pragma once

#include <cstddef>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct io_uring;
struct open_how;

namespace leat::system_call {

inline constinit auto recv = &::recv;
inline constinit auto recvmsg = &::recvmsg;
inline constinit auto recvmmsg = &::recvmmsg;
inline constinit auto send = &::send;
inline constinit auto sendmsg = &::sendmsg;
inline constinit auto sendmmsg = &::sendmmsg;
inline constinit auto accept4 = &::accept4;
inline constinit auto connect = &::connect;
inline constinit auto epoll_create1 = &::epoll_create1;  // of edge_watch
inline constinit auto epoll_ctl = &::epoll_ctl;
inline constinit auto epoll_wait = &::epoll_wait;
inline constinit auto epoll_pwait2 = &::epoll_pwait2;
inline constinit auto ppoll = &::ppoll;
inline constinit auto preadv2 = &::preadv2;

// openat2(2): a descriptor, or -1 and errno.
extern constinit long (*openat2)(int folder, const char* path, const open_how& how);

// What io_uring_enter(2) is asked for a ring, which it finds by itself.
struct enter_request {
    unsigned submissions;
    unsigned wanted;
    unsigned flags;
    const void* argument;
    std::size_t argument_size;
};

// io_uring_enter(2): a count, or -1 and errno.
extern constinit long (*io_uring_enter)(io_uring& ring, const enter_request& asked);

}  // namespace leat::system_call
