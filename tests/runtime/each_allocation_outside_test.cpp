// SPDX-License-Identifier: MIT
// Each allocation fails in turn of what comes from outside: callbacks, other threads, signals, pipes and
// processes. Nothing that has come is lost.
#include "../support/failing_memory.hpp"

#include <leat/from_callback.hpp>
#include <leat/system/pipe.hpp>
#include <leat/system/process.hpp>
#include <leat/system/signals.hpp>
#include <leat/threads.hpp>
#include <leat/threads/remote_call.hpp>
#include <leat/threads/thread_channel.hpp>

#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using leat::task;
using leat::testing::check_each_allocation;
using leat::testing::check_operation;
using leat::testing::every_backend;
using leat::testing::failing_memory;
using leat::testing::kernel;

namespace {

task<int> number_later(int number) {
    co_await leat::yield();
    co_return number;
}

}  // namespace

TEST_CASE("a callback comes also without memory") {
    check_operation("from_callback", []() -> task<> {
        const int got = co_await leat::from_callback<int>([](const leat::callback<int>& done) { done(1); });
        CHECK(got == 1);
    });
    check_operation("from_callback that is cancelled", []() -> task<> {
        leat::callback<int>* kept = nullptr;
        (void)co_await leat::move_on_after(
            1ns, leat::from_callback<int>(
                     [&](leat::callback<int> done) { kept = new leat::callback<int>(std::move(done)); },
                     [&] {
                         kept->fail(std::make_error_code(std::errc::operation_canceled));
                         delete std::exchange(kept, nullptr);
                     }));
        delete kept;
    });
    check_operation("from_callback that is dropped", []() -> task<> {
        try {
            co_await leat::from_callback([](const leat::callback<>&) {});
        } catch (const leat::callback_dropped&) {
        }
    });
}

namespace {

// Without memory on a thread of its own.
template <typename Call>
std::thread without_memory(Call call) {
    return std::thread([call = std::move(call)] {
        leat::testing::counted_memory::fails_at = 0;
        leat::testing::counted_memory::may_fail = true;
        call();
        leat::testing::counted_memory::may_fail = false;
        leat::testing::counted_memory::fails_at = -1;
    });
}

}  // namespace

TEST_CASE("another thread without memory ends a from_callback_anywhere") {
    leat::run([]() -> task<> {
        std::thread other;
        const int got = co_await leat::from_callback_anywhere<int>(
            [&](const leat::callback<int>& done) { other = without_memory([kept = done] { kept(5); }); });
        other.join();
        CHECK(got == 5);
        const auto failed =
            co_await leat::as_outcome(leat::from_callback_anywhere<int>([&](const leat::callback<int>& done) {
                other =
                    without_memory([kept = done] { kept.fail(std::make_error_code(std::errc::io_error)); });
            }));
        other.join();
        CHECK(failed.error() != nullptr);  // the error, or that there was no memory for its text
    });
}

TEST_CASE("a message to a scheduler that has no memory is refused, and nothing of it is left") {
    check_operation("post", []() -> task<> {
        const auto came = std::make_shared<leat::event>();
        leat::current_scheduler().remote().post([came] { came->set(); });
        co_await came->wait();
    });
    check_operation("remote.spawn", []() -> task<> {
        const auto came = std::make_shared<leat::event>();
        leat::current_scheduler().remote().spawn([came]() -> task<> {
            came->set();
            co_return;
        });
        (void)co_await leat::move_on_after(1ms, came->wait());
    });
    check_operation("remote.call", []() -> task<> {
        const int got = co_await leat::current_scheduler().remote().call([] { return number_later(3); });
        CHECK(got == 3);
    });
    check_operation("thread_channel", []() -> task<> {
        leat::thread_channel<int> values(2);
        co_await values.send(1);
        co_await values.send(2);
        const auto got = co_await values.receive();
        CHECK(got == 1);
    });
}

TEST_CASE("offloaded work that finds no memory was not begun") {
    const auto offloads = [](failing_memory& memory) -> task<> {
        int ran = 0;
        co_await memory.fails([&]() -> task<> { co_await leat::offload([&] { ++ran; }); });
        CHECK(ran == (memory.completed ? 1 : 0));
        co_await leat::offload([&] { ++ran; });
        CHECK(ran == (memory.completed ? 2 : 1));
    };
    check_each_allocation("offload", every_backend, offloads, false);
}

