// SPDX-License-Identifier: MIT
#include <leat/system/core/plain_wait.hpp>

#include <leat/check.hpp>
#include <leat/core/frame.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include <sys/stat.h>

namespace leat::detail {

namespace {

// What poll(2) is told: rounded up, so that it does not end early and again.
int milliseconds_until(time_point deadline) noexcept {
    if (deadline == never) {
        return -1;
    }
    const duration left = std::max(deadline - monotonic_now(), duration::zero());
    return static_cast<int>(
        std::min<long long>(std::chrono::ceil<std::chrono::milliseconds>(left).count(), INT_MAX));
}

}  // namespace

time_point monotonic_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

bool poll_until(std::span<pollfd> watched, time_point deadline) noexcept {
    int ready = 0;
    do {
        ready = ::poll(watched.data(), watched.size(), milliseconds_until(deadline));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

bool wait_readable(int fd, time_point deadline) noexcept {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    return poll_until({&one, 1}, deadline);
}

void check_may_fork() noexcept {
    check(this_thread.loop == nullptr, "a process is not forked inside run()");
    struct stat threads{};
    const bool known = ::stat("/proc/self/task", &threads) == 0;  // two links, and one for each thread
    check(!known || threads.st_nlink <= 3, "a process is forked before it starts threads");
}

}  // namespace leat::detail
