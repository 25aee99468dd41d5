// SPDX-License-Identifier: MIT
#include <leat/run.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using leat::stuck;

namespace {

leat::task<int> number(int value) {
    co_await leat::yield();
    co_return value;
}

leat::task<> fails() {
    co_await leat::yield();
    throw std::runtime_error("main failed");
}

}  // namespace

TEST_CASE("run returns what its main task gives") {
    CHECK(leat::run(number(5)) == 5);
    CHECK(leat::run([] { return number(6); }) == 6);
    const auto owned =
        leat::run([]() -> leat::task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); });
    CHECK(*owned == 7);
    bool ran = false;
    leat::run([&]() -> leat::task<> {
        ran = true;
        co_return;
    });
    CHECK(ran);
}

TEST_CASE("run passes a reference on") {
    int value = 0;
    auto refer = [&]() -> leat::task<int&> { co_return value; };
    int& from_callable = leat::run(refer);
    int& from_task = leat::run(refer());
    CHECK(&from_callable == &value);
    CHECK(&from_task == &value);
}

TEST_CASE("run throws what its main task throws") {
    CHECK_THROWS_WITH_AS(leat::run(fails), "main failed", std::runtime_error);
    CHECK_THROWS_WITH_AS(leat::run(fails()), "main failed", std::runtime_error);
    auto refuse = [](bool given) -> leat::task<> {
        return given ? fails() : throw std::logic_error("no task");
    };
    CHECK_THROWS_WITH_AS(leat::run([&] { return refuse(false); }), "no task", std::logic_error);
}

TEST_CASE("run throws task_cancelled when its main task was cancelled") {
    CHECK_THROWS_AS(leat::run([]() -> leat::task<int> {
                        leat::current_scheduler().root().cancel(leat::cancel_reason::requested);
                        co_await leat::yield();
                        co_return 1;
                    }),
                    leat::task_cancelled);
}

TEST_CASE("one thread can run again and again, and start with nothing left from before") {
    for (int i = 0; i < 3; ++i) {
        CHECK(leat::run(number(i)) == i);
        CHECK_THROWS(leat::run(fails));
    }
}

TEST_CASE("two threads run at once, each with its own scheduler") {
    auto work = [](int start, int& sum) -> leat::task<> {
        for (int i = 0; i < 1000; ++i) {
            auto child = leat::spawn(number, start + i);
            sum += co_await child;
        }
    };
    int first = 0;
    int second = 0;
    std::thread other([&] { leat::run([&] { return work(1'000'000, first); }); });
    leat::run([&] { return work(0, second); });
    other.join();
    CHECK(first == 1'000'499'500);
    CHECK(second == 499'500);
}

TEST_CASE("background tasks are cancelled and awaited when the main task ends") {
    std::string log;
    struct last {
        std::string& log;
        const char* name;
        ~last() { log += name; }
    };
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        leat::spawn([&]() -> leat::task<> {
            const last local{log, "background "};
            co_await stuck();
        });
        co_await leat::yield();
        const last local{log, "main "};
    });
    CHECK(log == "main background ");
}

TEST_CASE("the end of a run waits for operations that are slow to end, and for what destructors spawn") {
    std::string log;
    leat::run_virtually([&](leat::virtual_kernel& kernel) -> leat::task<> {
        kernel.cancelling = leat::virtual_kernel::on_cancel::ends_later;
        struct last {
            std::string& log;
            ~last() {
                leat::spawn([&log = log]() -> leat::task<> {
                    log += "spawned ";
                    co_await leat::yield();
                    log += "not reached ";
                });
            }
        };
        leat::spawn([&]() -> leat::task<> {
            const last local{log};
            co_await leat::transfer(7);
            log += "not reached ";
        });
        co_await leat::yield();
        log += "main ends ";
    });
    CHECK(log == "main ends spawned ");
}

TEST_CASE("a run keeps its main task's value although background tasks unwind after it") {
    const int value = leat::run_virtually([](leat::virtual_kernel&) -> leat::task<int> {
        leat::spawn(stuck);
        co_await leat::yield();
        co_return 8;
    });
    CHECK(value == 8);
}

TEST_CASE("an unknown backend is an error that names it and lists the known ones") {
    std::string text;
    try {
        leat::run(number(1), {.backend = "kqueue"});
    } catch (const std::invalid_argument& error) {
        text = error.what();
    }
    CHECK(text.find("kqueue") != std::string::npos);
    CHECK(text.find("epoll") != std::string::npos);
    CHECK(text.find("uring") != std::string::npos);
    CHECK(leat::run(number(2)) == 2);
}

