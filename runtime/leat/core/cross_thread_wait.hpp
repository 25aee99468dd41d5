// SPDX-License-Identifier: MIT
// cross_thread_wait: a wait that another thread ends; and the message by which it does. offload,
// thread_channel and foreign awaitables are built on the wait; from_callback and signal_set, in which the
// message outlives the wait, on the message. Nothing is allocated for a wake-up.
//
// Theory of operation. The wait is a part of a coroutine's frame, which must not be destroyed while another
// thread may use it. So a wait that other threads know of ends in one of two ways; the lock of the object
// that is waited for decides which:
//   * withdraw(), on its own thread, after that thread has made sure under the lock that no other one has
//     found the wait, or will;
//   * complete(), once, on any thread, by the one that found it under the lock. Until then the wait cannot be
//     cancelled. It puts the wait itself, as a message, into its scheduler's inbox. The other thread does not
//     use it after that; the task is resumed later, on its own thread.
// complete() holds a reference to the inbox, as the run may end while the inbox is still being unlocked.
// Invariant: between expect() and its end the run counts the wait: it does not end, and sees no deadlock.
#pragma once

#include <leat/core/scheduler.hpp>

#include <memory>
#include <utility>

namespace leat::detail {

// Goes from any thread to its own, once for each expect().
class cross_thread_message : inbox::message {
public:
    cross_thread_message() noexcept = default;

    // Its own thread, before another thread knows of it. Throws std::bad_alloc in the first of a run.
    void expect() {
        loop_ = &current_scheduler();
        home_ = loop_->messages();
        loop_->await_others();
    }
    // Its own thread: no other thread knows of it.
    void withdraw() noexcept {
        home_.reset();
        loop_->heard_from_others();
    }
    // Any thread. False: its run has ended, and it does not arrive. Else *this may be gone afterwards.
    [[nodiscard]] bool send() noexcept;
    // The same; on its own thread it arrives at once.
    [[nodiscard]] bool send_or_arrive() noexcept;

protected:
    ~cross_thread_message() = default;

    // On its own thread.
    virtual void arrived() noexcept = 0;
    // In place of arrived(), when the run has ended while it was on its way; there, too.
    virtual void lost() noexcept {}

    scheduler* loop_ = nullptr;

private:
    void run() noexcept final;
    void drop() noexcept final { lost(); }

    std::shared_ptr<inbox> home_;
};

class cross_thread_wait : public wait, public cross_thread_message {
public:
    explicit cross_thread_wait(const wait_kind& what) noexcept : wait(what) {}
    cross_thread_wait(cross_thread_wait&& fresh) noexcept : wait(std::move(fresh)), cross_thread_message() {}

    // Any thread, its own too: the task goes on. *this may be gone afterwards.
    void complete() noexcept;

protected:
    ~cross_thread_wait() = default;

private:
    void arrived() noexcept final { loop_->finish(*this); }
};

}  // namespace leat::detail
