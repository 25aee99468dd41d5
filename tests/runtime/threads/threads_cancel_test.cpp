// SPDX-License-Identifier: MIT
// Each wait that another thread ends, cancelled at each moment on each backend: it never began, or it is
// delivered. Where the other thread has to have come first, the tests wait for it: no moment is left to luck.
#include "../cancel_moments.hpp"
#include "../other_thread.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>
#include <leat/threads/offload.hpp>
#include <leat/threads/remote_call.hpp>
#include <leat/threads/thread_channel.hpp>

#include <concepts>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using cancel_tests::cancelled_at_any_moment;
using cancel_tests::trial;

namespace {

// All threads of the pool of offload, kept busy. By the time that they are, what was offloaded before is
// done.
class busy_pool {
public:
    busy_pool() {
        leat::set_offload_threads(threads);
        for (unsigned i = 0; i < threads; ++i) {
            leat::offload_detached([shared = shared_] {
                shared->begun.count_down();
                shared->released.wait();
            });
        }
        shared_->begun.wait();
    }
    busy_pool(const busy_pool&) = delete;
    busy_pool& operator=(const busy_pool&) = delete;
    ~busy_pool() { shared_->released.count_down(); }

private:
    static constexpr unsigned threads = 33;  // more than it has unless it is told to
    struct latches {
        std::latch begun{threads};
        std::latch released{1};
    };
    std::shared_ptr<latches> shared_ = std::make_shared<latches>();
};

// Work that waits for a thread.
class queued_trial : public trial {
public:
    leat::task<> attempt() {
        const auto result = co_await leat::offload([this] { return std::make_unique<int>(++calls_); });
        CHECK(*result == deliveries() + 1);
        delivered();
    }
    void enable() {
        others_.reset();
        const busy_pool done_until_here;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(calls_ == deliveries(), where);
        others_.emplace();
        co_return;
    }

private:
    int calls_ = 0;
    std::optional<busy_pool> others_{std::in_place};
};

// Work that a thread has begun.
class begun_trial : public trial {
public:
    static constexpr bool goes_on = true;
    leat::task<> attempt() {
        const auto result = co_await leat::offload([this] {
            begun_.release();
            released_.acquire();
            return std::make_unique<int>(++calls_);
        });
        CHECK(*result == deliveries() + 1);
        delivered();
    }
    void await_begin() { begun_.acquire(); }
    void enable() {
        released_.release();
        const busy_pool done_until_here;
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(calls_ == deliveries(), where);
        (void)begun_.try_acquire();
        co_return;
    }

private:
    std::binary_semaphore begun_{0};
    std::binary_semaphore released_{0};
    int calls_ = 0;
};

// Calls `function` on a thread without a scheduler, and waits for it.
void elsewhere(std::invocable auto function) {
    std::thread(std::move(function)).join();
}

using value = std::unique_ptr<int>;
using channel_of_values = leat::thread_channel<value>;

value make(int number) {
    return std::make_unique<int>(number);
}

class receive_trial : public trial {
public:
    leat::task<> attempt() {
        const auto got = co_await channel_.receive();
        received_.push_back(**got);
        delivered();
    }
    void enable() {
        const int number = static_cast<int>(sent_.size());
        bool sent = false;
        elsewhere([&] { sent = channel_.try_send(make(number)); });
        CHECK(sent);
        sent_.push_back(number);
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(received_ == sent_, where);
        CHECK_MESSAGE(channel_.size() == 0, where);
        co_return;
    }

private:
    channel_of_values channel_{1};
    std::vector<int> sent_;
    std::vector<int> received_;
};

class send_trial : public trial {
public:
    send_trial() { CHECK(channel_.try_send(make(-1))); }
    leat::task<> attempt() {
        co_await channel_.send(make(7));
        delivered();
    }
    void enable() {
        std::optional<value> taken;
        elsewhere([&] { taken = channel_.try_receive(); });
        CHECK(**taken == -1);
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(channel_.size() == 1, where);
        CHECK_MESSAGE(**channel_.try_receive() == 7, where);
        CHECK(channel_.try_send(make(-1)));
        co_return;
    }

private:
    channel_of_values channel_{1};
};

// Where nothing is kept: the thread waits for the task, if the task does not wait for it.
template <bool task_sends>
class rendezvous_trial : public trial {
public:
    leat::task<> attempt() {
        const mark waiting(waits_);
        if constexpr (task_sends) {
            co_await channel_.send(make(next_));
        } else {
            const auto got = co_await channel_.receive();
            CHECK(**got == next_);
        }
        delivered();
    }
    void enable() {
        thread_ = std::thread([this] {
            if constexpr (task_sends) {
                received_ = channel_.receive_blocking();
            } else {
                channel_.send_blocking(make(next_));
            }
        });
        if (waits_) {
            thread_.join();
        }
    }
    leat::task<> verify(const std::string& where) {
        if (thread_.joinable()) {
            thread_.join();
        }
        if constexpr (task_sends) {
            CHECK_MESSAGE(**received_ == next_, where);
        }
        CHECK_MESSAGE(!channel_.try_receive().has_value(), where);
        ++next_;
        co_return;
    }

private:
    struct mark {
        explicit mark(bool& mine) noexcept : flag(mine) { flag = true; }
        mark(const mark&) = delete;
        mark& operator=(const mark&) = delete;
        ~mark() { flag = false; }
        bool& flag;
    };

