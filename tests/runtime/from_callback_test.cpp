// SPDX-License-Identifier: MIT
#include <leat/from_callback.hpp>

#include "virtual_kernel.hpp"

#include <leat/runtime.hpp>
#include <leat/testing/doctest.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using leat::callback;
using leat::from_callback;

static_assert(std::is_convertible_v<callback<int>, std::function<void(int)>>);
static_assert(std::is_convertible_v<callback<>, std::function<void()>>);

namespace {

// An API that calls back when it is told to, or says whether it was asked to stop.
template <typename T = int>
struct slow_api {
    void start(std::function<void(T)> done) { pending = std::move(done); }
    void finish(T value) { std::exchange(pending, nullptr)(std::move(value)); }
    std::function<void(T)> pending;
};

// The same in C.
struct c_request {
    void (*function)(void* user, int status) = nullptr;
    void* user = nullptr;
    int* writes_to = nullptr;

    void finish(int status) const {
        *writes_to = status;
        function(user, status);
    }
};

leat::task<int> wait_for(slow_api<>& api) {
    co_return co_await from_callback<int>([&](callback<int> done) { api.start(std::move(done)); });
}

leat::task<> give_value(leat::task<int> from, std::string& into) {
    try {
        into += std::to_string(co_await std::move(from));
    } catch (const std::exception& error) {
        into += error.what();
    }
}

}  // namespace

LEAT_TEST("a callback that comes during the start is the result at once") {
    const int value = co_await from_callback<int>([](callback<int> done) { CHECK(done(7)); });
    CHECK(value == 7);
    bool called = false;
    co_await from_callback([&](callback<> done) { called = done(); });
    CHECK(called);
}

VIRTUAL_TEST("a callback comes later, from another task or from a posted function") {
    slow_api<> api;
    auto other = leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        api.finish(3);
    });
    const auto before = leat::now();
    const int value = co_await wait_for(api);
    CHECK(value == 3);
    CHECK(leat::now() - before == 1s);

    co_await from_callback([](callback<> done) { leat::current_scheduler().remote().post(done); });
}

LEAT_TEST("a result may be move-only, a reference, or need several parameters") {
    slow_api<std::string> api;
    auto pointer = co_await from_callback<std::unique_ptr<int>>(
        [](const callback<std::unique_ptr<int>>& done) { done(std::make_unique<int>(5)); });
    CHECK(*pointer == 5);
    std::string text = "text";
    std::string& same =
        co_await from_callback<std::string&>([&](const callback<std::string&>& done) { done(text); });
    CHECK(&same == &text);
    const auto [number, word] = co_await from_callback<std::pair<int, std::string>>(
        [](const callback<std::pair<int, std::string>>& done) { done({1, "one"}); });
    CHECK(number == 1);
    CHECK(word == "one");
}

LEAT_TEST("a callback fails with an error code or with an exception") {
    std::error_code code;
    try {
        co_await from_callback(
            [](const callback<>& done) { done.fail(std::make_error_code(std::errc::no_such_device)); });
    } catch (const std::system_error& error) {
        code = error.code();
    }
    CHECK(code == std::errc::no_such_device);
    const std::string thrown = co_await leat::thrown_by([]() -> leat::task<> {
        co_await from_callback([](callback<> done) {
            leat::spawn(
                [](callback<> kept) -> leat::task<> {
                    kept.fail(std::make_exception_ptr(std::runtime_error("broken")));
                    co_return;
                },
                std::move(done));
        });
    }());
    CHECK(thrown == "broken");
}

LEAT_TEST("a value that throws when it is moved fails the wait") {
    struct fragile {
        fragile() = default;
        fragile(const fragile&) { throw std::runtime_error("does not move"); }
    };
    const std::string thrown = co_await leat::thrown_by([]() -> leat::task<> {
        const fragile one;
        (void)co_await from_callback<const fragile&>(
            [&](const callback<const fragile&>& done) { done(one); });
        (void)co_await from_callback<fragile>([](const callback<fragile>& done) { done(fragile()); });
    }());
    CHECK(thrown == "does not move");
}

