// SPDX-License-Identifier: MIT
// inbox and remote: the one door through which other threads reach a scheduler. A remote is weak: it may
// outlive the run it leads to, and then says so. Everything else in leat belongs to one thread.
// Invariant: what post() accepted is run once, on the scheduler's thread, in the order of the posts.
#pragma once

#include <concepts>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace leat {

class backend;

class inbox {
public:
    struct message {
        virtual ~message() = default;
        virtual void run() = 0;
    };

    explicit inbox(backend& reader) noexcept : reader_(&reader) {}

    // Any thread. False once the scheduler has closed.
    bool post(std::unique_ptr<message> posted);

    // Any thread: wakes the reader to look around, if it has not closed.
    void nudge() noexcept;

    // The rest is for the scheduler's thread. Takes what has been posted.
    [[nodiscard]] std::vector<std::unique_ptr<message>> take();
    // True: nothing is there, and the next post or nudge will wake the reader.
    [[nodiscard]] bool about_to_sleep();
    // Refuses all further posts; gives those that were accepted and not taken yet.
    [[nodiscard]] std::vector<std::unique_ptr<message>> close();

private:
    void wake_reader() noexcept;

    std::mutex mutex_;
    backend* reader_;  // null once closed
    std::vector<std::unique_ptr<message>> posted_;
    bool sleeping_ = false;
    bool nudged_ = false;
};

// What all remotes of one scheduler share. The last to go tells the scheduler, which may have nothing left
// to wait for then.
class inbox_door {
public:
    explicit inbox_door(std::shared_ptr<inbox> behind) noexcept : inbox_(std::move(behind)) {}
    inbox_door(const inbox_door&) = delete;
    inbox_door& operator=(const inbox_door&) = delete;
    ~inbox_door() { inbox_->nudge(); }

    bool post(std::unique_ptr<inbox::message> posted) const { return inbox_->post(std::move(posted)); }

private:
    std::shared_ptr<inbox> inbox_;
};

// A weak reference to a scheduler: current_scheduler().remote(). Copyable, usable from any thread.
class remote {
public:
    explicit remote(std::shared_ptr<inbox_door> door) noexcept : door_(std::move(door)) {}

    // Runs `function` once on the scheduler's thread, outside any task; it must not throw. It may spawn
    // tasks and set events. False, and nothing is run, when that run() has ended.
    template <std::invocable Function>
    bool post(Function function) const {
        struct holder final : inbox::message {
            explicit holder(Function&& held) : function(std::move(held)) {}
            void run() override { std::move(function)(); }
            Function function;
        };
        return door_->post(std::make_unique<holder>(std::move(function)));
    }

private:
    std::shared_ptr<inbox_door> door_;
};

}  // namespace leat
