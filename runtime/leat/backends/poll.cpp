// SPDX-License-Identifier: MIT
#include <leat/backends/poll.hpp>

#include <leat/backends/edge_watch.hpp>
#include <leat/backends/readiness_backend.hpp>

#include <algorithm>
#include <climits>
#include <new>

#include <fcntl.h>
#include <sys/syscall.h>

namespace leat {

namespace {

// A set of descriptors as select(2) takes it, without its limit of FD_SETSIZE.
class descriptor_set {
public:
    void reserve(std::size_t count) { words_.resize(std::max(words_.size(), count / bits + 1)); }
    void clear() noexcept { std::ranges::fill(words_, 0); }
    void add(int fd) noexcept { word(fd) |= bit(fd); }
    [[nodiscard]] bool has(int fd) noexcept { return (word(fd) & bit(fd)) != 0; }
    [[nodiscard]] unsigned long* data() noexcept { return words_.data(); }

private:
    static constexpr std::size_t bits = sizeof(unsigned long) * CHAR_BIT;
    static unsigned long bit(int fd) noexcept { return 1UL << static_cast<std::size_t>(fd) % bits; }
    unsigned long& word(int fd) noexcept { return words_[static_cast<std::size_t>(fd) / bits]; }

    std::vector<unsigned long> words_;
};

class poll_backend final : public readiness_backend {
public:
    explicit poll_backend(std::string refused) : refused_(std::move(refused)) { make_room_for(0); }

    void collect(time_point deadline, list<operation>& done) override;
    backend_description describe() const override { return {"poll", "level-triggered", refused_}; }

private:
    int watch(int fd, watching what, std::uint32_t registration) noexcept override;
    void stop_watching(int fd) noexcept override;
    void make_room_for(std::size_t count) override;
    void list_descriptors() noexcept;
    int await_events(time_point deadline) noexcept;
    int select_events(timespec* timeout) noexcept;
    void tell(int fd, std::uint32_t events, list<operation>& done) noexcept;
    bool leave_to_edges(int fd) noexcept;
    void rest(int fd) noexcept;
    void end_rest() noexcept;

    // How a descriptor that somebody waits for is told of. Not by poll, when the error it has lasts.
    enum class told_by : std::uint8_t { poll, edges, time };
    [[nodiscard]] told_by& way_of(int fd) noexcept { return ways_[static_cast<std::size_t>(fd)]; }

