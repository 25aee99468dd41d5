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

// Of a size that an index is shifted by, not multiplied.
struct alignas(32) descriptor_state {
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
    bool submit_first(operation& op);
    [[gnu::noinline]] bool submit_ready(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool fail_or_wait(operation& op, descriptor_state& state);
    [[gnu::noinline]] bool fail_or_watch(operation& op, descriptor_state& state);
    int register_descriptor(const operation& op, descriptor_state& state) noexcept;
    [[gnu::noinline]] void stop_watching(int fd) noexcept;
    void dispatch(const epoll_event& event);
    [[gnu::always_inline]] inline void retry(operation*& waiting, descriptor_state& state);
    void complete(operation*& waiting) noexcept;
    void drop(operation*& waiting) noexcept;
    int await_events(time_point deadline);

    fd epoll_;
    fd wake_;
    kernel_sockets sockets_;
    slab_pool::owner pool_{new slab_pool};
    std::vector<descriptor_state> descriptors_;  // by descriptor number
    list<operation> completed_;                  // handed over at the end of collect
    std::size_t completed_count_ = 0;
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

bool epoll_backend::submit(operation& op) {
    const auto index = static_cast<std::size_t>(op.descriptor);
    if (index >= descriptors_.size()) [[unlikely]] {
        return submit_first(op);
    }
    descriptor_state& state = descriptors_[index];
    return state.ready.to_try(op.action) ? submit_ready(op, state) : fail_or_wait(op, state);
}

// Apart from submit, so that one that has to wait, as most receives have, saves no registers.
bool epoll_backend::submit_ready(operation& op, descriptor_state& state) {
    return attempt(op, state.ready, *pool_) || fail_or_wait(op, state);
}

// The first operation on a descriptor with so high a number.
bool epoll_backend::submit_first(operation& op) {
    check(op.descriptor >= 0, "an operation is on an open descriptor");
    descriptors_.resize(std::max(static_cast<std::size_t>(op.descriptor) + 1, descriptors_.size() * 2));
    return submit(op);
}

// True: it has failed at once.
bool epoll_backend::fail_or_wait(operation& op, descriptor_state& state) {
    operation*& waiting = reads(op.action) ? state.reader : state.writer;
    check(waiting == nullptr, "one task at a time waits to read (or to write) on a descriptor");
    if (!state.registered || for_others(op)) [[unlikely]] {
        return fail_or_watch(op, state);
    }
    waiting = &op;
    ++pending_;
    return false;
}

bool epoll_backend::fail_or_watch(operation& op, descriptor_state& state) {
    if (const int error = register_descriptor(op, state)) {
        op.result = error == EPERM && for_others(op) ? 0 : -error;  // EPERM: a file, always ready
        return true;
    }
    (reads(op.action) ? state.reader : state.writer) = &op;
    ++pending_;
    return false;
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

void epoll_backend::stop_watching(int fd) noexcept {
    descriptor_state& state = descriptors_[static_cast<std::size_t>(fd)];
    if (state.reader == nullptr && state.writer == nullptr) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
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
    --pending_;
    if (for_others(op)) {
        stop_watching(op.descriptor);
    }
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
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.u64 != wake_cookie) {
            dispatch(event);
        }
    }
    pending_ -= completed_count_;
    completed_count_ = 0;
    done.append(completed_);
}

void epoll_backend::dispatch(const epoll_event& event) {
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
            retry(state.reader, state);
        }
    }
    if ((event.events & (ended | EPOLLOUT)) != 0) {
        state.ready.writable = true;
        if (state.writer != nullptr) {
            retry(state.writer, state);
        }
    }
}

void epoll_backend::retry(operation*& waiting, descriptor_state& state) {
    operation& op = *waiting;
    if (for_others(op)) [[unlikely]] {
        complete(waiting);
        stop_watching(op.descriptor);
    } else if (state.ready.to_try(op.action) && attempt(op, state.ready, *pool_)) {
        complete(waiting);
    }
}

// It stays pending until it is handed over.
void epoll_backend::complete(operation*& waiting) noexcept {
    completed_.push_back(*std::exchange(waiting, nullptr));
    ++completed_count_;
}

void epoll_backend::wake() noexcept {
    const std::uint64_t one = 1;
    // It fails only when the counter is full, and then a wake-up is pending already.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void epoll_backend::drop(operation*& waiting) noexcept {
    if (waiting != nullptr) {
        waiting->retired = true;
        waiting->result = -ECANCELED;
        complete(waiting);
    }
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