TEST_CASE("describe_backend names the backend that runs") {
    const std::string text = leat::run(
        []() -> leat::task<std::string> { co_return leat::describe_backend(); }, {.backend = "epoll"});
    CHECK(text.substr(0, 5) == "epoll");
}

TEST_CASE("run_main gives 0, the int of its task, or 1 after an error") {
    CHECK(leat::run_main([]() -> leat::task<> { co_return; }) == 0);
    CHECK(leat::run_main([] { return number(3); }) == 3);
    CHECK(leat::run_main(number(4)) == 4);
}

TEST_CASE(
    "run_main gives its task up to three arguments, which live as long as that, and options behind them") {
    const auto length = [](const std::string& text, std::unique_ptr<int> more = nullptr,
                           int factor = 1) -> leat::task<int> {
        co_await leat::yield();
        co_return (static_cast<int>(text.size()) + (more != nullptr ? *more : 0)) * factor;
    };
    const auto on_epoll = [](const std::string& text) -> leat::task<int> {
        co_return text == "x" && leat::describe_backend().starts_with("epoll") ? 3 : 4;
    };
    CHECK(leat::run_main([](int value) { return number(value); }, 5) == 5);
    CHECK(leat::run_main(number, 6) == 6);
    CHECK(leat::run_main(on_epoll, "x", {.backend = "epoll"}) == 3);
    CHECK(leat::run_main(length, std::string(40, 'x').c_str(), std::make_unique<int>(2), 3) == 126);
    const std::string text = "kept";
    CHECK(leat::run_main([](std::string copied, int) { return number(static_cast<int>(copied.size())); },
                         text, 0) == 4);
    CHECK(text == "kept");
    const leat::run_options options{.backend = "epoll"};
    CHECK(leat::run_main(number, 7, options) == 7);
    CHECK(leat::run_main([] { return number(8); }, options) == 8);
}

TEST_CASE("the main task of run_main is spawned where run_main is called, also with arguments") {
    const auto says_where = [](unsigned line) -> leat::task<int> {
        const std::string place = "run_test.cpp:" + std::to_string(line);
        co_return leat::dump_tasks().find(place) != std::string::npos ? 1 : 0;
    };
    const int found = leat::run_main(says_where, __LINE__);
    CHECK(found == 1);
}

TEST_CASE("tasks that have not ended a grace after the main task are reported once") {
    leat::observation how;
    how.end_grace = 10s;
    leat::duration took{};
    leat::run_virtually(
        [&](leat::virtual_kernel& kernel) -> leat::task<> {
            const auto began = kernel.now();
            leat::spawn([began, &kernel, &took]() -> leat::task<> {
                co_await leat::shield(leat::sleep(1h));
                took = kernel.now() - began;
            }).name("slow to end");
            co_await leat::yield();
        },
        how);
    CHECK(took == 1h);
    REQUIRE(leat::reports.size() > 1);
    CHECK(leat::reports[0] == "the main task has ended, and these tasks have not since:");
    CHECK(leat::reports[1].find("\"slow to end\"") != std::string::npos);
    CHECK(std::count(leat::reports.begin(), leat::reports.end(), leat::reports[0]) == 1);
}

TEST_CASE("tasks that end within the grace, or where no report is wanted, are not reported") {
    for (const leat::duration grace : {leat::duration(10s), leat::duration(0)}) {
        leat::observation how;
        how.end_grace = grace;
        leat::run_virtually(
            [&](leat::virtual_kernel&) -> leat::task<> {
                leat::spawn([&]() -> leat::task<> { co_await leat::shield(leat::sleep(9s)); });
                co_await leat::yield();
            },
            how);
        CHECK(leat::reports.empty());
    }
}

TEST_CASE("a task that nothing can wake is not waited for until the grace has passed") {
    leat::observation how;
    how.end_grace = 10s;
    leat::time_point began;
    leat::time_point ended;
    leat::run_virtually(
        [&](leat::virtual_kernel& kernel) -> leat::task<> {
            began = kernel.now();
            leat::spawn([&]() -> leat::task<> {
                struct at_end {
                    leat::virtual_kernel& kernel;
                    leat::time_point& when;
                    ~at_end() { when = kernel.now(); }
                };
                const at_end local{kernel, ended};
                co_await leat::shield(stuck());
            });
            co_await leat::yield();
        },
        how);
    CHECK(ended == began);
    CHECK(leat::reports.empty());
}
