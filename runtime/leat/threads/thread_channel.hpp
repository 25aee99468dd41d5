// SPDX-License-Identifier: MIT
// thread_channel<T>: values handed between threads, in order. Tasks of any scheduler and threads without one
// may send and receive. Bounded, rendezvous (capacity 0) or unbounded. Within one scheduler use channel,
// which is cheaper.
//
// Theory of operation. A lock guards the values and two lines of places: waiting senders and waiting
// receivers; one of the lines is empty. A place is in the frame of the waiting task, or on the stack of the
// waiting thread. The thread that ends a wait takes the place out of its line under the lock: it gives or
// takes the value, marks the place as `found`, unlocks, and only then wakes the waiter. A cancellation takes
// the same lock: it removes the place if it is not found, and comes too late otherwise. So a found place
// stays alive until it is woken, and waking is the last use of it (cross_thread_wait.hpp for tasks). The
// channel itself is not used after unlocking: the woken task or thread may destroy it. Invariant: no value is
// lost: it is in the channel, with its sender, or with its receiver.
#pragma once

#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/detachable.hpp>
#include <leat/core/ring.hpp>
#include <leat/sync/channel.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace leat {

namespace detail {

// A place in a line. Guarded by the lock of the channel until it is found.
template <typename T>
struct channel_place : list_link {
    virtual void wake() noexcept = 0;  // once, after it was found; *this may be gone afterwards
    std::optional<T> value;            // to be sent, or received
    bool found = false;
    bool refused = false;  // the channel was closed before the value was sent

protected:
    ~channel_place() = default;
};

// Blocks a thread until it is released. The releasing thread holds the lock meanwhile, so that the blocked
// thread cannot go on and destroy this before that has ended.
class thread_stop {
public:
    void release() noexcept;
    void wait() noexcept;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool released_ = false;
};

template <typename T>
struct thread_place final : channel_place<T> {
    void wake() noexcept override { stop.release(); }
    thread_stop stop;
};

// A thread that runs a scheduler would stop all of its tasks.
void check_may_block() noexcept;

}  // namespace detail

// Values must not throw when they are moved: a value that has left its sender arrives. The channel outlives
// all calls on it.
template <typename T>
class thread_channel {
    static_assert(std::is_nothrow_move_constructible_v<T>, "a channel's values are moved without throwing");
    using place = detail::channel_place<T>;

public:
    static constexpr std::size_t unbounded = SIZE_MAX;

    explicit thread_channel(std::size_t capacity = unbounded) noexcept : capacity_(capacity) {}
    thread_channel(const thread_channel&) = delete;
    thread_channel& operator=(const thread_channel&) = delete;
    ~thread_channel() { check(senders_.empty() && receivers_.empty(), "nobody waits for what is destroyed"); }

    class send_awaiter;
    class receive_awaiter;

    // co_await channel.send(value): waits for room, in the order of asking. Throws channel_closed when the
    // channel is closed before there was room. Cancelled: the value was not sent, and dies with the wait. A
    // stream is detached from its run first.
    // While a task waits nothing is called a deadlock in its run.
    [[nodiscard]] send_awaiter send(T value) noexcept { return send_awaiter(*this, std::move(value)); }
    // co_await channel.receive() gives std::optional<T>: the next value; empty once the channel is closed
    // and drained. Cancelled: nothing was received.
    [[nodiscard]] receive_awaiter receive() noexcept { return receive_awaiter(*this); }

    // Any thread, in a run or not. Moves from `value` and returns true, if that needs no wait. A closed
    // channel takes nothing.
    [[nodiscard]] bool try_send(T& value);
    [[nodiscard]] bool try_send(T&& value) { return try_send(value); }
    // A value, if there is one.
    [[nodiscard]] std::optional<T> try_receive() noexcept;

    // For threads without a scheduler, such as those of offload: as send and receive, but the thread waits.
    void send_blocking(T value);
    [[nodiscard]] std::optional<T> receive_blocking() noexcept;

