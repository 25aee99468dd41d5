// SPDX-License-Identifier: MIT
// latest<T>: a value that changes, such as settings, and observers who wait for it to change. Unlike in a
// broadcast only the newest value counts: a slow observer skips the values in between, and is not told.
//
//   auto watched = settings.observe();
//   while (const auto* now = co_await watched.next()) { apply(*now); }
//
// Invariant: an observer has seen the value of `version_`, or its wait for the next one ends.
#pragma once

#include <leat/core/wait_queue.hpp>

#include <cstdint>
#include <utility>

namespace leat {

// Outlives its observers' waits.
template <typename T>
class latest {
public:
    class observer;

    explicit latest(T first) : value_(std::move(first)) {}
    latest(const latest&) = delete;
    latest& operator=(const latest&) = delete;

    [[nodiscard]] const T& get() const noexcept { return value_; }
    // Replaces the value and wakes all waiting observers. Misuse once it is closed.
    void set(T value) {
        check(!closed_, "a latest that is closed does not change");
        value_ = std::move(value);
        ++version_;
        waiting_.wake_all();
    }
    // There will be no other value. The second call does nothing.
    void close() noexcept {
        closed_ = true;
        waiting_.wake_all();
    }
    [[nodiscard]] bool is_closed() const noexcept { return closed_; }

    // An observer that has not seen the present value yet.
    [[nodiscard]] observer observe() noexcept { return observer(*this); }

private:
    T value_;
    std::uint64_t version_ = 1;
    detail::wait_queue waiting_;
    bool closed_ = false;
};

template <typename T>
class latest<T>::observer {
public:
    // co_await observer.next(): the newest value, once it is one that this observer has not seen; the first
    // time at once. Null once it is closed and was seen. The value stands in the latest: set() changes it, so
    // copy what is needed beyond the next wait. Cancelled: nothing was seen.
    class [[nodiscard]] next_awaiter : public detail::leaf_awaiter<next_awaiter> {
        using base = detail::leaf_awaiter<next_awaiter>;

    public:
        explicit next_awaiter(observer& by) noexcept : base(next_kind), by_(&by) {}
        bool take_now() const noexcept { return by_->changed() || by_->of_->closed_; }
        void enqueue() noexcept { by_->of_->waiting_.push_back(*this); }
        const T* await_resume() const noexcept {
            return std::exchange(by_->seen_, by_->of_->version_) != by_->of_->version_ ? &by_->of_->value_
                                                                                       : nullptr;
        }

    private:
        static inline constinit const wait_kind next_kind{"a newer value", detail::wait_queue::leave};
        observer* by_;
    };
    [[nodiscard]] next_awaiter next() noexcept { return next_awaiter(*this); }
    // Whether next() would not wait for a value.
    [[nodiscard]] bool changed() const noexcept { return seen_ != of_->version_; }

private:
    friend latest;
    explicit observer(latest& of) noexcept : of_(&of) {}
    latest* of_;
    std::uint64_t seen_ = 0;
};

}  // namespace leat
