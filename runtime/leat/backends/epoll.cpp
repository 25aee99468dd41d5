// SPDX-License-Identifier: MIT
#include <leat/backends/epoll.hpp>

#include <leat/backends/readiness_backend.hpp>

#include <algorithm>
#include <array>

#include <limits.h>
#include <sys/epoll.h>

namespace leat {

namespace {

constexpr std::uint64_t wake_cookie = UINT64_MAX;
constexpr int events_max = 256;

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLRDHUP == POLLRDHUP && EPOLLHUP == POLLHUP &&
              EPOLLERR == POLLERR && EPOLLPRI == POLLPRI);

class epoll_backend final : public readiness_backend {
public:
    explicit epoll_backend(std::string refused);

    void collect(time_point deadline, list<operation>& done) override;
    backend_description describe() const override { return {"epoll", "edge-triggered", refused_}; }

private:
    int watch(int fd, watching what, std::uint32_t registration) noexcept override;
    void stop_watching(int fd) noexcept override;
    static std::uint32_t events_of(watching what) noexcept;
    int control(int change, int fd, epoll_event* event) noexcept;
    int await_events(time_point deadline);

    fd epoll_;
    bool precise_ = true;  // epoll_pwait2 works
    std::string refused_;
    std::array<epoll_event, events_max> events_;
};

epoll_backend::epoll_backend(std::string refused)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), refused_(std::move(refused)) {
    if (!epoll_) {
        throw std::system_error(errno_code(errno), "epoll_create1");
    }
    // Edge-triggered, so that it never needs to be read: every write is a new edge.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = wake_cookie}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_descriptor(), &event) != 0) {
        throw std::system_error(errno_code(errno), "epoll_ctl");
    }
}

std::uint32_t epoll_backend::events_of(watching what) noexcept {
    switch (what) {
        case watching::all:
            return EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
        case watching::next_read:
            return EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
        case watching::next_write:
            return EPOLLOUT | EPOLLONESHOT;
    }
    return 0;
}

// The kernel knows a registration by the number and the file. A change arms it again: what is ready now is
// told again. It fails when the number has been closed since, and then the file that has it now is added. The
// other way round a file can have come back to a number under which it was registered before.
int epoll_backend::watch(int fd, watching what, std::uint32_t registration) noexcept {
    epoll_event event{};
    event.events = events_of(what);
    event.data.u64 = std::uint64_t{registration} << 32 | static_cast<std::uint32_t>(fd);
    const bool registered = states()[static_cast<std::size_t>(fd)].registered();
    const int wrong = registered ? ENOENT : EEXIST;
    if (control(registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 &&
        (errno != wrong || control(registered ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)) {
        return errno;
    }
    return 0;
}

void epoll_backend::stop_watching(int fd) noexcept {
    control(EPOLL_CTL_DEL, fd, nullptr);
}

int epoll_backend::control(int change, int fd, epoll_event* event) noexcept {
    return system_call::epoll_ctl(epoll_.get(), change, fd, event);
}

// The number of events, 0 when the deadline passed or a signal came first.
int epoll_backend::await_events(time_point deadline) {
    if (deadline == long_ago || deadline == never) {
        return system_call::epoll_wait(epoll_.get(), events_.data(), events_max, deadline == never ? -1 : 0);
    }
    const duration left = std::max(deadline - now(), duration::zero());
    if (precise_) {
        const timespec timeout{.tv_sec = left / std::chrono::seconds(1),
                               .tv_nsec = (left % std::chrono::seconds(1)).count()};
        const int count =
            system_call::epoll_pwait2(epoll_.get(), events_.data(), events_max, &timeout, nullptr);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        precise_ = false;  // before Linux 5.11, or a seccomp filter that does not know the call
    }
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left);
    return system_call::epoll_wait(epoll_.get(), events_.data(), events_max,
                                   static_cast<int>(std::min<std::int64_t>(rounded.count(), INT_MAX)));
}

void epoll_backend::collect(time_point deadline, list<operation>& done) {
    const int count = await_events(go_on(deadline, done));
    check(count >= 0 || errno == EINTR, "waiting for events works");
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.u64 == wake_cookie) {
            continue;
        }
        descriptor_state& state = states()[event.data.u64 & UINT32_MAX];
        if (state.registration == event.data.u64 >> 32) [[likely]] {  // else one that was closed since
            told(state, event.events, done);
        }
    }
}

}  // namespace

std::unique_ptr<backend> make_epoll_backend(std::string refused) {
    return std::make_unique<epoll_backend>(std::move(refused));
}

}  // namespace leat
