// SPDX-License-Identifier: MIT
// other_thread: a scheduler that runs on a thread of its own, for tests of what crosses threads.
#pragma once

#include <leat/core/inbox.hpp>
#include <leat/run.hpp>
#include <leat/sync/event.hpp>
#include <leat/task.hpp>

#include <future>
#include <optional>
#include <thread>

namespace leat {

// A scheduler on a thread of its own, until stop().
class other_thread {
public:
    other_thread() {
        std::promise<leat::remote> told;
        auto remote = told.get_future();
        thread_ = std::thread([&told, this] {
            run([&]() -> task<> {
                const leat::remote self = current_scheduler().remote();
                told.set_value(self);
                co_await stopped_.wait();
            });
        });
        id_ = thread_.get_id();
        remote_.emplace(remote.get());
    }
    ~other_thread() { stop(); }

    [[nodiscard]] const leat::remote& remote() const { return *remote_; }
    [[nodiscard]] std::thread::id id() const { return id_; }
    // Ends that run as its main task would: all others are cancelled.
    void stop() {
        if (thread_.joinable()) {
            remote_->post([this] { stopped_.set(); });
            thread_.join();
        }
    }

private:
    leat::event stopped_;  // of that thread
    std::thread thread_;
    std::thread::id id_;
    std::optional<leat::remote> remote_;
};

}  // namespace leat
