// SPDX-License-Identifier: MIT
#include <leat/backends/poll.hpp>

#include <leat/backends/readiness_backend.hpp>

#include <algorithm>

#include <fcntl.h>

namespace leat {

namespace {

class poll_backend final : public readiness_backend {
public:
    explicit poll_backend(std::string refused) : refused_(std::move(refused)) {}

    void collect(time_point deadline, list<operation>& done) override;
    backend_description describe() const override { return {"poll", "level-triggered", refused_}; }

private:
    int watch(int fd, std::uint32_t generation) noexcept override;
    void stop_watching(int /*fd*/) noexcept override {}
    void list_descriptors();
    int await_events(time_point deadline);

    std::string refused_;
    std::vector<pollfd> polled_;  // the first is for wake()
};

// Whoever waits is listed; only a descriptor that is closed is to be refused at once.
int poll_backend::watch(int fd, std::uint32_t /*generation*/) noexcept {
    return ::fcntl(fd, F_GETFD) < 0 ? errno : 0;
}

void poll_backend::list_descriptors() {
    polled_.assign(1, {.fd = wake_descriptor(), .events = POLLIN, .revents = 0});
    int fd = 0;
    for (const descriptor_state& state : states()) {
        if (state.reader != nullptr || state.writer != nullptr) {
            const int reads = state.reader != nullptr ? POLLIN | POLLRDHUP : 0;
            const int writes = state.writer != nullptr ? POLLOUT : 0;
            polled_.push_back({.fd = fd, .events = static_cast<short>(reads | writes), .revents = 0});
        }
        ++fd;
    }
}

// How many descriptors have events; -1 when a signal came first, or the kernel is short of memory.
int poll_backend::await_events(time_point deadline) {
    if (deadline == never) {
        return system_call::ppoll(polled_.data(), polled_.size(), nullptr, nullptr);
    }
    const duration left =
        deadline == long_ago ? duration::zero() : std::max(deadline - now(), duration::zero());
    const timespec timeout{.tv_sec = left / std::chrono::seconds(1),
                           .tv_nsec = (left % std::chrono::seconds(1)).count()};
    return system_call::ppoll(polled_.data(), polled_.size(), &timeout, nullptr);
}

void poll_backend::collect(time_point deadline, list<operation>& done) {
    deadline = go_on(deadline);
    list_descriptors();
    const int count = await_events(deadline);
    check(count >= 0 || errno == EINTR || errno == ENOMEM, "waiting for no more than may be open works");
    if (count > 0) {
        if (polled_.front().revents != 0) {
            std::uint64_t wakes = 0;
            [[maybe_unused]] const auto size = ::read(wake_descriptor(), &wakes, sizeof wakes);
        }
        std::for_each(polled_.begin() + 1, polled_.end(), [this](const pollfd& each) {
            // Whoever tries a descriptor that has been closed is told so by the kernel.
            const int events = (each.revents & POLLNVAL) != 0 ? POLLERR : each.revents;
            if (events != 0) {
                told(states()[static_cast<std::size_t>(each.fd)], static_cast<std::uint32_t>(events));
            }
        });
    }
    hand_over(done);
}

}  // namespace

std::unique_ptr<backend> make_poll_backend(std::string refused) {
    return std::make_unique<poll_backend>(std::move(refused));
}

}  // namespace leat
