// SPDX-License-Identifier: MIT
// semaphore: a number of permits that tasks of one scheduler take and give back.
// Invariant: the task that has waited longest gets permits first, even if a later one asks for fewer.
#pragma once

#include <leat/core/wait_queue.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace leat {

class semaphore;

// Some permits of a semaphore. Move-only; its destructor gives them back.
class [[nodiscard]] permit {
public:
    permit(permit&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    permit& operator=(permit&& other) noexcept {
        if (this != &other) {
            release();
            from_ = std::exchange(other.from_, nullptr);
            count_ = std::exchange(other.count_, 0);
        }
        return *this;
    }
    ~permit() { release(); }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    // Gives them back now.
    void release() noexcept;
    // Does not give them back: they count as used until semaphore::release() is called.
    void forget() noexcept { from_ = nullptr; }

private:
    friend semaphore;
    permit(semaphore& from, std::size_t count) noexcept : from_(&from), count_(count) {}
    semaphore* from_;
    std::size_t count_;
};

class semaphore {
public:
    explicit semaphore(std::size_t permits) noexcept : available_(permits) {}
    semaphore(const semaphore&) = delete;
    semaphore& operator=(const semaphore&) = delete;

    // co_await semaphore.acquire() gives a permit, in the order of asking. Cancelled: none was taken.
    class acquire_awaiter;
    [[nodiscard]] acquire_awaiter acquire(std::size_t count = 1) noexcept;
    // A permit if there are enough and nobody waits.
    [[nodiscard]] std::optional<permit> try_acquire(std::size_t count = 1) noexcept {
        if (!take(count)) {
            return std::nullopt;
        }
        return permit(*this, count);
    }
    // Adds permits: those of a permit that was forgotten, or new ones.
    void release(std::size_t count = 1) noexcept;

    [[nodiscard]] std::size_t available() const noexcept { return available_; }

private:
    bool take(std::size_t count) noexcept;
    void give() noexcept;

    detail::wait_queue waiting_;
    std::size_t available_;
};

class [[nodiscard]] semaphore::acquire_awaiter : public detail::leaf_awaiter<acquire_awaiter> {
public:
    acquire_awaiter(semaphore& wanted, std::size_t count) noexcept
        : leaf_awaiter(acquire_kind), wanted_(&wanted), count_(count) {}
    bool take_now() noexcept { return wanted_->take(count_); }
    void enqueue() noexcept { wanted_->waiting_.push_back(*this); }
    permit await_resume() const noexcept { return {*wanted_, count_}; }

private:
    friend semaphore;
    static bool cancel(wait& self) noexcept;
    static const wait_kind acquire_kind;

    semaphore* wanted_;
    std::size_t count_;
};

inline semaphore::acquire_awaiter semaphore::acquire(std::size_t count) noexcept {
    return {*this, count};
}

inline void permit::release() noexcept {
    if (semaphore* from = std::exchange(from_, nullptr)) {
        from->release(std::exchange(count_, 0));
    }
}

}  // namespace leat
