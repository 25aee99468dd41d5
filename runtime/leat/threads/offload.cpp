// SPDX-License-Identifier: MIT
// Theory of operation. One pool a process, made at its first use and never destroyed, so that whoever comes
// late during exit() still finds it. Work is linked into its queue and nothing is allocated for it. At most
// one thread at a time is on its way to the queue, woken or started; when it takes work and more is left, it
// sends for the next one. So work that is short, as most calls for files are, costs few wakes, and work that
// is long gets as many threads as the limit allows. A forked child has none of the threads, and perhaps a
// lock that one of them held; it gets a new pool.
#include <leat/threads/offload.hpp>

#include <leat/core/error_text.hpp>
#include <leat/core/number.hpp>
#include <leat/core/thread_signals.hpp>
#include <leat/io.hpp>
#include <leat/threads/processors.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>

namespace leat {

namespace {

constexpr unsigned threads_more = 4;  // than processors: most of them wait for a disk or for a peer
constexpr unsigned threads_default_max = 32;
constexpr unsigned threads_max = 1024;

unsigned configured_limit() {
    const char* text = std::getenv("LEAT_OFFLOAD_THREADS");
    if (text == nullptr || *text == '\0') {
        return std::min(usable_processors() + threads_more, threads_default_max);
    }
    const std::string_view given(text);
    const unsigned limit = detail::parse_number<unsigned>(given).value_or(0);
    if (limit == 0 || limit > threads_max) {
        throw std::invalid_argument("LEAT_OFFLOAD_THREADS is \"" + std::string(given) +
                                    "\": use a number from 1 to " + std::to_string(threads_max));
    }
    return limit;
}

class thread_pool {
public:
    // The pool of this process.
    static thread_pool& get();

    void begin(detail::offloaded_work& work);
    bool withdraw(detail::offloaded_work& work) noexcept;
    void set_limit(unsigned most) noexcept;

private:
    static void finish_at_exit() noexcept;
    static void forget_in_child() noexcept;
    void finish();
    [[nodiscard]] bool send_for_thread();
    void start_thread();
    void serve() noexcept;

    std::mutex mutex_;
    std::condition_variable work_came_;
    list<detail::offloaded_work> queue_;
    std::vector<std::thread> threads_;
    std::size_t waiting_ = 0;  // threads, also those that were notified and have not woken yet
    bool is_coming_ = false;   // a thread that was notified or started, and has not come to the queue yet
    unsigned running_ = 0;     // threads, waiting or not
    unsigned limit_ = 0;       // of them; 0: not known yet
    bool exiting_ = false;
    thread_pool* before_ = nullptr;  // of the process that this one was forked from
};

constinit std::atomic<thread_pool*> current = nullptr;
constinit thread_pool* inherited = nullptr;

thread_pool& thread_pool::get() {
    thread_pool* pool = current.load(std::memory_order_acquire);
    if (pool != nullptr) [[likely]] {
        return *pool;
    }
    static const bool registered = [] {
        std::atexit(finish_at_exit);
        ::pthread_atfork(nullptr, nullptr, forget_in_child);
        return true;
    }();
    (void)registered;
    auto made = std::make_unique<thread_pool>();
    made->before_ = inherited;
    if (current.compare_exchange_strong(pool, made.get(), std::memory_order_acq_rel)) {
        return *made.release();
    }
    return *pool;
}

void thread_pool::forget_in_child() noexcept {
    if (thread_pool* pool = current.exchange(nullptr)) {
        inherited = pool;
    }
}

void thread_pool::begin(detail::offloaded_work& work) {
    std::unique_lock lock(mutex_);
    if (limit_ == 0) {
        limit_ = configured_limit();
    }
    const bool wakes = send_for_thread();
    queue_.push_back(work);
    lock.unlock();
    if (wakes) {
        work_came_.notify_one();
    }
}

// Under the lock. True: a waiting thread is to be notified. Throws when no thread is there and none can be
// started.
bool thread_pool::send_for_thread() {
    if (is_coming_) {
        return false;
    }
    if (waiting_ == 0 && running_ < limit_) {
        start_thread();
    }
    const bool wakes = !is_coming_ && waiting_ > 0;
    is_coming_ = is_coming_ || wakes;
    return wakes;
}

// Under the lock.
void thread_pool::start_thread() {
    const detail::signals_blocked blocked;
    try {
        if (!exiting_) {
            threads_.reserve(threads_.size() + 1);
        }
        std::thread started([this] { serve(); });
        ::pthread_setname_np(started.native_handle(), "leat-offload");
        ++running_;
        is_coming_ = true;
        if (exiting_) {
            started.detach();
        } else {
            threads_.push_back(std::move(started));
        }
    } catch (const std::exception&) {  // no thread, or no memory, is to be had
        if (running_ == 0) {
            throw;
        }
    }
}

bool thread_pool::withdraw(detail::offloaded_work& work) noexcept {
    const std::lock_guard lock(mutex_);
    if (!work.linked()) {
        return false;
    }
    work.unlink();
    return true;
}

void thread_pool::set_limit(unsigned most) noexcept {
    const std::lock_guard lock(mutex_);
    limit_ = most;
}

void thread_pool::serve() noexcept {
    detail::run_on_any_processor();
    std::unique_lock lock(mutex_);
    is_coming_ = false;
    for (;;) {
        while (queue_.empty()) {
            if (exiting_) {
                --running_;
                return;
            }
            ++waiting_;
            work_came_.wait(lock);
            --waiting_;
            is_coming_ = false;
        }
        detail::offloaded_work& work = queue_.pop_front();
        const bool wakes = !queue_.empty() && send_for_thread();
        lock.unlock();
        if (wakes) {
            work_came_.notify_one();
        }
        work.perform();
        lock.lock();
    }
}

void thread_pool::finish_at_exit() noexcept {
    if (thread_pool* pool = current.load(std::memory_order_acquire)) {
        pool->finish();
    }
}

// Called once, by exit(), perhaps from work of the pool: that cannot be waited for.
void thread_pool::finish() {
    std::vector<std::thread> ending;
    {
        const std::lock_guard lock(mutex_);
        exiting_ = true;
        ending.swap(threads_);
        work_came_.notify_all();
    }
    for (std::thread& each : ending) {
        if (each.get_id() == std::this_thread::get_id()) {
            each.detach();
        } else {
            each.join();
        }
    }
}

constexpr duration virtual_delay_max = std::chrono::milliseconds(1);

// Stands for the pool where time is virtual: what another thread does, and when, nobody could replay.
class virtual_pool final : public service {
public:
    explicit virtual_pool(scheduler& loop) noexcept
        : loop_(loop), next_([](timer& self) noexcept { static_cast<alarm&>(self).owner->perform_one(); }) {
        next_.owner = this;
    }
    // What was accepted is done to its end.
    ~virtual_pool() override {
        loop_.alarms().disarm(next_);
        while (!queue_.empty()) {
            queue_.pop_front().perform();
        }
    }