VIRTUAL_TEST("a C API gets a function and a pointer") {
    c_request request;
    int written = 0;
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        request.finish(42);
    });
    const int status = co_await from_callback<int>(
        [&](callback<int> done) { request = {callback<int>::call, done.release(), &written}; });
    CHECK(status == 42);
    CHECK(written == 42);

    void (*finish)(const char* text, std::size_t size, void* user) = nullptr;
    void* user = nullptr;
    leat::spawn([&]() -> leat::task<> {
        finish("text and more", 4, user);
        co_return;
    });
    const std::string text = co_await from_callback<std::string>([&](callback<std::string> done) {
        finish = [](const char* data, std::size_t size, void* released) {
            callback<std::string>::adopt(released)({data, size});
        };
        user = done.release();
    });
    CHECK(text == "text");

    void (*plain)(void* user) = callback<>::call;
    co_await from_callback([&](callback<> done) { plain(done.release()); });
}

LEAT_TEST("a C API that refuses to start gives the callback back") {
    const auto refuse = [](void*) { return -1; };
    std::error_code code;
    try {
        co_await from_callback([&](callback<> done) {
            void* const user = done.release();
            if (refuse(user) != 0) {
                callback<>::adopt(user).fail(leat::errno_code(EBUSY));
            }
        });
    } catch (const std::system_error& error) {
        code = error.code();
    }
    CHECK(code == leat::errno_code(EBUSY));
}

LEAT_TEST("a wait whose callbacks have all gone ends with an error") {
    const std::string at_once =
        co_await leat::thrown_by([]() -> leat::task<> { co_await from_callback([](callback<>) {}); }());
    CHECK(at_once.find("never called") != std::string::npos);

    std::vector<callback<int>> copies;
    std::string result;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        try {
            (void)co_await from_callback<int>([&](const callback<int>& done) { copies.assign(3, done); });
        } catch (const leat::callback_dropped& error) {
            CHECK(error.code() == std::errc::broken_pipe);
            result = "dropped";
        }
    });
    co_await leat::yield();
    copies.pop_back();
    copies.pop_back();
    co_await leat::yield();
    CHECK(result.empty());
    copies.clear();
    co_await waiter;
    CHECK(result == "dropped");
}

LEAT_TEST("the first call counts: later ones do nothing, also after the wait is over") {
    std::vector<callback<int>> kept;
    const int value = co_await from_callback<int>([&](const callback<int>& done) {
        kept.push_back(done);
        CHECK(done(1));
        CHECK(!done(2));
        CHECK(!done.fail(leat::errno_code(EIO)));
    });
    CHECK(value == 1);
    CHECK(!kept[0](3));
    CHECK(!kept[0].fail(std::make_exception_ptr(1)));
    slow_api<> api;
    std::string log;
    auto waiter = leat::spawn(give_value, wait_for(api), std::ref(log));
    co_await leat::yield();
    const auto again = api.pending;
    api.finish(4);
    again(5);
    co_await waiter;
    CHECK(log == "4");
}

LEAT_TEST("what the start throws is thrown, and a callback that comes later comes for nobody") {
    slow_api<> api;
    const std::string thrown = co_await leat::thrown_by([](slow_api<>& broken) -> leat::task<> {
        (void)co_await from_callback<int>([&](callback<int> done) {
            broken.start(std::move(done));
            throw std::runtime_error("did not start");
        });
    }(api));
    CHECK(thrown == "did not start");
    api.finish(1);
}

LEAT_TEST("callbacks that come at once do not keep the others from running") {
    bool other_ran = false;
    leat::spawn([&]() -> leat::task<> {
        other_ran = true;
        co_return;
    });
    int rounds = 0;
    while (!other_ran && rounds < 1000) {
        co_await from_callback([](const callback<>& done) { done(); });
        ++rounds;
    }
    CHECK(other_ran);
}

VIRTUAL_TEST("in a cancelled task nothing is started") {
    bool started = false;
    const auto start = [&](callback<> done) {
        started = true;
        done();
    };
    const bool plain = co_await leat::move_on_after(0s, from_callback(start));
    CHECK(!plain);
    const bool stoppable = co_await leat::move_on_after(0s, from_callback(start, [] {}));
    CHECK(!stoppable);
    CHECK(!started);
}

VIRTUAL_TEST("without a way to stop it, a cancelled wait goes on until the callback comes, and gives it") {
    c_request request;
    std::string log;
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(5s);
        request.finish(42);
    });
    const auto before = leat::now();
    const bool finished = co_await leat::move_on_after(1s, [&]() -> leat::task<> {
        int written = 0;
        const int status = co_await from_callback<int>(
            [&](callback<int> done) { request = {callback<int>::call, done.release(), &written}; });
        log += std::to_string(status + written) + " ";
        co_await leat::yield();
        log += "not reached";
    });
    CHECK(!finished);
    CHECK(leat::now() - before == 5s);
    CHECK(log == "84 ");
}