TEST_CASE("a signal is not lost when there is no memory") {
    check_each_allocation("signals", kernel, [](failing_memory& memory) -> task<> {
        leat::signal_set one{SIGUSR1, SIGRTMIN};
        leat::signal_set two{SIGUSR1, SIGRTMIN};
        std::vector<int> by_one;
        std::vector<int> by_two;
        const auto take = [](leat::signal_set& from, std::vector<int>& into, std::size_t count) -> task<> {
            while (into.size() < count) {
                const int number = co_await from.next();
                into.push_back(number);
            }
        };
        by_one.reserve(8);
        by_two.reserve(8);
        ::kill(::getpid(), SIGUSR1);
        for (int i = 0; i < 3; ++i) {
            ::sigqueue(::getpid(), SIGRTMIN, {});
        }
        co_await memory.fails([&]() -> task<> { co_await take(one, by_one, 4); });
        co_await take(one, by_one, 4);
        co_await take(two, by_two, 4);
        const std::vector<int> all{SIGUSR1, SIGRTMIN, SIGRTMIN, SIGRTMIN};
        CHECK(by_one == all);
        CHECK(by_two == all);
    });
}

TEST_CASE("a task that waits for a signal is woken without memory") {
    check_each_allocation("two sets that wait", kernel, [](failing_memory& memory) -> task<> {
        leat::signal_set one{SIGUSR1};
        leat::signal_set two{SIGUSR1};
        auto first = leat::spawn([&]() -> task<int> { co_return co_await one.next(); });
        auto second = leat::spawn([&]() -> task<int> { co_return co_await two.next(); });
        co_await leat::yield();
        co_await leat::yield();
        ::kill(::getpid(), SIGUSR1);
        co_await memory.fails([&]() -> task<> { co_await leat::join_all(first, second); });
        // Who found no memory asks again: the signal waits for it.
        int taken = 0;
        for (auto* each : {&first, &second}) {
            const leat::outcome<int>& ended = co_await each->join();
            if (ended.ok()) {
                taken += 1;
            } else {
                taken += co_await (each == &first ? one : two).next() == SIGUSR1 ? 1 : 0;
            }
        }
        CHECK(taken == 2);
    });
}

TEST_CASE("a pipe keeps its bytes when there is no memory") {
    check_each_allocation("pipes", kernel, [](failing_memory& memory) -> task<> {
        auto pipe = leat::make_pipe();
        auto& [reader, writer] = pipe;
        co_await writer.send_all("0123456789");
        std::array<char, 4> four{};
        std::size_t read = 0;
        co_await memory.fails([&]() -> task<> {
            co_await reader.recv_exactly(four);
            read += 4;
            const leat::chunk rest = co_await reader.recv_chunk();
            read += rest.size();
        });
        std::array<char, 16> left{};
        writer.close();
        while (const std::size_t size = co_await reader.recv(left)) {
            read += size;
        }
        CHECK(read == 10);
    });
    check_operation(
        "make_pipe",
        []() -> task<> {
            (void)leat::make_pipe();
            co_return;
        },
        kernel);
}

TEST_CASE("what a recv_exactly of a pipe has got when it finds no memory is there for the next read") {
    check_each_allocation("recv_exactly", kernel, [](failing_memory& memory) -> task<> {
        auto pipe = leat::make_pipe();
        auto& [reader, writer] = pipe;
        co_await writer.send_all("01");
        std::array<char, 4> four{};
        // (Its waiting is what ends it when nothing fails.)
        co_await memory.fails(
            [&]() -> task<> { (void)co_await leat::move_on_after(1ms, reader.recv_exactly(four)); });
        co_await writer.send_all("23");
        const auto rest = co_await leat::as_result(reader.recv_exactly(four));
        if (rest.ok()) {
            CHECK(std::string_view(four.data(), 4) == "0123");
        } else {  // of giving back what a cancelled read had taken
            CHECK(rest.error() == std::errc::not_enough_memory);
            CHECK(memory.reached);
            CHECK(memory.completed);
        }
    });
}

TEST_CASE("a cancelled recv_exactly that cannot give back its bytes says so at the next read of the pipe") {
    leat::run([]() -> task<> {
        auto pipe = leat::make_pipe();
        auto& [reader, writer] = pipe;
        co_await writer.send_all("012");
        std::array<char, 10> ten{};
        auto reads = leat::spawn([&]() -> task<> { co_await reader.recv_exactly(ten); });
        for (int i = 0; i < 5; ++i) {
            co_await leat::yield();
        }
        leat::testing::counted_memory::fails_at = 0;
        leat::testing::counted_memory::may_fail = true;
        reads.cancel();
        co_await leat::yield();
        co_await leat::yield();
        leat::testing::counted_memory::may_fail = false;
        CHECK(leat::testing::counted_memory::fails_at == -1);
        const auto& ended = co_await reads.join();
        CHECK(ended.cancelled());
        co_await writer.send_all("345");
        const auto next = co_await leat::as_result(reader.recv(ten));
        CHECK(next.error() == std::errc::not_enough_memory);
    });
}

TEST_CASE("a process that cannot be started for want of memory is not there") {
    check_operation(
        "run_process",
        []() -> task<> {
            const auto ended = co_await leat::run_process({"/bin/sh", "-c", "echo hello"});
            CHECK(ended.status.success());
            CHECK(ended.output == "hello\n");
        },
        kernel);
}
