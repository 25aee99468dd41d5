// SPDX-License-Identifier: MIT
// edge_watch: reports an event of a descriptor once (edge-triggered), for the backends whose own wait reports
// it as long as it lasts: poll and io_uring. They need it for sockets with an error queue that is not emptied
// (IP_RECVERR, SO_TIMESTAMPING): those have POLLERR all the time, which poll(2) cannot leave out, so a wait
// for such a socket would end again and again.
#pragma once

#include <leat/clock.hpp>
#include <leat/fd.hpp>

#include <array>
#include <chrono>
#include <cstdint>

#include <sys/epoll.h>

namespace leat {

class edge_watch {
public:
    // Where none can be made (a seccomp filter, no descriptor left) such a reader is tried again after this.
    static constexpr duration rest = std::chrono::milliseconds(10);

    // Readable while take() has something to tell; -1 before the first add().
    [[nodiscard]] int descriptor() const noexcept { return epoll_.get(); }

    // Watches `fd` until it is closed, and tells first what is so now. Returns 0 or an errno value.
    [[nodiscard]] int add(int fd) noexcept;
    void remove(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

    // Calls told(fd, events) for what has happened, with the events of poll(2). Does not wait.
    template <typename Told>
    void take(Told told) {
        std::array<epoll_event, 64> events;
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            told(event.data.fd, event.events);
        }
    }

private:
    fd epoll_;
};

}  // namespace leat
