// SPDX-License-Identifier: MIT
#include <leat/fibre/hooks/core/real_calls.hpp>

#include <leat/fibre/hooks/core/hooks.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <dlfcn.h>
#include <sys/syscall.h>

namespace leat::detail {

namespace {

constexpr std::size_t kernel_mask_size = 8;  // bytes of a signal set of the kernel

template <typename R, typename... A>
using function = R (*)(A...);
template <typename R, typename... A>
using function_without_exceptions = R (*)(A...) noexcept;

// The system call `number`, as a function of whatever type is asked for.
template <long number>
struct raw {
    template <typename R, typename... A>
    constexpr operator function<R, A...>() const noexcept {
        return [](A... arguments) { return static_cast<R>(::syscall(number, arguments...)); };
    }
    template <typename R, typename... A>
    constexpr operator function_without_exceptions<R, A...>() const noexcept {
        return [](A... arguments) noexcept { return static_cast<R>(::syscall(number, arguments...)); };
    }
};

// Those for which each architecture has a system call of another form.

int raw_clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
    const int before = errno;
    const long failed = ::syscall(SYS_clock_nanosleep, clock, flags, time, left);
    const int error = errno;
    errno = before;
    return failed != 0 ? error : 0;
}

void raw_closefrom(int first) noexcept {
    (void)::syscall(SYS_close_range, std::max(first, 0), ~0U, 0);
}

int raw_dup2(int from, int to) noexcept {
    if (from == to) {
        return ::fcntl(from, F_GETFD) < 0 ? -1 : to;
    }
    return static_cast<int>(::syscall(SYS_dup3, from, to, 0));
}

int raw_epoll_pwait(int epoll, epoll_event* events, int size, int timeout, const sigset_t* mask) {
    return static_cast<int>(::syscall(SYS_epoll_pwait, epoll, events, size, timeout, mask, kernel_mask_size));
}

int raw_epoll_wait(int epoll, epoll_event* events, int size, int timeout) {
    return raw_epoll_pwait(epoll, events, size, timeout, nullptr);
}

int raw_ppoll(pollfd* asked, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    timespec left = timeout != nullptr ? *timeout : timespec{};  // the kernel writes what is left of it
    return static_cast<int>(
        ::syscall(SYS_ppoll, asked, count, timeout != nullptr ? &left : nullptr, mask, kernel_mask_size));
}

int raw_poll(pollfd* asked, nfds_t count, int timeout) {
    const timespec limit{.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1'000'000L};
    return raw_ppoll(asked, count, timeout < 0 ? nullptr : &limit, nullptr);
}

int raw_pselect(int size, fd_set* reading, fd_set* writing, fd_set* excepting, const timespec* timeout,
                const sigset_t* mask) {
    timespec left = timeout != nullptr ? *timeout : timespec{};
    const struct {
        const sigset_t* set;
        std::size_t size;
    } sized{mask, kernel_mask_size};
    return static_cast<int>(::syscall(SYS_pselect6, size, reading, writing, excepting,
                                      timeout != nullptr ? &left : nullptr, &sized));
}

int raw_select(int size, fd_set* reading, fd_set* writing, fd_set* excepting, timeval* timeout) {
    const timespec limit{.tv_sec = timeout != nullptr ? timeout->tv_sec : 0,
                         .tv_nsec = timeout != nullptr ? timeout->tv_usec * 1000 : 0};
    return raw_pselect(size, reading, writing, excepting, timeout != nullptr ? &limit : nullptr, nullptr);
}

ssize_t raw_recv(int fd, void* buffer, std::size_t size, int flags) {
    return ::syscall(SYS_recvfrom, fd, buffer, size, flags, nullptr, nullptr);
}

ssize_t raw_send(int fd, const void* from, std::size_t size, int flags) {
    return ::syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
}

int raw_nanosleep(const timespec* time, timespec* left) {
    return static_cast<int>(::syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, time, left));
}

unsigned raw_sleep(unsigned seconds) {
    const timespec time{.tv_sec = seconds, .tv_nsec = 0};
    timespec left{};
    return raw_nanosleep(&time, &left) == 0 ? 0 : static_cast<unsigned>(left.tv_sec);
}

int raw_usleep(useconds_t length) {
    const timespec time{.tv_sec = length / 1'000'000, .tv_nsec = length % 1'000'000 * 1000L};
    return raw_nanosleep(&time, nullptr);
}

