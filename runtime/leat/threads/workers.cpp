// SPDX-License-Identifier: MIT
// Theory of operation. The calling thread starts the workers and then waits for what they ask of it: to block
// a signal in its own mask, which no other thread can change; and at last to join them. All they share is in
// a team, under one lock.
// A signal to the process that all its threads block is taken by the signal_set of one worker, which gives it
// to all other sets (signals.cpp). For the workers that have no set for it yet it is sent on to their threads
// with pthread_sigqueue, marked with the address of the team, and waits there: they block it as well.
#include <leat/threads/workers.hpp>

#include <leat/core/error_text.hpp>
#include <leat/core/thread_signals.hpp>
#include <leat/core/worker_signals.hpp>
#include <leat/threads/processors.hpp>

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>

namespace leat::detail {

namespace {

class worker_team {
public:
    worker_team(const worker_program& program, const worker_options& options) noexcept
        : program_(program), options_(options) {}

    void run(unsigned count);

    // On a worker's thread.
    void begins();
    void count_wanted(const sigset_t& wanted, bool more) noexcept;
    void await_blocked() noexcept;
    void keep_for_others(const signalfd_siginfo& taken) noexcept;

private:
    // A worker; and the message that asks it to end.
    struct member final : inbox::message {
        explicit member(unsigned number) noexcept : index(number) {}
        void run() noexcept override { current_scheduler().root().cancel(cancel_reason::requested); }
        const unsigned index;
        std::thread thread;
        std::shared_ptr<inbox> messages;  // once its run has begun
        std::exception_ptr error;
        std::array<unsigned, NSIG> wanted{};  // by how many signal_sets
        bool over = false;
    };

    void start(unsigned count);
    void work(member& self) noexcept;
    void stop() noexcept;
    void wait_for_all();
    void block_wanted() noexcept;
    void throw_first();

    const worker_program& program_;
    const worker_options& options_;
    std::mutex mutex_;
    std::condition_variable asked_;     // of the calling thread
    std::condition_variable answered_;  // it has changed its mask
    std::deque<member> members_;
    std::size_t running_ = 0;
    bool stopping_ = false;
    std::exception_ptr first_error_;
    std::array<unsigned, NSIG> wanted_{};  // by how many signal_sets of all members
    unsigned changes_ = 0;                 // of that
    unsigned changes_seen_ = 0;            // by the calling thread
    sigset_t original_;                    // the mask of the calling thread