    // Nothing more is sent: waiting sends throw channel_closed. What is in the channel can be received. The
    // second call does nothing.
    void close() noexcept;
    [[nodiscard]] bool is_closed() const noexcept {
        const std::lock_guard lock(mutex_);
        return closed_;
    }
    // Values that wait to be received: as it was a moment ago.
    [[nodiscard]] std::size_t size() const noexcept {
        const std::lock_guard lock(mutex_);
        return values_.size();
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    class waiter;

    // True: it is over at once. False: `self` stands in the line, after `before_waiting()`.
    template <typename Before>
    bool begin_send(place& self, Before before_waiting);
    template <typename Before>
    bool begin_receive(place& self, Before before_waiting);
    bool leave(place& self) noexcept;

    // Under the lock; found places go to `found`, to be woken after unlocking.
    bool pass(T& value, list<place>& found);
    bool take(std::optional<T>& into, list<place>& found) noexcept;
    static place& find_first(list<place>& line, list<place>& found) noexcept;
    static void wake(list<place>& found) noexcept {
        while (!found.empty()) {
            found.pop_front().wake();
        }
    }

    mutable std::mutex mutex_;
    list<place> senders_;
    list<place> receivers_;
    detail::ring<T> values_;
    std::size_t capacity_;
    bool closed_ = false;
};

// A task's wait at the channel.
template <typename T>
class thread_channel<T>::waiter : public detail::awaiter_of<waiter>,
                                  protected detail::cross_thread_wait,
                                  protected place {
public:
    void suspend(frame& waiting) noexcept { scheduler::suspend(waiting, *this); }

protected:
    waiter(const wait_kind& what, thread_channel& at) noexcept : cross_thread_wait(what), at_(&at) {}
    waiter(waiter&& fresh) noexcept
        : detail::awaiter_of<waiter>(std::move(fresh)),
          cross_thread_wait(std::move(fresh)),
          place(),
          at_(fresh.at_) {
        this->value = std::move(fresh.value);
    }
    ~waiter() = default;

    // `begin_in_channel` is begin_send or begin_receive.
    template <typename Begin>
    bool begin(Begin begin_in_channel) {
        check(this_thread.task != nullptr, "this is awaited by a task");
        check(!std::exchange(begun_, true), "the wait at a thread_channel was awaited before");
        task_state& asking = *this_thread.task;
        if (asking.cancelled()) {
            this->end = wait_end::cancelled;
            return false;
        }
        if (!begin_in_channel(*at_, static_cast<place&>(*this), [this] { this->expect(); })) {
            return false;
        }
        this->end = wait_end::finished;
        return detail::spend_budget();
    }
    static bool cancel(wait& self) noexcept {
        auto& waiting = static_cast<waiter&>(static_cast<cross_thread_wait&>(self));
        if (!waiting.at_->leave(waiting)) {
            return false;
        }
        waiting.withdraw();
        return true;
    }

private:
    void wake() noexcept override { this->complete(); }

    thread_channel* at_;
    bool begun_ = false;
};

template <typename T>
class [[nodiscard]] thread_channel<T>::send_awaiter final : public waiter {
public:
    send_awaiter(thread_channel& to, T&& value) noexcept : waiter(send_kind, to) {
        this->value.emplace(std::move(value));
    }
    bool await_ready() {
        detail::detach_for_other_thread(*this->value);
        return this->begin([](thread_channel& to, place& self, auto before_waiting) {
            return to.begin_send(self, before_waiting);
        });
    }
    void await_resume() const {
        if (this->refused) {
            throw channel_closed();
        }
    }

private:
    static inline constinit const wait_kind send_kind{"room in a thread_channel", waiter::cancel};
};

template <typename T>
class [[nodiscard]] thread_channel<T>::receive_awaiter final : public waiter {
public:
    explicit receive_awaiter(thread_channel& from) noexcept : waiter(receive_kind, from) {}
    bool await_ready() {
        return this->begin([](thread_channel& from, place& self, auto before_waiting) {
            return from.begin_receive(self, before_waiting);
        });
    }
    std::optional<T> await_resume() noexcept { return std::move(this->value); }

private:
    static inline constinit const wait_kind receive_kind{"a thread_channel", waiter::cancel};
};

template <typename T>
auto thread_channel<T>::find_first(list<place>& line, list<place>& found) noexcept -> place& {
    place& first = line.pop_front();
    first.found = true;
    found.push_back(first);
    return first;
}

template <typename T>
bool thread_channel<T>::pass(T& value, list<place>& found) {
    if (!receivers_.empty()) {
        find_first(receivers_, found).value.emplace(std::move(value));
        return true;
    }
    if (values_.size() >= capacity_) {
        return false;
    }
    values_.ensure(values_.size() + 1);
    values_.push(std::move(value));
    return true;
}

template <typename T>
bool thread_channel<T>::take(std::optional<T>& into, list<place>& found) noexcept {
    if (!values_.empty()) {
        values_.take(into);
        if (!senders_.empty()) {  // it has room now, in the ring too
            values_.push(std::move(*find_first(senders_, found).value));
        }
        return true;
    }
    if (!senders_.empty()) {  // a rendezvous
        into.emplace(std::move(*find_first(senders_, found).value));
        return true;
    }
    return false;
}

template <typename T>
bool thread_channel<T>::try_send(T& value) {
    detail::detach_for_other_thread(value);
    list<place> found;
    bool sent = false;
    {
        const std::lock_guard lock(mutex_);
        sent = !closed_ && pass(value, found);
    }
    wake(found);
    return sent;
}

template <typename T>
std::optional<T> thread_channel<T>::try_receive() noexcept {
    list<place> found;
    std::optional<T> value;
    {
        const std::lock_guard lock(mutex_);
        (void)take(value, found);
    }
    wake(found);
    return value;
}

template <typename T>
template <typename Before>
bool thread_channel<T>::begin_send(place& self, Before before_waiting) {
    list<place> found;
    bool over = false;
    {
        const std::lock_guard lock(mutex_);
        self.refused = closed_;
        over = closed_ || pass(*self.value, found);
        if (!over) {
            before_waiting();
            senders_.push_back(self);
        }
    }
    wake(found);
    return over;
}

template <typename T>
template <typename Before>
bool thread_channel<T>::begin_receive(place& self, Before before_waiting) {
    list<place> found;
    bool over = false;
    {
        const std::lock_guard lock(mutex_);
        over = take(self.value, found) || closed_;
        if (!over) {
            before_waiting();
            receivers_.push_back(self);
        }
    }
    wake(found);
    return over;
}

// True: it was not found, and will not be.
template <typename T>
bool thread_channel<T>::leave(place& self) noexcept {
    const std::lock_guard lock(mutex_);
    if (self.found) {
        return false;
    }
    self.unlink();
    return true;
}

template <typename T>
void thread_channel<T>::send_blocking(T value) {
    detail::check_may_block();
    detail::thread_place<T> self;
    self.value.emplace(std::move(value));
    if (!begin_send(self, [] {})) {
        self.stop.wait();
    }
    if (self.refused) {
        throw channel_closed();
    }
}

template <typename T>
std::optional<T> thread_channel<T>::receive_blocking() noexcept {
    detail::check_may_block();
    detail::thread_place<T> self;
    if (!begin_receive(self, [] {})) {
        self.stop.wait();
    }
    return std::move(self.value);
}

template <typename T>
void thread_channel<T>::close() noexcept {
    list<place> found;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        while (!senders_.empty()) {
            find_first(senders_, found).refused = true;
        }
        while (!receivers_.empty()) {
            find_first(receivers_, found);
        }
    }
    wake(found);
}

}  // namespace leat
