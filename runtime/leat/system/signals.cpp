// SPDX-License-Identifier: MIT
//
// Theory of operation. Each set has a signalfd of its own, but all of them take from the same place: what is
// pending for the process and for the thread. So whoever takes a signal there puts a copy into the queue of
// every other set that asks for it, and wakes the task that waits on such a set: a message to its scheduler
// ends the wait on the signalfd, whose signal is gone. A task looks into its queue first, and one that a late
// message wakes waits again. That, the list of sets and the queues are under one lock. No signal is lost for
// want of memory: the queues get room before a signal is taken, and the message is a part of the set.
#include <leat/system/signals.hpp>

#include <leat/cancel_scope.hpp>
#include <leat/core/cross_thread_wait.hpp>
#include <leat/core/worker_signals.hpp>
#include <leat/fd.hpp>
#include <leat/io.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/signalfd.h>

namespace leat {

namespace detail {

// Wakes the task that waits on a set. Each set has one, which is on its way once at a time.
class signal_alarm final : public cross_thread_message {
public:
    explicit signal_alarm(signal_receiver& woken) noexcept : woken_(woken) {}

private:
    void arrived() noexcept override;
    void lost() noexcept override { arrived(); }

    signal_receiver& woken_;
};

enum class alarm_state : std::uint8_t {
    unused,
    expected,   // a task waits, and nobody has woken it
    under_way,  // it arrives later, also if nobody waits by then
};

struct signal_receiver : list_link {
    signal_numbers wanted;
    fd source;
    const void* thread = nullptr;
    // Under the lock:
    std::vector<signal_info> queue;  // copies of what other sets have taken
    signal_alarm alarm{*this};
    alarm_state alarm_is = alarm_state::unused;
    // For the receiver's thread only:
    cancel_scope* waiting = nullptr;
    bool is_alone = false;  // the set has gone while the alarm was under way
};

void refuse_signal(int number) {
    const char* name = number > 0 && number < NSIG ? ::sigabbrev_np(number) : nullptr;
    throw std::invalid_argument(name != nullptr
                                    ? std::string("SIG") + name + " cannot be waited for"
                                    : "there is no signal " + std::to_string(number) + " to wait for");
}

}  // namespace detail

namespace {

using detail::alarm_state;
using detail::signal_receiver;

// Copies that a set keeps for a program that does not ask; more are dropped.
constexpr std::size_t copies_max = 1024;
constexpr std::size_t copies_least = 8;  // for which there is room

struct registry {
    std::mutex lock;
    list<signal_receiver> receivers;
};

// Never destroyed: a set may be a static object.
registry& all_receivers() {
    static registry& made = *new registry;
    return made;
}

sigset_t set_of(const signal_numbers& numbers) {
    sigset_t set;
    sigemptyset(&set);
    for (int number = 1; number <= signal_numbers::most; ++number) {
        if (numbers.contains(number)) {
            sigaddset(&set, number);
        }
    }
    return set;
}

// The signals that sets have blocked in this thread: by how many sets, and which were blocked before.
struct thread_mask {
    std::array<std::uint16_t, signal_numbers::most + 1> sets{};
    std::array<bool, signal_numbers::most + 1> blocked_before{};

