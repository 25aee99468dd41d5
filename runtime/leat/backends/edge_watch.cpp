// SPDX-License-Identifier: MIT
#include <leat/backends/edge_watch.hpp>

#include <leat/backends/system_call.hpp>

#include <cerrno>

namespace leat {

int edge_watch::add(int fd) noexcept {
    if (!epoll_) {
        epoll_.reset(system_call::epoll_create1(EPOLL_CLOEXEC));
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    event.data.fd = fd;
    const bool added = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ||
                       (errno == EEXIST && ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0);
    return added ? 0 : errno;
}

}  // namespace leat
