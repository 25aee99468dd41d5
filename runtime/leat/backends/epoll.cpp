// SPDX-License-Identifier: MIT
#include <leat/backends/epoll.hpp>

#include <leat/backends/kernel_sockets.hpp>
#include <leat/backends/readiness.hpp>
#include <leat/backends/slab_pool.hpp>
#include <leat/fd.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace leat {

namespace {

constexpr std::uint64_t wake_cookie = UINT64_MAX;
constexpr int events_max = 256;

struct descriptor_state {
    operation* reader = nullptr;
    operation* writer = nullptr;
    std::uint32_t generation = 0;
    readiness ready;
    bool registered = false;
};

class epoll_backend final : public backend {
public:
    explicit epoll_backend(std::string refused);
    ~epoll_backend() override;

    bool submit(operation& op) override;
    bool cancel(operation& op) noexcept override;
    void collect(time_point deadline, list<operation>& done) override;
    void wake() noexcept override;
    void retire(int fd) noexcept override;
    std::size_t pending() const noexcept override { return pending_; }
    time_point now() noexcept override { return kernel_now(); }
    std::chrono::system_clock::time_point wall_now() noexcept override {
        return std::chrono::system_clock::now();
    }
    std::uint64_t random() noexcept override { return kernel_random(); }
    socket_calls& sockets() noexcept override { return sockets_; }
    backend_description describe() const override { return {"epoll", "edge-triggered", refused_}; }

private:
    descriptor_state& state_of(int fd);
    [[gnu::noinline]] bool wait_for_readiness(operation& op, descriptor_state& state);
    int register_descriptor(const operation& op, descriptor_state& state) noexcept;
    void finish(operation& op) noexcept;
    void dispatch(const epoll_event& event, list<operation>& done);
    void retry(operation*& waiting, descriptor_state& state, list<operation>& done);
    void drop(operation*& waiting) noexcept;
    int await_events(time_point deadline);

    fd epoll_;
    fd wake_;
    kernel_sockets sockets_;
    slab_pool::owner pool_{new slab_pool};
    std::vector<descriptor_state> descriptors_;  // by descriptor number
    list<operation> completed_;                  // by retire; handed over at the next collect
    std::size_t pending_ = 0;
    bool precise_ = true;  // epoll_pwait2 works
    std::string refused_;
    std::array<epoll_event, events_max> events_;
};

bool for_others(const operation& op) noexcept {
    return op.action == operation_kind::readable || op.action == operation_kind::writable;
}

epoll_backend::epoll_backend(std::string refused)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), refused_(std::move(refused)) {
    if (!epoll_) {
        throw std::system_error(errno_code(errno), "epoll_create1");
    }
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    // Edge-triggered, so that it never needs to be read: every write is a new edge.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = wake_cookie}};
    if (!wake_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
        throw std::system_error(errno_code(errno), "eventfd");
    }
}

epoll_backend::~epoll_backend() {
    check(pending_ == 0, "a backend ends after its last operation");
}

descriptor_state& epoll_backend::state_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= descriptors_.size()) [[unlikely]] {
        check(fd >= 0, "an operation is on an open descriptor");
        descriptors_.resize(std::max(index + 1, descriptors_.size() * 2));
    }
    return descriptors_[index];
}

bool epoll_backend::submit(operation& op) {
    descriptor_state& state = state_of(op.descriptor);
    return attempt(op, state.ready, *pool_) || !wait_for_readiness(op, state);
}

// False: it has failed at once.
bool epoll_backend::wait_for_readiness(operation& op, descriptor_state& state) {
    operation*& waiting = reads(op.action) ? state.reader : state.writer;
    check(waiting == nullptr, "one task at a time waits to read (or to write) on a descriptor");
    if (!state.registered || for_others(op)) {
        if (const int error = register_descriptor(op, state)) {
            op.result = error == EPERM && for_others(op) ? 0 : -error;  // EPERM: a file, always ready
            return false;
        }
    }
    waiting = &op;
    ++pending_;
    return true;
}

// Returns 0 or an errno value. Registering again re-arms: what is ready now is told again.
int epoll_backend::register_descriptor(const operation& op, descriptor_state& state) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = std::uint64_t{state.generation} << 32 | static_cast<std::uint32_t>(op.descriptor);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, op.descriptor, &event) != 0 &&
        (errno != EEXIST || ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, op.descriptor, &event) != 0)) {
        return errno;
    }
    state.registered = true;
    return 0;
}

