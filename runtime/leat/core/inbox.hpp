// SPDX-License-Identifier: MIT
// inbox and remote: the only way in which other threads reach a scheduler. A remote is weak: it may outlive
// its run, and then refuses. Everything else in leat belongs to one thread.
// Invariant: an accepted message is run once, on the scheduler's thread, in the order of the posts.
#pragma once

#include <leat/core/list.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <type_traits>
#include <utility>

namespace leat {

class backend;
namespace detail {
template <typename Function>
class remote_call;
}

class inbox {
public:
    // A call on the scheduler's thread. It may live in the frame of a coroutine that waits for it, so nothing
    // is allocated to post it. The thread that has posted it does not use it again.
    struct message : list_link {
        virtual void run() noexcept = 0;  // on the scheduler's thread
        virtual void drop() noexcept {}   // in place of run(), when the scheduler dies without having run

    protected:
        ~message() = default;
    };

    explicit inbox(backend& reader) noexcept : reader_(&reader) {}

    // Any thread. False once the scheduler has closed, or while `most` messages wait there; the message is
    // the caller's again.
    bool post(message& from, std::size_t most = SIZE_MAX) noexcept;
    // Any thread: how many messages have been posted and not been run.
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

    // Any thread: a message that a task of the scheduler waits for, or has waited for. It is taken after
    // close(), too. False once the reader is gone; the message is the caller's again.
    [[nodiscard]] bool deliver(message& awaited) noexcept;

    // Any thread: wakes the reader for another turn, if it has not closed.
    void nudge() noexcept;

    // The rest is for the scheduler's thread. Whether there is something to take. It costs a load.
    [[nodiscard]] bool has_come() const noexcept { return word_.load(std::memory_order_relaxed) == posted; }
    // Takes what has been posted.
    void take(list<message>& into) noexcept;
    // Of those it has run `count`.
    void have_run(int count) noexcept {
        if (count != 0) {
            waiting_.fetch_sub(static_cast<std::size_t>(count), std::memory_order_relaxed);
        }
    }
    // True: nothing is there, and the next message or nudge will wake the reader.
    [[nodiscard]] bool about_to_sleep() noexcept;
    // Refuses all further posts. What is there already, and what tasks wait for, can be taken.
    void close() noexcept;
    // The reader is gone. Gives what has come since it took last.
    void abandon(list<message>& left) noexcept;

private:
    // A loop without posts must not pay for locks: it takes the lock only when the word says `posted`.
    enum : unsigned { nothing = 0, posted = 1, sleeping = 2 };

    void tell_reader() noexcept;

    std::mutex mutex_;
    backend* reader_;  // null once it is gone
    list<message> posted_;
    bool closed_ = false;
    std::atomic<unsigned> word_ = nothing;
    std::atomic<std::size_t> waiting_ = 0;
};

// What all remotes of one scheduler share. The last to go tells the scheduler, which may have nothing left
// to wait for then.
class inbox_door {
public:
    explicit inbox_door(std::shared_ptr<inbox> behind) noexcept : inbox_(std::move(behind)) {}
    inbox_door(const inbox_door&) = delete;
    inbox_door& operator=(const inbox_door&) = delete;
    ~inbox_door() { inbox_->nudge(); }

    bool post(inbox::message& from, std::size_t most = SIZE_MAX) const noexcept {
        return inbox_->post(from, most);
    }
    [[nodiscard]] std::size_t waiting() const noexcept { return inbox_->waiting(); }

private:
    std::shared_ptr<inbox> inbox_;
};

// A weak reference to a scheduler: current_scheduler().remote(). Copyable, usable from any thread.
class remote {
public:
    explicit remote(std::shared_ptr<inbox_door> door) noexcept : door_(std::move(door)) {}

    // Runs `function` once on the scheduler's thread, outside any task; it must not throw. It may spawn
    // tasks and set events. False, and nothing is run, when that run() has ended. Throws std::bad_alloc.
    //
    // It never waits, and what has not run yet takes memory. A turn of the scheduler runs at most
    // scheduler::messages_max of what was posted, so that its tasks go on; a thread that posts without pause
    // may be faster than that. It should check pending(), or use try_post; a thread_channel
    // (thread_channel.hpp) carries values and lets the sender wait.
    template <std::invocable Function>
    bool post(Function function) const {
        return try_post(SIZE_MAX, std::move(function));
    }

    // The same, unless `most` posts, of all threads together, have not run yet: then it is false, too.
    template <std::invocable Function>
    bool try_post(std::size_t most, Function function) const {
        struct holder final : inbox::message {
            explicit holder(Function&& held) : function(std::move(held)) {}
            void run() noexcept override {
                std::move(function)();
                delete this;
            }
            void drop() noexcept override { delete this; }
            Function function;
        };
        auto posted = std::make_unique<holder>(std::move(function));
        if (!door_->post(*posted, most)) {
            return false;
        }
        (void)posted.release();  // the scheduler's now, and perhaps gone
        return true;
    }

    // The number of posts, of all threads together, that have not run yet. It may have changed when this
    // returns.
    [[nodiscard]] std::size_t pending() const noexcept { return door_->waiting(); }

    // In <leat/threads/remote_call.hpp>. Spawns a task there: function(arguments...) gives it. False, and
    // nothing is run, when that run() has ended. Function and arguments are copied or moved into the task on
    // this thread, and die on the other; a stream among the arguments is detached from its run. Throws
    // std::bad_alloc.
    template <typename Function, typename... Arguments>
    bool spawn(Function&& function, Arguments&&... arguments) const;
    // co_await remote.call(function): runs the task that function() gives there, and gives its result here.
    template <typename Function>
    [[nodiscard]] detail::remote_call<std::decay_t<Function>> call(
        Function&& function, std::source_location where = std::source_location::current()) const;

    // For the runtime.
    bool post_message(inbox::message& posted) const noexcept { return door_->post(posted); }

private:
    std::shared_ptr<inbox_door> door_;
};

}  // namespace leat