pid_t raw_wait4(pid_t child, int* status, int options, rusage* used) noexcept {
    return static_cast<pid_t>(::syscall(SYS_wait4, child, status, options, used));
}

pid_t raw_waitpid(pid_t child, int* status, int options) {
    return raw_wait4(child, status, options, nullptr);
}

void find_real_calls();

// These are no system calls, and nobody needs them before the first constructor, or inside malloc.
int late_fclose(FILE* stream) {
    find_real_calls();
    return real.fclose != late_fclose ? real.fclose(stream) : EOF;
}

int late_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
    find_real_calls();
    return real.getaddrinfo != late_getaddrinfo ? real.getaddrinfo(host, service, hints, list) : EAI_FAIL;
}

hostent* late_gethostbyname(const char* name) {
    find_real_calls();
    return real.gethostbyname != late_gethostbyname ? real.gethostbyname(name) : nullptr;
}

int late_gethostbyname_r(const char* name, hostent* into, char* buffer, std::size_t size, hostent** found,
                         int* error) {
    find_real_calls();
    return real.gethostbyname_r != late_gethostbyname_r
               ? real.gethostbyname_r(name, into, buffer, size, found, error)
               : ENOSYS;
}

int late_getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_room, char* service,
                     socklen_t service_room, int flags) {
    find_real_calls();
    return real.getnameinfo != late_getnameinfo
               ? real.getnameinfo(address, size, host, host_room, service, service_room, flags)
               : EAI_FAIL;
}

int late_res_query(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
    find_real_calls();
    return real.res_query != late_res_query ? real.res_query(name, kind, type, answer, size) : -1;
}

pid_t raw_wait(int* status) {
    return raw_waitpid(-1, status, 0);
}

}  // namespace

constinit real_calls real{
    .accept = raw<SYS_accept>(),
    .accept4 = raw<SYS_accept4>(),
    .clock_nanosleep = raw_clock_nanosleep,
    .close = raw<SYS_close>(),
    .close_range = raw<SYS_close_range>(),
    .closefrom = raw_closefrom,
    .connect = raw<SYS_connect>(),
    .dup2 = raw_dup2,
    .dup3 = raw<SYS_dup3>(),
    .epoll_pwait = raw_epoll_pwait,
    .epoll_wait = raw_epoll_wait,
    .fclose = late_fclose,
    .getaddrinfo = late_getaddrinfo,
    .gethostbyname = late_gethostbyname,
    .gethostbyname_r = late_gethostbyname_r,
    .getnameinfo = late_getnameinfo,
    .nanosleep = raw_nanosleep,
    .poll = raw_poll,
    .ppoll = raw_ppoll,
    .pselect = raw_pselect,
    .read = raw<SYS_read>(),
    .readv = raw<SYS_readv>(),
    .recv = raw_recv,
    .recvfrom = raw<SYS_recvfrom>(),
    .recvmmsg = raw<SYS_recvmmsg>(),
    .recvmsg = raw<SYS_recvmsg>(),
    .res_query = late_res_query,
    .select = raw_select,
    .send = raw_send,
    .sendfile = raw<SYS_sendfile>(),
    .sendmmsg = raw<SYS_sendmmsg>(),
    .sendmsg = raw<SYS_sendmsg>(),
    .sendto = raw<SYS_sendto>(),
    .setsockopt = raw<SYS_setsockopt>(),
    .sleep = raw_sleep,
    .splice = raw<SYS_splice>(),
    .usleep = raw_usleep,
    .wait = raw_wait,
    .wait4 = raw_wait4,
    .waitpid = raw_waitpid,
    .write = raw<SYS_write>(),
    .writev = raw<SYS_writev>(),
    .preadv2 = ::preadv2,
    .pwritev2 = ::pwritev2,
};

namespace {

template <typename Function, typename Hook>
void find_next(const char* name, Function* place, Hook /*ours*/) noexcept {
    if (void* const next = ::dlsym(RTLD_NEXT, name)) {
        *place = reinterpret_cast<Function>(next);
    }
}

template <typename Hook>
void find_next(const char* /*name*/, std::nullptr_t /*no place*/, Hook /*ours*/) noexcept {}

// Before other constructors of the same program or library.
[[gnu::constructor(101)]] void find_real_calls() {
    each_hook([](const char* name, auto place, auto ours) { find_next(name, place, ours); });
}

}  // namespace

}  // namespace leat::detail