LEAT_TEST("a cancelled wait ends as cancelled when the API stops or drops its callback") {
    for (const bool stops : {true, false}) {
        std::vector<callback<>> held;
        auto waiter = leat::spawn([&]() -> leat::task<> {
            co_await from_callback([&](callback<> done) { held.push_back(std::move(done)); });
        });
        co_await leat::yield();
        waiter.cancel();
        if (stops) {
            held.back().fail(leat::errno_code(ECANCELED));
        }
        held.clear();
        const auto ended = co_await waiter.join();
        CHECK(ended.cancelled());
    }
}

LEAT_TEST("nobody was cancelled: operation_canceled is an error") {
    const std::string thrown = co_await leat::thrown_by([]() -> leat::task<> {
        co_await from_callback([](const callback<>& done) { done.fail(leat::errno_code(ECANCELED)); });
    }());
    CHECK(thrown.find("canceled") != std::string::npos);
}

VIRTUAL_TEST("cancel asks the API to stop, in the task, and the API has the last word") {
    slow_api<> api;
    std::string log;
    int answer = 0;
    const auto wait_in = [&](leat::duration limit) -> leat::task<> {
        const auto value = co_await leat::move_on_after(
            limit, from_callback<int>([&](callback<int> done) { api.start(std::move(done)); },
                                      [&] {
                                          log += leat::this_thread.task != nullptr ? "asked " : "outside ";
                                          if (answer == 0) {
                                              api.pending = nullptr;
                                          } else if (answer > 0) {
                                              api.finish(answer);
                                          }
                                      }));
        log += value ? std::to_string(*value) + " " : "cancelled ";
    };
    co_await wait_in(1s);  // it stops
    answer = 5;
    co_await wait_in(1s);  // it had finished
    answer = -1;
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(2s);
        api.finish(6);
    });
    const auto before = leat::now();
    co_await wait_in(1s);  // it needs a while to finish
    CHECK(leat::now() - before == 2s);
    leat::spawn([&]() -> leat::task<> {
        co_await leat::sleep(1s);
        api.finish(7);
    });
    co_await wait_in(2s);  // in time
    CHECK(log == "asked cancelled asked 5 asked 6 7 ");
}

LEAT_TEST("cancelling a scope runs no cancel function inside it") {
    slow_api<> api;
    std::string log;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        (void)co_await from_callback<int>([&](callback<int> done) { api.start(std::move(done)); },
                                          [&] {
                                              log += "asked ";
                                              api.pending = nullptr;
                                          });
    });
    co_await leat::yield();
    co_await leat::yield();
    waiter.cancel();
    log += "cancel returned ";
    const auto ended = co_await waiter.join();
    CHECK(ended.cancelled());
    CHECK(log == "cancel returned asked ");
}

LEAT_TEST("a callback that comes in the turn of the cancellation is not asked to stop") {
    slow_api<> api;
    std::string log;
    auto waiter = leat::spawn([&]() -> leat::task<> {
        const int value = co_await from_callback<int>([&](callback<int> done) { api.start(std::move(done)); },
                                                      [&] { log += "asked "; });
        log += std::to_string(value);
    });
    co_await leat::yield();
    co_await leat::yield();
    waiter.cancel();
    api.finish(8);
    co_await waiter.join();
    CHECK(log == "8");
}

TEST_CASE("a callback that nobody can call any more is a deadlock, and a late call does nothing") {
    std::vector<callback<int>> kept;
    const auto wait = [&]() -> leat::task<> {
        (void)co_await from_callback<int>([&](const callback<int>& done) { kept.push_back(done); });
    };
    std::string said;
    try {
        leat::run_virtually([&](leat::virtual_kernel&) { return wait(); });
    } catch (const leat::deadlock& error) {
        said = error.what();
    }
    CHECK(said.find("waits for a callback") != std::string::npos);
    leat::run_virtually([&](leat::virtual_kernel&) -> leat::task<> {
        leat::spawn(wait);
        co_await leat::yield();
    });
    CHECK(kept.size() == 2);
    CHECK(!kept[0](1));
    CHECK(!kept[1](1));
}
