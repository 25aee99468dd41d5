// SPDX-License-Identifier: MIT
// hooks: the functions that stand in for calls of the C library, under names of ours. Beside each definition
// its name in the C library is an alias of it: &::recv is whatever the dynamic linker found for that name,
// and &leat_recv is ours. Each acts only in a fibre; elsewhere it is the real call behind one test. In a
// fibre none of them blocks the thread, changes O_NONBLOCK for longer than one call of connect(2), or
// remembers a descriptor. A call that the cancelled scope refuses gives ECANCELED.
#pragma once

#include <leat/fibre/hooks/core/real_calls.hpp>

namespace leat::detail {

extern "C" {
#pragma GCC visibility push(hidden)
decltype(::accept) leat_accept;
decltype(::accept4) leat_accept4;
decltype(::clock_nanosleep) leat_clock_nanosleep;
decltype(::close) leat_close;
decltype(::close_range) leat_close_range;
decltype(::closefrom) leat_closefrom;
decltype(::connect) leat_connect;
decltype(::dup2) leat_dup2;
decltype(::dup3) leat_dup3;
decltype(::epoll_pwait) leat_epoll_pwait;
decltype(::epoll_wait) leat_epoll_wait;
decltype(::fclose) leat_fclose;
decltype(::getaddrinfo) leat_getaddrinfo;
decltype(::gethostbyname) leat_gethostbyname;
decltype(::gethostbyname_r) leat_gethostbyname_r;
decltype(::getnameinfo) leat_getnameinfo;
decltype(::nanosleep) leat_nanosleep;
decltype(::poll) leat_poll;
decltype(::ppoll) leat_ppoll;
decltype(::pselect) leat_pselect;
decltype(::read) leat_read;
decltype(::readv) leat_readv;
decltype(::recv) leat_recv;
decltype(::recvfrom) leat_recvfrom;
decltype(::recvmmsg) leat_recvmmsg;
decltype(::recvmsg) leat_recvmsg;
decltype(::res_query) leat_res_query;
decltype(::select) leat_select;
decltype(::send) leat_send;
decltype(::sendfile) leat_sendfile;
decltype(::sendmmsg) leat_sendmmsg;
decltype(::sendmsg) leat_sendmsg;
decltype(::sendto) leat_sendto;
decltype(::setsockopt) leat_setsockopt;
decltype(::sleep) leat_sleep;
decltype(::splice) leat_splice;
decltype(::usleep) leat_usleep;
decltype(::wait) leat_wait;
decltype(::wait4) leat_wait4;
decltype(::waitpid) leat_waitpid;
decltype(::write) leat_write;
decltype(::writev) leat_writev;
// What a fortified build calls in their places, with the size of the buffer behind the arguments.
ssize_t leat_read_checked(int fd, void* buffer, std::size_t size, std::size_t room);
ssize_t leat_recv_checked(int fd, void* buffer, std::size_t size, std::size_t room, int flags);
ssize_t leat_recvfrom_checked(int fd, void* buffer, std::size_t size, std::size_t room, int flags,
                              sockaddr* from, socklen_t* from_size);
int leat_poll_checked(pollfd* asked, nfds_t count, int timeout, std::size_t room);
int leat_ppoll_checked(pollfd* asked, nfds_t count, const timespec* timeout, const sigset_t* mask,
                       std::size_t room);
#pragma GCC visibility pop
}

// Calls visit(name, real, ours) for each interposed call: its name, its real call (a reference, or a null
// pointer where it has no place of its own), and our function.
template <typename Visitor>
void each_hook(Visitor visit) {
    visit("accept", &real.accept, &leat_accept);
    visit("accept4", &real.accept4, &leat_accept4);
    visit("clock_nanosleep", &real.clock_nanosleep, &leat_clock_nanosleep);
    visit("close", &real.close, &leat_close);
    visit("close_range", &real.close_range, &leat_close_range);
    visit("closefrom", &real.closefrom, &leat_closefrom);
    visit("connect", &real.connect, &leat_connect);
    visit("dup2", &real.dup2, &leat_dup2);
    visit("dup3", &real.dup3, &leat_dup3);
    visit("epoll_pwait", &real.epoll_pwait, &leat_epoll_pwait);
    visit("epoll_wait", &real.epoll_wait, &leat_epoll_wait);
    visit("fclose", &real.fclose, &leat_fclose);
    visit("getaddrinfo", &real.getaddrinfo, &leat_getaddrinfo);
    visit("gethostbyname", &real.gethostbyname, &leat_gethostbyname);
    visit("gethostbyname_r", &real.gethostbyname_r, &leat_gethostbyname_r);
    visit("getnameinfo", &real.getnameinfo, &leat_getnameinfo);
    visit("nanosleep", &real.nanosleep, &leat_nanosleep);
    visit("poll", &real.poll, &leat_poll);
    visit("ppoll", &real.ppoll, &leat_ppoll);
    visit("pselect", &real.pselect, &leat_pselect);
    visit("read", &real.read, &leat_read);
    visit("readv", &real.readv, &leat_readv);
    visit("recv", &real.recv, &leat_recv);
    visit("recvfrom", &real.recvfrom, &leat_recvfrom);
    visit("recvmmsg", &real.recvmmsg, &leat_recvmmsg);
    visit("recvmsg", &real.recvmsg, &leat_recvmsg);
    visit("res_query", &real.res_query, &leat_res_query);
    visit("select", &real.select, &leat_select);
    visit("send", &real.send, &leat_send);
    visit("sendfile", &real.sendfile, &leat_sendfile);
    visit("sendmmsg", &real.sendmmsg, &leat_sendmmsg);
    visit("sendmsg", &real.sendmsg, &leat_sendmsg);
    visit("sendto", &real.sendto, &leat_sendto);
    visit("setsockopt", &real.setsockopt, &leat_setsockopt);
    visit("sleep", &real.sleep, &leat_sleep);
    visit("splice", &real.splice, &leat_splice);
    visit("usleep", &real.usleep, &leat_usleep);
    visit("wait", &real.wait, &leat_wait);
    visit("wait4", &real.wait4, &leat_wait4);
    visit("waitpid", &real.waitpid, &leat_waitpid);
    visit("write", &real.write, &leat_write);
    visit("writev", &real.writev, &leat_writev);
    visit("__poll_chk", nullptr, &leat_poll_checked);
    visit("__ppoll_chk", nullptr, &leat_ppoll_checked);
    visit("__read_chk", nullptr, &leat_read_checked);
    visit("__recv_chk", nullptr, &leat_recv_checked);
    visit("__recvfrom_chk", nullptr, &leat_recvfrom_checked);
    visit("sendfile64", nullptr, &leat_sendfile);
}

// Aborts unless the dynamic linker finds our function for every name, and says what to link then. Cheap after
// the first call.
void check_hooks() noexcept;

}  // namespace leat::detail