    void block(const signal_numbers& numbers) {
        sigset_t old;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &old);
        sigset_t fresh;
        sigemptyset(&fresh);
        for (int number = 1; number <= signal_numbers::most; ++number) {
            const auto at = static_cast<std::size_t>(number);
            if (numbers.contains(number) && sets[at]++ == 0) {
                blocked_before[at] = sigismember(&old, number) == 1;
                sigaddset(&fresh, number);
            }
        }
        ::pthread_sigmask(SIG_BLOCK, &fresh, nullptr);
    }
    void unblock(const signal_numbers& numbers) {
        sigset_t last;
        sigemptyset(&last);
        for (int number = 1; number <= signal_numbers::most; ++number) {
            const auto at = static_cast<std::size_t>(number);
            if (numbers.contains(number) && --sets[at] == 0 && !blocked_before[at]) {
                sigaddset(&last, number);
            }
        }
        ::pthread_sigmask(SIG_UNBLOCK, &last, nullptr);
    }
};

thread_local thread_mask blocked_here;

// Room in the queues of all others for one more copy, before `from` takes a signal. Under the lock.
void make_room(const signal_receiver& from) {
    registry& all = all_receivers();
    for (signal_receiver* each = all.receivers.first(); each != nullptr; each = all.receivers.next(*each)) {
        if (each != &from && each->queue.size() == each->queue.capacity()) {
            each->queue.reserve(std::clamp<std::size_t>(2 * each->queue.size(), copies_least, copies_max));
        }
    }
}

// Copies what `from` has taken to all others that want it: of those on other threads none has missed what
// was kept for this worker. Under the lock, after make_room().
void share(const signal_receiver& from, const signal_info& taken, const signalfd_siginfo& received) noexcept {
    registry& all = all_receivers();
    const bool kept = detail::kept_by_other_worker(received);
    if (!kept) {
        detail::keep_for_other_workers(received);
    }
    for (signal_receiver* each = all.receivers.first(); each != nullptr; each = all.receivers.next(*each)) {
        if (each == &from || (kept && each->thread != from.thread) || !each->wanted.contains(taken.number) ||
            each->queue.size() >= copies_max) {
            continue;
        }
        const bool queues = taken.number >= SIGRTMIN;
        if (!queues &&
            std::ranges::find(each->queue, taken.number, &signal_info::number) != each->queue.end()) {
            continue;
        }
        each->queue.push_back(taken);
        if (each->alarm_is == alarm_state::expected) {
            each->alarm_is = each->alarm.send() ? alarm_state::under_way : alarm_state::unused;
        }
    }
}

std::optional<signal_info> take_copy(signal_receiver& receiver) noexcept {
    const std::lock_guard lock(all_receivers().lock);
    if (receiver.queue.empty()) {
        return std::nullopt;
    }
    const signal_info first = receiver.queue.front();
    receiver.queue.erase(receiver.queue.begin());
    return first;
}

std::optional<signal_info> take_from_kernel(const signal_receiver& receiver) {
    const std::lock_guard lock(all_receivers().lock);
    make_room(receiver);
    signalfd_siginfo received;
    ssize_t size = 0;
    do {
        size = ::read(receiver.source.get(), &received, sizeof received);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno != EAGAIN) {
        throw std::system_error(errno_code(errno), "signalfd");
    }
    if (size != sizeof received) {
        return std::nullopt;
    }
    const signal_info taken{.number = static_cast<int>(received.ssi_signo),
                            .code = received.ssi_code,
                            .process = static_cast<pid_t>(received.ssi_pid),
                            .user = received.ssi_uid,
                            .value = received.ssi_int,
                            .status = received.ssi_status};
    share(receiver, taken, received);
    return taken;
}

// While it lives a task waits, and can be woken.
class waiting_place {
public:
    // Not engaged: a signal is there by now.
    waiting_place(signal_receiver& receiver, cancel_scope& scope) : receiver_(receiver) {
        const std::lock_guard lock(all_receivers().lock);
        if (!receiver_.queue.empty()) {
            return;
        }
        if (receiver_.alarm_is == alarm_state::unused) {
            receiver_.alarm.expect();
            receiver_.alarm_is = alarm_state::expected;
        }
        receiver_.waiting = &scope;
    }
    waiting_place(const waiting_place&) = delete;
    waiting_place& operator=(const waiting_place&) = delete;
    ~waiting_place() {
        const std::lock_guard lock(all_receivers().lock);
        if (receiver_.alarm_is == alarm_state::expected) {
            receiver_.alarm.withdraw();
            receiver_.alarm_is = alarm_state::unused;
        }
        receiver_.waiting = nullptr;
    }
    [[nodiscard]] bool engaged() const noexcept { return receiver_.waiting != nullptr; }

private:
    signal_receiver& receiver_;
};

}  // namespace

void detail::signal_alarm::arrived() noexcept {
    std::unique_ptr<signal_receiver> last;  // goes after the lock
    const std::lock_guard lock(all_receivers().lock);
    woken_.alarm_is = alarm_state::unused;
    if (woken_.waiting != nullptr) {
        woken_.waiting->cancel();
    } else if (woken_.is_alone) {
        last.reset(&woken_);
    }
}

signal_numbers not_ignored(const signal_numbers& numbers) noexcept {
    signal_numbers heeded;
    for (int number = 1; number <= signal_numbers::most; ++number) {
        struct sigaction now{};
        if (numbers.contains(number) && ::sigaction(number, nullptr, &now) == 0 &&
            now.sa_handler != SIG_IGN) {
            heeded.add(number);
        }
    }
    return heeded;
}

signal_set::signal_set(const signal_numbers& numbers)
    : receiver_(std::make_unique<detail::signal_receiver>()) {
    const sigset_t wanted = set_of(numbers);
    receiver_->wanted = numbers;
    receiver_->thread = &blocked_here;
    receiver_->source.reset(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!receiver_->source) {
        throw std::system_error(errno_code(errno), "signalfd");
    }
    blocked_here.block(numbers);
    {
        registry& all = all_receivers();
        const std::lock_guard lock(all.lock);
        all.receivers.push_back(*receiver_);
        detail::want_signals(wanted);
    }
    detail::await_blocked_signals();
}

signal_set::~signal_set() {
    check(receiver_->thread == &blocked_here, "a signal_set ends on the thread that made it");
    {
        const std::lock_guard lock(all_receivers().lock);
        receiver_->unlink();
        detail::unwant_signals(set_of(receiver_->wanted));
    }
    receiver_->source.reset();
    blocked_here.unblock(receiver_->wanted);
    if (receiver_->alarm_is == alarm_state::under_way) {
        receiver_->is_alone = true;
        (void)receiver_.release();
    }
}

std::optional<signal_info> signal_set::try_next() {
    std::optional<signal_info> taken = take_copy(*receiver_);
    return taken.has_value() ? taken : take_from_kernel(*receiver_);
}

task<signal_info> signal_set::next_info() {
    check(receiver_->thread == &blocked_here, "a signal_set is asked on the thread that made it");
    detail::require_kernel("waiting for a signal");
    const mutex_guard turn = co_await turn_.lock();
    for (;;) {
        if (const std::optional<signal_info> taken = try_next()) {
            co_return *taken;
        }
        co_await with_cancel_scope([this](cancel_scope& waiting) -> task<> {
            const waiting_place place(*receiver_, waiting);
            if (place.engaged()) {
                co_await readable(receiver_->source.get());
            }
        });
    }
}

task<int> signal_set::next() {
    const signal_info taken = co_await next_info();
    co_return taken.number;
}

}  // namespace leat
