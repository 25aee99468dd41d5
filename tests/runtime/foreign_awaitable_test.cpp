// SPDX-License-Identifier: MIT
// Awaitables that were not made for leat, in its tasks: each way in which they may resume who waits.
#include <leat/foreign_awaitable.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <coroutine>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;

namespace {

// Resumed by whoever calls go(), as events of other libraries are.
class manual_event {
public:
    struct awaiter {
        bool await_ready() const noexcept { return event.happened_; }
        void await_suspend(std::coroutine_handle<> waiter) noexcept { event.waiter_ = waiter; }
        int await_resume() const noexcept { return 7; }
        manual_event& event;
    };
    awaiter operator co_await() noexcept { return {*this}; }
    void go() {
        happened_ = true;
        if (waiter_) {
            std::exchange(waiter_, nullptr).resume();
        }
    }
    void drop() {
        if (waiter_) {
            std::exchange(waiter_, nullptr).destroy();
        }
    }
    [[nodiscard]] bool awaited() const noexcept { return waiter_ != nullptr; }

private:
    std::coroutine_handle<> waiter_;
    bool happened_ = false;
};

// Goes on in a thread of its own.
struct other_thread {
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
        thread = std::thread([waiter] { waiter.resume(); });
    }
    std::string await_resume() {
        thread.join();
        return "from a thread";
    }
    std::thread thread;
};

struct says_no {
    static bool await_ready() noexcept { return false; }
    static bool await_suspend(std::coroutine_handle<>) noexcept { return false; }
    static int await_resume() noexcept { return 5; }
};

struct resumes_at_once {
    static bool await_ready() noexcept { return false; }
    static void await_suspend(std::coroutine_handle<> waiter) { waiter.resume(); }
    static void await_resume() noexcept {}
};

struct fails_to_suspend {
    static bool await_ready() noexcept { return false; }
    static void await_suspend(std::coroutine_handle<>) { throw std::runtime_error("no suspension"); }
    static void await_resume() noexcept {}
};

struct fails_to_resume {
    static bool await_ready() noexcept { return true; }
    static void await_suspend(std::coroutine_handle<>) noexcept {}
    static void await_resume() { throw std::runtime_error("no result"); }
};

// A lazy coroutine of another library, which returns handles to go from one to the next.
class lazy {
public:
    struct promise_type {
        lazy get_return_object() noexcept {
            return lazy(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        static std::suspend_always initial_suspend() noexcept { return {}; }
        struct last {
            static bool await_ready() noexcept { return false; }
            static std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
                return ended.promise().after;
            }
            static void await_resume() noexcept {}
        };
        static last final_suspend() noexcept { return {}; }
        void return_value(int given) noexcept { value = given; }
        void unhandled_exception() noexcept { error = std::current_exception(); }
        std::coroutine_handle<> after;
        int value = 0;
        std::exception_ptr error;
    };
    struct awaiter {
        static bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
            body.promise().after = waiter;
            return body;
        }
        int await_resume() const {
            if (body.promise().error) {
                std::rethrow_exception(body.promise().error);
            }
            return body.promise().value;
        }
        std::coroutine_handle<promise_type> body;
    };
    lazy(lazy&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
    ~lazy() {
        if (body_) {
            body_.destroy();
        }
    }
    friend awaiter operator co_await(const lazy& of) noexcept { return {of.body_}; }

private:
    explicit lazy(std::coroutine_handle<promise_type> body) noexcept : body_(body) {}
    std::coroutine_handle<promise_type> body_;
};

lazy add_two(manual_event& event) {
    co_return 2 + co_await event;
}

lazy fails() {
    throw std::runtime_error("a foreign error");
    co_return 0;
}

}  // namespace

LEAT_TEST("a foreign awaitable is resumed by the loop, after whoever resumed it has gone on") {
    manual_event event;
    std::string log;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        const int value = co_await event;
        log += std::to_string(value);
    });
    co_await leat::yield();
    CHECK(event.awaited());
    event.go();
    log += "went on, ";
    co_await waiter;
    CHECK(log == "went on, 7");
    const int again = co_await event;
    CHECK(again == 7);
}

LEAT_TEST("a foreign awaitable may be resumed by another thread", on(kernel)) {
    const std::thread::id here = std::this_thread::get_id();
    for (int i = 0; i < 20; ++i) {
        const std::string said = co_await other_thread();
        CHECK(said == "from a thread");
        CHECK(std::this_thread::get_id() == here);
    }
}

LEAT_TEST("a foreign awaitable may be ready, refuse to suspend, or resume at once") {
    co_await std::suspend_never();
    const int refused = co_await says_no();
    CHECK(refused == 5);
    co_await resumes_at_once();
    resumes_at_once again;
    co_await again;
}

LEAT_TEST("what a foreign awaitable throws is thrown from the wait") {
    const auto first = co_await leat::thrown_by([]() -> leat::task<> { co_await fails_to_suspend(); }());
    CHECK(first == "no suspension");
    const auto second = co_await leat::thrown_by([]() -> leat::task<> { co_await fails_to_resume(); }());
    CHECK(second == "no result");
    const auto third = co_await leat::thrown_by([]() -> leat::task<> { (void)co_await fails(); }());
    CHECK(third == "a foreign error");
}

LEAT_TEST("a foreign coroutine runs when it is awaited, and resumes its waiter by a handle") {
    manual_event event;
    auto waiter = leat::spawn([&]() -> leat::task<int> {
        const lazy body = add_two(event);
        const int value = co_await body;
        co_return value;
    });
    co_await leat::yield();
    event.go();
    const int value = co_await waiter;
    CHECK(value == 9);
}

LEAT_TEST("a foreign awaitable that drops its waiter ends the wait with an error") {
    manual_event event;
    std::string said;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        said = co_await leat::thrown_by(
            [](manual_event& dropped) -> leat::task<> { (void)co_await dropped; }(event));
    });
    co_await leat::yield();
    event.drop();
    co_await waiter;
    CHECK(said.starts_with("what was awaited never resumed"));
}

LEAT_TEST("a foreign awaitable is not begun in a cancelled task, and once begun its result is given") {
    manual_event event;
    bool went_on = false;
    auto never_begun = leat::spawn([&]() -> leat::task<> { (void)co_await event; });
    never_begun.cancel();
    co_await never_begun.join();
    CHECK_FALSE(event.awaited());
    auto begun = leat::spawn([&]() -> leat::task<> {
        const int value = co_await event;
        went_on = value == 7;
        co_await leat::checkpoint();
        went_on = false;
    });
    co_await leat::yield();
    begun.cancel();
    co_await leat::yield();
    CHECK_FALSE(begun.done());
    event.go();
    const auto& ended = co_await begun.join();
    CHECK(ended.cancelled());
    CHECK(went_on);
}

VIRTUAL_TEST("a deadline around a foreign awaitable passes when that has ended") {
    manual_event event;
    auto later = leat::spawn_after(5s, [&]() -> leat::task<> {
        event.go();
        co_return;
    });
    const auto value = co_await leat::move_on_after(1s, event);
    REQUIRE(value.has_value());
    CHECK(*value == 7);
    CHECK(kernel.now() == leat::now());
    co_await later;
}

LEAT_TEST("a dump names a wait for a foreign awaitable") {
    manual_event event;
    auto waiter = leat::spawn([&]() -> leat::task<> { (void)co_await event; });
    co_await leat::yield();
    CHECK(leat::dump_tasks().find("waits for an awaitable of another library") != std::string::npos);
    event.go();
    co_await waiter;
}