    void begin(detail::offloaded_work& work) {
        arm();  // before it is queued: there may be no memory for a timer
        queue_.push_back(work);
    }

private:
    struct alarm : timer {
        using timer::timer;
        virtual_pool* owner = nullptr;
    };

    void arm() {
        if (!next_.armed()) {
            const auto drawn = loop_.io().random() % static_cast<std::uint64_t>(virtual_delay_max.count());
            loop_.alarms().arm(next_,
                               after(loop_.io().now(), duration(static_cast<duration::rep>(drawn) + 1)));
        }
    }
    void perform_one() noexcept {
        if (!queue_.empty()) {  // it may have been withdrawn
            queue_.pop_front().perform();
        }
        if (!queue_.empty()) {
            arm();  // in the room of the timer that has just expired
        }
    }

    scheduler& loop_;
    list<detail::offloaded_work> queue_;
    alarm next_;
};

}  // namespace

void set_offload_threads(unsigned most) {
    check(most > 0, "offloaded work has at least one thread");
    thread_pool::get().set_limit(most);
}

namespace detail {

void begin_offload(offloaded_work& work) {
    if (in_simulation()) {
        this_thread.loop->use<virtual_pool>().begin(work);
    } else {
        thread_pool::get().begin(work);
    }
}

bool withdraw_offload(offloaded_work& work) noexcept {
    if (!in_simulation()) {
        return thread_pool::get().withdraw(work);
    }
    const bool waits = work.linked();
    work.unlink();
    return waits;
}

constinit const wait_kind offload_wait::offload_kind{"offloaded work", cancel};

void offload_wait::begin() {
    check(this_thread.task != nullptr, "offload is awaited by a task");
    check(fresh(), "the offloaded work was awaited before");
    if (this_thread.task->cancelled()) {
        end = wait_end::cancelled;
        return;
    }
    expect();
    try {
        begin_offload(*this);
    } catch (...) {
        withdraw();
        throw;
    }
}

bool offload_wait::cancel(wait& self) noexcept {
    auto& waiting = static_cast<offload_wait&>(self);
    if (!withdraw_offload(waiting)) {
        return false;
    }
    waiting.withdraw();
    return true;
}

void detached_work::begin(std::unique_ptr<detached_work> work) {
    scheduler& loop = current_scheduler();
    work->home_ = loop.messages();
    work->report_ = loop.reports();
    begin_offload(*work);
    (void)work.release();
}

void detached_work::perform() noexcept {
    try {
        call();
        delete this;
        return;
    } catch (...) {
        error_ = std::current_exception();
    }
    const std::shared_ptr<inbox> home = std::move(home_);
    if (!home->post(*this)) {
        run();
    }
}

void detached_work::run() noexcept {
    try {
        report_("detached work failed: " + error_text(error_));
    } catch (const std::bad_alloc&) {
        report_("detached work failed, and there is no memory to say how");
    }
    delete this;
}

}  // namespace detail

}  // namespace leat