    channel_of_values channel_{0};
    std::thread thread_;
    std::optional<value> received_;
    int next_ = 0;
    bool waits_ = false;
};

// A task on another thread, which waits there; `obeys`: and ends when it is asked to.
template <bool obeys>
class call_trial : public trial {
public:
    static constexpr bool goes_on = !obeys;
    leat::task<> attempt() {
        const auto result = co_await other_.remote().call([this] { return work(); });
        CHECK(*result == deliveries() + 1);
        delivered();
    }
    void enable() {
        std::binary_semaphore done(0);
        CHECK(other_.remote().spawn([&]() -> leat::task<> {
            gate_.set();
            co_await leat::yield();  // behind the task that has been called, which ends
            done.release();
        }));
        done.acquire();
    }
    leat::task<> verify(const std::string& where) {
        const auto [living, finished] =
            co_await other_.remote().call([this]() -> leat::task<std::pair<int, int>> {
                gate_.reset();
                co_return std::pair(living_, finished_);
            });
        CHECK_MESSAGE(living == 0, where);
        CHECK_MESSAGE(finished == deliveries(), where);
    }

private:
    leat::task<value> work() {
        struct alive {
            explicit alive(int& counter) noexcept : count(counter) { ++count; }
            ~alive() { --count; }
            int& count;
        };
        const alive self(living_);
        if constexpr (obeys) {
            co_await gate_.wait();
        } else {
            co_await leat::shield(gate_.wait());
        }
        co_return make(++finished_);
    }

    // Of the other thread:
    leat::event gate_;
    int living_ = 0;
    int finished_ = 0;

    leat::other_thread other_;
};

}  // namespace

LEAT_TEST("work for a thread that is cancelled at any moment was never begun, or gives its result",
          on(kernel)) {
    co_await cancelled_at_any_moment<queued_trial>("offload, queued");
    co_await cancelled_at_any_moment<begun_trial>("offload, begun");
}

LEAT_TEST("a thread_channel loses and doubles nothing when a task's wait is cancelled at any moment",
          on(kernel)) {
    co_await cancelled_at_any_moment<receive_trial>("receive");
    co_await cancelled_at_any_moment<send_trial>("send");
}

LEAT_TEST("task and thread meet in a thread_channel once, when the task's wait is cancelled at any moment",
          on(kernel)) {
    co_await cancelled_at_any_moment<rendezvous_trial<true>>("send to a thread");
    co_await cancelled_at_any_moment<rendezvous_trial<false>>("receive from a thread");
}

LEAT_TEST("a remote.call that is cancelled at any moment ends as its task on the other thread does",
          on(kernel)) {
    co_await cancelled_at_any_moment<call_trial<true>>("remote.call");
    co_await cancelled_at_any_moment<call_trial<false>>("remote.call of a task that goes on");
}
