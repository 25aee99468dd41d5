// SPDX-License-Identifier: MIT
// real_calls: the calls of the C library that are interposed, as they are without us. Used by the hooks
// beside this folder. Invariant: every member can be called at any time, also before the first constructor of
// the program has run and inside malloc. Until the early constructor has found the C library's functions they
// are raw system calls, which are no cancellation points.
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

namespace leat::detail {

struct real_calls {
    decltype(&::accept) accept;
    decltype(&::accept4) accept4;
    decltype(&::clock_nanosleep) clock_nanosleep;
    decltype(&::close) close;
    decltype(&::close_range) close_range;
    decltype(&::closefrom) closefrom;
    decltype(&::connect) connect;
    decltype(&::dup2) dup2;
    decltype(&::dup3) dup3;
    decltype(&::epoll_pwait) epoll_pwait;
    decltype(&::epoll_wait) epoll_wait;
    decltype(&::fclose) fclose;
    decltype(&::getaddrinfo) getaddrinfo;
    decltype(&::gethostbyname) gethostbyname;
    decltype(&::gethostbyname_r) gethostbyname_r;
    decltype(&::getnameinfo) getnameinfo;
    decltype(&::nanosleep) nanosleep;
    decltype(&::poll) poll;
    decltype(&::ppoll) ppoll;
    decltype(&::pselect) pselect;
    decltype(&::read) read;
    decltype(&::readv) readv;
    decltype(&::recv) recv;
    decltype(&::recvfrom) recvfrom;
    decltype(&::recvmmsg) recvmmsg;
    decltype(&::recvmsg) recvmsg;
    decltype(&::res_query) res_query;
    decltype(&::select) select;
    decltype(&::send) send;
    decltype(&::sendfile) sendfile;
    decltype(&::sendmmsg) sendmmsg;
    decltype(&::sendmsg) sendmsg;
    decltype(&::sendto) sendto;
    decltype(&::setsockopt) setsockopt;
    decltype(&::sleep) sleep;
    decltype(&::splice) splice;
    decltype(&::usleep) usleep;
    decltype(&::wait) wait;
    decltype(&::wait4) wait4;
    decltype(&::waitpid) waitpid;
    decltype(&::write) write;
    decltype(&::writev) writev;
    // Not interposed.
    decltype(&::preadv2) preadv2;
    decltype(&::pwritev2) pwritev2;
};

// Found without a look-up; tests change it.
[[gnu::visibility("protected")]] extern constinit real_calls real;

}  // namespace leat::detail
