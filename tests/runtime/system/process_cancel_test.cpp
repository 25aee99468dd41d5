// SPDX-License-Identifier: MIT
// Waits for signals and for child processes, cancelled at each moment on each backend: no signal is lost, no
// child is hurt by who only waited for it, and none is left by who ran it.
#include "../cancel_moments.hpp"
#include "children.hpp"

#include <leat/runtime.hpp>
#include <leat/system/signals.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
#include <csignal>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using cancel_tests::cancelled_at_any_moment;
using cancel_tests::moment;
using cancel_tests::trial;
using leat::exit_status;
using leat::process;
using leat::redirect;

namespace {

// Signals that queue, each with its number. The other set, if there is one, has taken it first: then a copy
// comes, and the wait for the kernel ends before that for the signal.
template <bool as_copies>
class signal_trial : public trial {
public:
    static constexpr moment delivers_from =
        as_copies ? moment::after_the_task_ended : moment::when_it_has_ended;
    leat::task<> attempt() {
        const leat::signal_info taken = co_await signals_.next_info();
        CHECK(taken.number == SIGRTMIN);
        taken_.push_back(taken.value);
        delivered();
    }
    void enable() {
        sigval with{};
        with.sival_int = static_cast<int>(sent_.size());
        sent_.push_back(with.sival_int);
        REQUIRE(::sigqueue(::getpid(), SIGRTMIN, with) == 0);
        if constexpr (as_copies) {
            const auto first = others_.try_next();
            REQUIRE(first.has_value());
            CHECK(first->value == with.sival_int);
        }
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(taken_ == sent_, where);
        CHECK_MESSAGE(!signals_.try_next().has_value(), where);
        const auto copy = others_.try_next();
        CHECK_MESSAGE(copy.has_value() != as_copies, where);  // it is everybody's
        co_return;
    }

private:
    leat::signal_set signals_{SIGRTMIN};
    leat::signal_set others_{SIGRTMIN};
    std::vector<int> sent_;
    std::vector<int> taken_;
};

// Behind a task that waits for the same signals: it gets the next one.
class second_signal_trial : public trial {
public:
    leat::task<> prepare() {
        wait_first();
        co_await leat::yield();
    }
    leat::task<> attempt() {
        const int number = co_await signals_.next();
        CHECK(number == SIGUSR2);
        delivered();
    }
    void enable() {
        ::raise(SIGUSR1);
        ::raise(SIGUSR2);
    }
    leat::task<> verify(const std::string& where) {
        const int number = co_await first_;
        CHECK_MESSAGE(number == SIGUSR1, where);
        CHECK_MESSAGE(!signals_.try_next().has_value(), where);
        wait_first();
        co_await leat::yield();
    }
    leat::task<> finish() {
        first_.cancel();
        (void)co_await first_.join();
    }

    // Once the first has its signal the second one's wait for its turn has ended; that for the signal begins.
    static constexpr moment delivers_from = moment::after_the_task_ended;

private:
    void wait_first() {
        first_ = leat::spawn([this] { return signals_.next(); });
    }

    leat::signal_set signals_{SIGUSR1, SIGUSR2};
    leat::handle<int> first_;
};

// Blocks until a child of this process has ended, which nobody has noted yet.
void await_end_of_child() {
    siginfo_t ended;
    while (::waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
}

// A child that ends when its input does.
class wait_trial : public trial {
public:
    leat::task<> attempt() {
        const exit_status ended = co_await child_.wait();
        CHECK(ended.success());
        delivered();
    }
    void enable() {
        CHECK(::kill(child_.id(), 0) == 0);
        child_.input().close();
        await_end_of_child();
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(child_.try_wait() == exit_status::exited(0), where);
        CHECK_MESSAGE(leat::no_child_is_left(), where);
        child_ = cat();
        co_return;
    }
    leat::task<> finish() {
        child_.input().close();
        (void)co_await child_.wait();
    }

private:
    static process cat() {
        return process::spawn({"cat"}, {.input = redirect::pipe, .output = redirect::null});
    }
    process child_ = cat();
};

// The child ends by the signal that it was sent, also for who has stopped waiting.
class stop_trial : public trial {
public:
    static constexpr bool ends_by_itself = true;
    leat::task<> attempt() {
        const exit_status ended = co_await child_.stop(1h);
        CHECK(ended == exit_status::killed(SIGTERM));
        delivered();
    }
    void enable() {}
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(leat::no_child_is_left(), where);
        child_ = sleeper();
        co_return;
    }
    leat::task<> finish() { (void)co_await child_.stop(1h); }

private:
    static process sleeper() { return process::spawn({"sleep", "1000"}); }
    process child_ = sleeper();
};

// A child that ends when a pipe does, which it finds by its name. Cancelled, it has been killed and reaped,
// whatever of its end had been seen.
class run_process_trial : public trial {
public:
    static constexpr moment delivers_from = moment::after_the_task_ended;
    leat::task<> attempt() {
        CHECK(leat::no_child_is_left());
        const leat::process_result ended =
            co_await leat::run_process({"sh", "-c", "echo begun; cat <" + pipe_name() + "; echo ended"});
        CHECK(ended.status.success());
        CHECK(ended.output == "begun\nended\n");
        delivered();
    }
    void enable() {
        writer_.close();
        await_end_of_child();
    }
    leat::task<> verify(const std::string& where) {
        CHECK_MESSAGE(leat::no_child_is_left(), where);
        std::tie(reader_, writer_) = leat::make_pipe();
        co_return;
    }

private:
    std::string pipe_name() const {
        return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(reader_.native_handle());
    }

    std::pair<leat::pipe_reader, leat::pipe_writer> ends_ = leat::make_pipe();
    leat::pipe_reader& reader_ = ends_.first;
    leat::pipe_writer& writer_ = ends_.second;
};

}  // namespace

LEAT_TEST("a wait for a signal that is cancelled at any moment takes none, or gives it", on(kernel)) {
    co_await cancelled_at_any_moment<signal_trial<false>>("a signal");
    co_await cancelled_at_any_moment<signal_trial<true>>("a signal that another set took");
    co_await cancelled_at_any_moment<second_signal_trial>("a signal after that of another task");
}

LEAT_TEST("a wait for a child that is cancelled at any moment leaves it alone, and its end to the next",
          on(kernel)) {
    co_await cancelled_at_any_moment<wait_trial>("process.wait");
}

LEAT_TEST("stopping a child can be cancelled at any moment, and tried again", on(kernel)) {
    co_await cancelled_at_any_moment<stop_trial>("process.stop");
}

LEAT_TEST("a stop that is cancelled before it begins sends nothing to its child", on(kernel)) {
    process child = process::spawn({"cat"}, {.input = redirect::pipe, .output = redirect::null});
    auto stopping = leat::spawn([&] { return child.stop(0s); });
    stopping.cancel();
    const auto& stopped = co_await stopping.join();
    CHECK(stopped.cancelled());
    child.input().close();
    const exit_status ended = co_await child.wait();
    CHECK(ended == exit_status::exited(0));
}

LEAT_TEST("a run_process that is cancelled at any moment leaves no child", on(kernel)) {
    co_await cancelled_at_any_moment<run_process_trial>("run_process");
}
