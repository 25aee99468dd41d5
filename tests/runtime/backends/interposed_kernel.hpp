// SPDX-License-Identifier: MIT
// interposed_kernel: does between a backend and the real kernel what kernels rarely do. A `disturbance` puts
// its own function in the place of a system call (system_call.hpp) and strikes each so many calls; the
// others, and what a strike leaves of its call, go to the kernel.
#pragma once

#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/system_call.hpp>
#include <leat/clock.hpp>
#include <leat/sleep.hpp>
#include <leat/task.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <type_traits>

#include <doctest/doctest.h>

namespace backend_tests {

// When the disturbances of a test strike; there is one test at a time, and one thread in it.
struct strikes {
    static inline int every = 2;  // the first call, the third, ...
    static inline int error = 0;
    static inline std::size_t at_most = 0;  // bytes that a call may move
    static inline int calls = 0;
    static inline int count = 0;

    static bool now() noexcept {
        if (calls++ % every != 0) {
            return false;
        }
        ++count;
        return true;
    }
    static int fail() noexcept {
        errno = error;
        return -1;
    }
};

// Puts `other` in the place of `call` while it lives.
template <typename Function>
class disturbance {
public:
    disturbance(Function& call, Function other) noexcept : call_(call), before_(call) {
        strikes::calls = 0;
        strikes::count = 0;
        call = other;
    }
    ~disturbance() { call_ = before_; }
    disturbance(const disturbance&) = delete;
    disturbance& operator=(const disturbance&) = delete;

private:
    Function& call_;
    Function before_;
};

// A call that fails with strikes::error and does nothing: failing<decltype(place)>::call.
template <auto& Place, typename Function = std::remove_reference_t<decltype(Place)>>
struct failing;

template <auto& Place, typename Result, typename... Arguments>
struct failing<Place, Result (*)(Arguments...)> {
    static inline Result (*real)(Arguments...) = Place;
    static Result call(Arguments... arguments) {
        return strikes::now() ? static_cast<Result>(strikes::fail()) : real(arguments...);
    }
};

// `Place` fails now and then with `error` while it lives.
template <auto& Place>
class fails : disturbance<std::remove_reference_t<decltype(Place)>> {
public:
    explicit fails(int error, int every = 2) noexcept
        : disturbance<std::remove_reference_t<decltype(Place)>>(Place, failing<Place>::call) {
        strikes::error = error;
        strikes::every = every;
    }
};

// A sleep all of whose waits in the kernel are interrupted; each is to be for what is left of it.
struct interrupted_sleep {
    static inline leat::time_point end{};
    static inline leat::time_point known{};  // a wait that is asked for now was begun after this
    static inline bool too_long = false;

    static void begin(leat::time_point until) noexcept {
        end = until;
        known = leat::kernel_now();
    }
    // Instead of a wait of `length`.
    static int interrupt(leat::duration length) noexcept {
        too_long = too_long || known + length > end;
        known = leat::kernel_now();
        ++strikes::count;
        errno = EINTR;
        return -1;
    }
};

// Sleeps until some waits have been interrupted: never for too short, and never asking for too long a wait.
inline leat::task<> sleep_though_interrupted() {
    interrupted_sleep::too_long = false;
    while (strikes::count < 3) {
        const leat::time_point end = leat::kernel_now() + std::chrono::milliseconds(2);
        interrupted_sleep::begin(end);
        co_await leat::sleep_until(end);
        CHECK(leat::kernel_now() >= end);
    }
    CHECK_FALSE(interrupted_sleep::too_long);
}

inline ssize_t recv_little(int fd, void* buffer, std::size_t size, int flags) {
    strikes::now();
    return ::recv(fd, buffer, std::min(size, strikes::at_most), flags);
}

inline ssize_t send_little(int fd, const void* buffer, std::size_t size, int flags) {
    strikes::now();
    return ::send(fd, buffer, std::min(size, strikes::at_most), flags);
}

inline ssize_t sendmsg_little(int fd, const msghdr* message, int flags) {
    strikes::now();
    iovec first = *message->msg_iov;
    first.iov_len = std::min(first.iov_len, strikes::at_most);
    msghdr little = *message;
    little.msg_iov = &first;
    little.msg_iovlen = 1;
    return ::sendmsg(fd, &little, flags);
}

// The connection is begun all the same, as connect(2) says.
inline int connect_interrupted(int fd, const sockaddr* address, socklen_t size) {
    strikes::now();
    ::connect(fd, address, size);
    errno = EINTR;
    return -1;
}

}  // namespace backend_tests
