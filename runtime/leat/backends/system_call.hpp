// SPDX-License-Identifier: MIT
// system_call: the system calls by which backends wait, and carry operations out. They are called through
// these variables, as a program calls a shared library's functions anyway, so that a test can put in their
// place what kernels rarely do: be interrupted, do less than asked, run out of something.
//
// A test replaces them before it makes a backend and puts them back after it; nobody else writes them.
#pragma once

#include <cstddef>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct io_uring;

namespace leat::system_call {

inline constinit auto recv = &::recv;
inline constinit auto recvmsg = &::recvmsg;
inline constinit auto send = &::send;
inline constinit auto sendmsg = &::sendmsg;
inline constinit auto accept4 = &::accept4;
inline constinit auto connect = &::connect;
inline constinit auto epoll_create1 = &::epoll_create1;  // of edge_watch
inline constinit auto epoll_wait = &::epoll_wait;
inline constinit auto epoll_pwait2 = &::epoll_pwait2;
inline constinit auto ppoll = &::ppoll;

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