    friend member;
    static thread_local worker_team* current;
    static thread_local member* self;

public:
    [[nodiscard]] static worker_team* of_this_thread() noexcept { return current; }
};

thread_local worker_team* worker_team::current = nullptr;
thread_local worker_team::member* worker_team::self = nullptr;

void worker_team::run(unsigned count) {
    ::pthread_sigmask(SIG_BLOCK, nullptr, &original_);
    try {
        start(count);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        first_error_ = std::current_exception();
        stop();
    }
    wait_for_all();
    for (member& each : members_) {
        if (each.thread.joinable()) {
            each.thread.join();
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &original_, nullptr);
    throw_first();
}

void worker_team::start(unsigned count) {
    const std::lock_guard lock(mutex_);  // none ends before all are there
    const signals_blocked blocked;
    for (unsigned i = 0; i < count; ++i) {
        member& made = members_.emplace_back(i);
        made.over = true;
        made.thread = std::thread([this, &made] { work(made); });
        made.over = false;
        ++running_;
        ::pthread_setname_np(made.thread.native_handle(), ("leat-worker-" + std::to_string(i)).c_str());
    }
}

void worker_team::work(member& own) noexcept {
    current = this;
    self = &own;
    std::exception_ptr error;
    bool cancelled = false;
    try {
        if (options_.pin) {
            run_on_processor(own.index);
        }
        program_.work(own.index);
    } catch (const task_cancelled&) {
        error = std::current_exception();
        cancelled = true;
    } catch (...) {
        error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    own.messages = nullptr;
    own.over = true;
    if (error != nullptr && !(cancelled && stopping_)) {
        own.error = error;
        if (first_error_ == nullptr) {
            first_error_ = error;
            stop();
        }
    }
    --running_;
    asked_.notify_one();
}

// Under the lock.
void worker_team::stop() noexcept {
    if (std::exchange(stopping_, true)) {
        return;  // a message that is posted is not posted again
    }
    for (member& each : members_) {
        if (each.messages != nullptr) {
            (void)each.messages->post(each);
        }
    }
}

void worker_team::begins() {
    const std::lock_guard lock(mutex_);
    self->messages = current_scheduler().messages();
    if (stopping_) {
        current_scheduler().root().cancel(cancel_reason::requested);
    }
}

void worker_team::wait_for_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [this] { return running_ == 0 || changes_ != changes_seen_; });
        if (running_ == 0) {
            return;
        }
        block_wanted();
        changes_seen_ = changes_;
        answered_.notify_all();
    }
}

void worker_team::block_wanted() noexcept {
    sigset_t mask = original_;
    for (int number = 1; number < NSIG; ++number) {
        if (wanted_[static_cast<std::size_t>(number)] > 0) {
            sigaddset(&mask, number);
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

void worker_team::count_wanted(const sigset_t& wanted, bool more) noexcept {
    const std::lock_guard lock(mutex_);
    for (int number = 1; number < NSIG; ++number) {
        if (sigismember(&wanted, number) == 1) {
            const auto at = static_cast<std::size_t>(number);
            wanted_[at] += more ? 1 : -1U;
            self->wanted[at] += more ? 1 : -1U;
        }
    }
    ++changes_;
    asked_.notify_one();
}

void worker_team::await_blocked() noexcept {
    std::unique_lock lock(mutex_);
    const unsigned change = changes_;
    answered_.wait(lock, [&] { return static_cast<int>(changes_seen_ - change) >= 0; });
}

void worker_team::keep_for_others(const signalfd_siginfo& taken) noexcept {
    const std::lock_guard lock(mutex_);
    sigval mark{};
    mark.sival_ptr = this;
    for (member& each : members_) {
        if (!each.over && each.wanted[taken.ssi_signo] == 0) {
            // It fails when too many signals are pending in the process: then this one is lost.
            (void)::pthread_sigqueue(each.thread.native_handle(), static_cast<int>(taken.ssi_signo), mark);
        }
    }
}

void worker_team::throw_first() {
    const report_function report =
        options_.run.report != nullptr ? options_.run.report : detail::print_report;
    for (const member& each : members_) {
        if (each.error != nullptr && each.error != first_error_) {
            report("worker " + std::to_string(each.index) + " failed: " + error_text(each.error));
        }
    }
    if (first_error_ != nullptr) {
        std::rethrow_exception(first_error_);
    }
}

}  // namespace

void run_worker_threads(unsigned count, const worker_program& program, const worker_options& options) {
    check(this_thread.loop == nullptr, "run_workers is not called inside run()");
    worker_team(program, options).run(count == 0 ? usable_processors() : count);
}

void worker_begins() {
    worker_team::of_this_thread()->begins();
}

void want_signals(const sigset_t& wanted) noexcept {
    if (worker_team* team = worker_team::of_this_thread()) {
        team->count_wanted(wanted, true);
    }
}

void unwant_signals(const sigset_t& wanted) noexcept {
    if (worker_team* team = worker_team::of_this_thread()) {
        team->count_wanted(wanted, false);
    }
}

void await_blocked_signals() noexcept {
    if (worker_team* team = worker_team::of_this_thread()) {
        team->await_blocked();
    }
}

void keep_for_other_workers(const signalfd_siginfo& taken) noexcept {
    if (worker_team* team = worker_team::of_this_thread()) {
        team->keep_for_others(taken);
    }
}

bool kept_by_other_worker(const signalfd_siginfo& taken) noexcept {
    const worker_team* team = worker_team::of_this_thread();
    return team != nullptr && taken.ssi_code == SI_QUEUE &&
           taken.ssi_ptr == reinterpret_cast<std::uintptr_t>(team);
}

}  // namespace leat::detail