    std::string refused_;
    std::vector<pollfd> polled_;  // the first is for wake()
    std::vector<told_by> ways_;   // by number
    edge_watch edges_;
    time_point rest_over_ = never;              // then those told by time are polled again
    descriptor_set reads_, writes_, failures_;  // of select_events
};

void poll_backend::make_room_for(std::size_t count) {
    constexpr std::size_t own = 2;  // of the backend itself
    polled_.reserve(count + own);
    ways_.resize(count);
    const std::size_t numbers = std::max(count, static_cast<std::size_t>(wake_descriptor()) + 1);
    for (descriptor_set* const each : {&reads_, &writes_, &failures_}) {
        each->reserve(numbers);
    }
}

// Whoever waits is listed; only a descriptor that is closed is to be refused at once.
int poll_backend::watch(int fd, watching /*what*/, std::uint32_t /*registration*/) noexcept {
    way_of(fd) = told_by::poll;
    return ::fcntl(fd, F_GETFD) < 0 ? errno : 0;
}

void poll_backend::stop_watching(int fd) noexcept {
    if (std::exchange(way_of(fd), told_by::poll) == told_by::edges) {
        edges_.remove(fd);
    }
}

// There is room: make_room_for has been called for each that waits.
void poll_backend::list_descriptors() noexcept {
    polled_.clear();
    polled_.push_back({.fd = wake_descriptor(), .events = POLLIN, .revents = 0});
    if (edges_.descriptor() >= 0) {
        polled_.push_back({.fd = edges_.descriptor(), .events = POLLIN, .revents = 0});
    }
    int fd = 0;
    for (const descriptor_state& state : states()) {
        if ((state.reader != nullptr || state.writer != nullptr) && way_of(fd) == told_by::poll) {
            const int reads = state.reader != nullptr ? POLLIN | POLLRDHUP : 0;
            const int writes = state.writer != nullptr ? POLLOUT : 0;
            polled_.push_back({.fd = fd, .events = static_cast<short>(reads | writes), .revents = 0});
        }
        ++fd;
    }
}

// How many descriptors have events; -1 when a signal came first, or the kernel is short of memory.
int poll_backend::await_events(time_point deadline) noexcept {
    timespec timeout{};
    if (deadline != never) {
        const duration left =
            deadline == long_ago ? duration::zero() : std::max(deadline - now(), duration::zero());
        timeout = {.tv_sec = left / std::chrono::seconds(1),
                   .tv_nsec = (left % std::chrono::seconds(1)).count()};
    }
    timespec* const limit = deadline == never ? nullptr : &timeout;
    const int count = system_call::ppoll(polled_.data(), polled_.size(), limit, nullptr);
    return count < 0 && errno == EINVAL ? select_events(limit) : count;
}

// poll(2) takes no more descriptors than may be open (RLIMIT_NOFILE), and that may be fewer by now than are
// open. select(2) takes all. It tells less: what is readable may have ended, too.
int poll_backend::select_events(timespec* timeout) noexcept {
    for (descriptor_set* const each : {&reads_, &writes_, &failures_}) {
        each->clear();
    }
    int end = 0;
    for (const pollfd& each : polled_) {
        if ((each.events & POLLIN) != 0) {
            reads_.add(each.fd);
        }
        if ((each.events & POLLOUT) != 0) {
            writes_.add(each.fd);
        }
        failures_.add(each.fd);
        end = std::max(end, each.fd + 1);
    }
    const long count =
        ::syscall(SYS_pselect6, end, reads_.data(), writes_.data(), failures_.data(), timeout, nullptr);
    const bool one_is_closed = count < 0 && errno == EBADF;
    if (count < 0 && !one_is_closed) {
        return -1;
    }
    for (pollfd& each : polled_) {
        if (one_is_closed) {
            each.revents = ::fcntl(each.fd, F_GETFD) < 0 ? POLLNVAL : 0;
            continue;
        }
        const int reads = reads_.has(each.fd) ? POLLIN | POLLRDHUP : 0;
        const int writes = writes_.has(each.fd) ? POLLOUT : 0;
        const int urgent = failures_.has(each.fd) ? POLLPRI : 0;
        each.revents = static_cast<short>((reads | writes | urgent) & (each.events | POLLPRI));
    }
    return 1;
}

// What has not been of use to anybody who waits, and lasts, is told by edges from now on; without those the
// descriptor is left alone for some time, again and again.
void poll_backend::tell(int fd, std::uint32_t events, list<operation>& done) noexcept {
    descriptor_state& state = states()[static_cast<std::size_t>(fd)];
    told(state, events, done);
    if ((events & POLLERR) != 0 && (state.reader != nullptr || state.writer != nullptr) &&
        way_of(fd) == told_by::poll) [[unlikely]] {
        if (leave_to_edges(fd)) {
            way_of(fd) = told_by::edges;
        } else {
            rest(fd);
        }
    }
}

void poll_backend::rest(int fd) noexcept {
    way_of(fd) = told_by::time;
    if (rest_over_ == never) {
        rest_over_ = after(now(), edge_watch::rest);
    }
}

void poll_backend::end_rest() noexcept {
    if (rest_over_ <= now()) {
        std::ranges::replace(ways_, told_by::time, told_by::poll);
        rest_over_ = never;
    }
}

bool poll_backend::leave_to_edges(int fd) noexcept try {
    if (edges_.add(fd) != 0) {
        return false;
    }
    for (descriptor_set* const each : {&reads_, &writes_, &failures_}) {
        each->reserve(static_cast<std::size_t>(edges_.descriptor()) + 1);
    }
    return true;
} catch (const std::bad_alloc&) {
    edges_.remove(fd);
    return false;
}

void poll_backend::collect(time_point deadline, list<operation>& done) {
    deadline = go_on(deadline, done);
    if (rest_over_ != never) [[unlikely]] {
        end_rest();
    }
    list_descriptors();
    const int count = await_events(std::min(deadline, rest_over_));
    check(count >= 0 || errno == EINTR || errno == ENOMEM, "waiting for no more than may be open works");
    if (count > 0) {
        for (const pollfd& each : polled_) {
            if (each.revents == 0) {
                continue;
            }
            if (each.fd == wake_descriptor()) {
                std::uint64_t wakes = 0;
                [[maybe_unused]] const auto size = ::read(wake_descriptor(), &wakes, sizeof wakes);
            } else if (each.fd == edges_.descriptor()) {
                edges_.take([&](int fd, std::uint32_t events) {
                    if (way_of(fd) == told_by::edges) {
                        tell(fd, events, done);
                    }
                });
            } else {
                // Whoever tries a descriptor that has been closed is told so by the kernel.
                tell(each.fd,
                     (each.revents & POLLNVAL) != 0 ? POLLERR : static_cast<std::uint32_t>(each.revents),
                     done);
            }
        }
    }
}

}  // namespace

std::unique_ptr<backend> make_poll_backend(std::string refused) {
    return std::make_unique<poll_backend>(std::move(refused));
}

}  // namespace leat