// Called when `op` no longer waits on its descriptor.
void epoll_backend::finish(operation& op) noexcept {
    --pending_;
    if (!for_others(op)) {
        return;
    }
    descriptor_state& state = descriptors_[static_cast<std::size_t>(op.descriptor)];
    if (state.reader == nullptr && state.writer == nullptr) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, op.descriptor, nullptr);
        state.registered = false;
        state.ready = {};
        ++state.generation;
    }
}

bool epoll_backend::cancel(operation& op) noexcept {
    if (op.retired) {
        return false;  // it has completed already
    }
    descriptor_state& state = descriptors_[static_cast<std::size_t>(op.descriptor)];
    operation*& waiting = reads(op.action) ? state.reader : state.writer;
    check(waiting == &op, "only a pending operation is cancelled");
    waiting = nullptr;
    finish(op);
    op.result = -ECANCELED;
    return true;
}

// The number of events, 0 when the deadline passed or a signal came first.
int epoll_backend::await_events(time_point deadline) {
    if (deadline == long_ago || deadline == never) {
        return ::epoll_wait(epoll_.get(), events_.data(), events_max, deadline == never ? -1 : 0);
    }
    const duration left = std::max(deadline - now(), duration::zero());
    if (precise_) {
        const timespec timeout{.tv_sec = left / std::chrono::seconds(1),
                               .tv_nsec = (left % std::chrono::seconds(1)).count()};
        const int count = ::epoll_pwait2(epoll_.get(), events_.data(), events_max, &timeout, nullptr);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        precise_ = false;  // before Linux 5.11, or a seccomp filter that does not know the call
    }
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left);
    return ::epoll_wait(epoll_.get(), events_.data(), events_max,
                        static_cast<int>(std::min<std::int64_t>(rounded.count(), INT_MAX)));
}

void epoll_backend::collect(time_point deadline, list<operation>& done) {
    const int count = await_events(completed_.empty() ? deadline : long_ago);
    check(count >= 0 || errno == EINTR, "waiting for events works");
    while (!completed_.empty()) {
        done.push_back(completed_.pop_front());
        --pending_;
    }
    for (int i = 0; i < count; ++i) {
        if (events_[static_cast<std::size_t>(i)].data.u64 != wake_cookie) {
            dispatch(events_[static_cast<std::size_t>(i)], done);
        }
    }
}

void epoll_backend::dispatch(const epoll_event& event, list<operation>& done) {
    descriptor_state& state = descriptors_[event.data.u64 & UINT32_MAX];
    if (state.generation != event.data.u64 >> 32) [[unlikely]] {
        return;  // of a descriptor that was closed since
    }
    constexpr std::uint32_t ended = EPOLLHUP | EPOLLERR;
    if ((event.events & (ended | EPOLLRDHUP)) != 0) [[unlikely]] {
        state.ready.hung_up = true;
    }
    if ((event.events & (ended | EPOLLRDHUP | EPOLLIN)) != 0) {
        state.ready.readable = true;
        if (state.reader != nullptr) {
            retry(state.reader, state, done);
        }
    }
    if ((event.events & (ended | EPOLLOUT)) != 0) {
        state.ready.writable = true;
        if (state.writer != nullptr) {
            retry(state.writer, state, done);
        }
    }
}

void epoll_backend::retry(operation*& waiting, descriptor_state& state, list<operation>& done) {
    operation& op = *waiting;
    if (for_others(op)) {
        op.result = 0;
    } else if (!attempt(op, state.ready, *pool_)) {
        return;
    }
    waiting = nullptr;
    done.push_back(op);
    finish(op);
}

void epoll_backend::wake() noexcept {
    const std::uint64_t one = 1;
    // It fails only when the counter is full, and then a wake-up is pending already.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void epoll_backend::drop(operation*& waiting) noexcept {
    if (waiting == nullptr) {
        return;
    }
    waiting->retired = true;
    waiting->result = -ECANCELED;
    completed_.push_back(*waiting);  // and pending until it is handed over
    waiting = nullptr;
}

void epoll_backend::retire(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index < descriptors_.size()) {
        descriptor_state& state = descriptors_[index];
        drop(state.reader);
        drop(state.writer);
        state.ready = {};
        state.registered = false;
        ++state.generation;
    }
    ::close(fd);
}

}  // namespace

std::unique_ptr<backend> make_epoll_backend(std::string refused) {
    return std::make_unique<epoll_backend>(std::move(refused));
}

}  // namespace leat
